-- scene postgresql 16.4
-- speaks DF305 breaks
CREATE INDEX CONCURRENTLY IF NOT EXISTS orders_status_idx ON orders (status);
-- silent
CREATE INDEX CONCURRENTLY orders_status_idx ON orders (status);
