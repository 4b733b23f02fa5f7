-- postgresql
-- given
CREATE TABLE orders (id bigint PRIMARY KEY, status text, total_cents integer);
-- migration
ALTER TABLE orders ADD COLUMN currency text NOT NULL DEFAULT 'EUR';
