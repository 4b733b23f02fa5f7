-- postgresql
-- given
CREATE TABLE products (id bigint PRIMARY KEY, sku text NOT NULL, name text NOT NULL, price_cents integer NOT NULL);
-- migration
ALTER TABLE products ADD COLUMN inventory_count integer DEFAULT 0;
