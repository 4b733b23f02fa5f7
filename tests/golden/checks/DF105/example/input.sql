-- postgresql
-- given
CREATE TABLE products (id bigint PRIMARY KEY, sku text NOT NULL, name text NOT NULL, price_cents integer NOT NULL);
-- migration
ALTER TABLE products ADD COLUMN weight_grams integer CHECK (weight_grams > 0);
