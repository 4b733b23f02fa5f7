-- postgresql rows=200
-- given
CREATE TABLE orders (id bigint PRIMARY KEY, status text, total_cents integer);
-- migration
ALTER TABLE orders ALTER COLUMN status SET NOT NULL;
