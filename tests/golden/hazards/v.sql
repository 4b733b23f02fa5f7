-- scene postgresql 16.4
-- speaks DF707 blocks
ALTER TABLE orders ADD COLUMN marker integer;
ALTER TABLE users ADD COLUMN marker integer;
-- silent
ALTER TABLE orders ADD COLUMN marker integer;
-- next migration
ALTER TABLE users ADD COLUMN marker integer;
