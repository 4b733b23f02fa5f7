-- postgresql
-- given
CREATE TABLE orders (id bigint PRIMARY KEY, created_at timestamp);
CREATE INDEX orders_created_at_idx ON orders (created_at);
-- migration
SET LOCAL timezone = 'UTC';
ALTER TABLE orders ALTER COLUMN created_at TYPE timestamptz;
