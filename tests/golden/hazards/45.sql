-- scene postgresql 16.4
-- speaks DF006 breaks
CREATE INDEX CONCURRENTLY orders_status_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa ON orders (status);
-- silent
CREATE INDEX CONCURRENTLY orders_status_idx ON orders (status);
-- scene postgresql 16.4
-- given
CREATE SCHEMA audit;
CREATE TABLE audit.orders (id bigint PRIMARY KEY);
-- speaks DF008 breaks
ALTER TABLE orders ADD COLUMN marker integer;
-- silent
ALTER TABLE public.orders ADD COLUMN marker integer;
-- silent
ALTER TABLE users ADD COLUMN marker integer;
-- scene mysql 8.4.0
-- speaks DF006 breaks
ALTER TABLE orders ADD COLUMN aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa int;
-- silent
ALTER TABLE orders ADD COLUMN marker int;
-- scene mariadb 10.11.6
-- speaks DF006 breaks
ALTER TABLE orders ADD COLUMN aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa int;
-- silent
ALTER TABLE orders ADD COLUMN marker int;
