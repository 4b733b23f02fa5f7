-- scene postgresql 16.4 transaction=none
-- speaks DF708 breaks
ALTER TABLE orders ADD COLUMN marker integer;
CREATE INDEX CONCURRENTLY orders_marker_idx ON orders (marker);
-- silent
ALTER TABLE orders ADD COLUMN marker integer;
-- next migration
CREATE INDEX CONCURRENTLY orders_marker_idx ON orders (marker);
-- scene mysql 8.4.0
-- speaks DF708 breaks
ALTER TABLE orders ADD COLUMN marker int;
ALTER TABLE users ADD COLUMN marker int;
-- silent
ALTER TABLE orders ADD COLUMN marker int;
-- scene mariadb 10.11.6
-- speaks DF708 breaks
ALTER TABLE orders ADD COLUMN marker int;
ALTER TABLE users ADD COLUMN marker int;
-- silent
ALTER TABLE orders ADD COLUMN marker int;
