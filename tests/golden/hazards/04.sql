-- scene postgresql 16.4 alone=no source=dbmate
-- speaks DF304 breaks
CREATE INDEX CONCURRENTLY orders_status_idx ON orders (status);
-- scene postgresql 16.4 transaction=implicit source=golang-migrate
-- speaks DF304 breaks
CREATE INDEX CONCURRENTLY orders_status_idx ON orders (status);
CREATE INDEX CONCURRENTLY orders_total_idx ON orders (total);
-- silent
CREATE INDEX CONCURRENTLY orders_status_idx ON orders (status);
