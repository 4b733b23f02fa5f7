-- scene postgresql 14.2
-- speaks DF306 breaks
CREATE INDEX CONCURRENTLY orders_status_idx ON orders (status);
-- scene postgresql 14.4
-- speaks DF301 blocks
CREATE INDEX orders_status_idx ON orders (status);
-- silent
CREATE INDEX CONCURRENTLY orders_status_idx ON orders (status);
