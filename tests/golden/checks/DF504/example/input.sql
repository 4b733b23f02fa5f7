-- postgresql
-- given
CREATE DOMAIN cents AS integer;
CREATE TABLE invoices (id bigint PRIMARY KEY, total cents);
-- migration
ALTER DOMAIN cents ADD CONSTRAINT cents_positive CHECK (VALUE >= 0);
