-- postgresql
-- given
CREATE TABLE orders (id bigint PRIMARY KEY, status text, total_cents integer);
-- migration
-- driftflow: ignore DF111 reason="nobody reads it"
ALTER TABLE orders DROP COLUMN status;
ALTER TABLE orders DROP COLUMN total_cents;
