-- scene postgresql 16.4 applied_by=tool source=dbmate
-- speaks DF710 blocks
ALTER TABLE orders ADD COLUMN marker integer;
-- silent
SET LOCAL lock_timeout = '2s';
ALTER TABLE orders ADD COLUMN marker integer;
-- silent
CREATE TABLE carts (id bigint PRIMARY KEY);
CREATE INDEX carts_idx ON carts (id);
-- scene postgresql 16.4
-- speaks DF301 blocks
CREATE INDEX orders_status_idx ON orders (status);
-- silent
ALTER TABLE orders ADD COLUMN marker integer;
-- scene postgresql 16.4 applied_by=tool setting.lock_timeout=2s
-- speaks DF301 blocks
CREATE INDEX orders_status_idx ON orders (status);
-- silent
ALTER TABLE orders ADD COLUMN marker integer;
-- scene mysql 8.4.0 applied_by=tool setting.lock_wait_timeout=31536000
-- speaks DF710 blocks
ALTER TABLE orders ADD COLUMN marker int;
-- silent
SET SESSION lock_wait_timeout = 5;
ALTER TABLE orders ADD COLUMN marker int;
-- scene mariadb 10.11.6 applied_by=tool
-- speaks DF710 blocks
ALTER TABLE orders ADD COLUMN marker int;
-- silent
SET SESSION lock_wait_timeout = 5;
ALTER TABLE orders ADD COLUMN marker int;
-- scene sqlite 3.40.1 applied_by=tool transaction=none
-- speaks DF710 breaks
ALTER TABLE orders ADD COLUMN marker INTEGER;
-- silent
PRAGMA busy_timeout = 2000;
ALTER TABLE orders ADD COLUMN marker INTEGER;
