-- scene postgresql 16.4
-- speaks DF110 loses
ALTER TABLE users ALTER COLUMN created TYPE timestamptz;
-- silent
ALTER TABLE users ALTER COLUMN created TYPE timestamptz USING created AT TIME ZONE 'Europe/Berlin';
-- scene postgresql 16.4
-- speaks DF706 breaks
SET search_path = old;
-- silent
SET LOCAL search_path = old;
-- scene mysql 8.4.0
-- speaks DF673 loses
SET SESSION sql_mode='';
ALTER TABLE orders MODIFY user_id bigint NOT NULL;
-- silent
ALTER TABLE orders MODIFY user_id bigint NOT NULL;
-- scene mariadb 10.11.6
-- speaks DF673 loses
SET SESSION sql_mode='';
ALTER TABLE orders MODIFY user_id bigint NOT NULL;
-- silent
ALTER TABLE orders MODIFY user_id bigint NOT NULL;
-- scene postgresql 16.4
-- given
CREATE SCHEMA audit;
CREATE TABLE audit.orders (id bigint PRIMARY KEY);
-- speaks DF008 breaks
ALTER TABLE orders ADD COLUMN marker integer;
-- silent
ALTER TABLE public.orders ADD COLUMN marker integer;
-- silent
SET LOCAL search_path = audit;
ALTER TABLE orders ADD COLUMN marker integer;
-- scene postgresql 16.4
-- speaks DF110 loses
ALTER TABLE users ALTER COLUMN created TYPE timestamptz;
-- silent
SET LOCAL timezone = 'UTC';
ALTER TABLE users ALTER COLUMN created TYPE timestamptz;
