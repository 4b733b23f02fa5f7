-- postgresql
-- given
CREATE TABLE orders (id bigint PRIMARY KEY, status text, total_cents integer);
ALTER TABLE orders ADD CONSTRAINT filled CHECK (status IS NOT NULL AND total_cents > 0);
-- migration
ALTER TABLE orders ALTER COLUMN status SET NOT NULL;
