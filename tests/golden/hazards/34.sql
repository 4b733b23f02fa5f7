-- scene postgresql 16.4
-- speaks DF701 blocks
ALTER TABLE orders ADD COLUMN marker integer;
CREATE INDEX orders_status_idx ON orders (status);
-- speaks DF707 blocks
ALTER TABLE orders ADD COLUMN marker integer;
ALTER TABLE users ADD COLUMN marker integer;
-- silent
ALTER TABLE orders ADD COLUMN marker integer;
-- next migration
CREATE INDEX CONCURRENTLY orders_status_idx ON orders (status);
