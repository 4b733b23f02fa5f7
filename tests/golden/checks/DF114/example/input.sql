-- postgresql
-- given
CREATE TABLE orders (id bigint PRIMARY KEY, currency text NOT NULL DEFAULT 'EUR');
-- migration
ALTER TABLE orders ALTER COLUMN currency DROP DEFAULT;
