-- postgresql
-- migration
CREATE TABLE orders (id bigint PRIMARY KEY, status text, total_cents integer);
CREATE INDEX orders_status_idx ON orders (status);
-- next migration
CREATE INDEX orders_total_idx ON orders (total_cents);
ALTER TABLE orders ALTER COLUMN status SET NOT NULL;
