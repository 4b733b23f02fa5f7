-- scene postgresql 16.4
-- given
CREATE INDEX orders_su ON orders (status, user_id);
-- speaks DF112 loses
ALTER TABLE orders DROP COLUMN status;
-- silent
DROP INDEX CONCURRENTLY orders_su;
-- next migration
ALTER TABLE orders DROP COLUMN status;
-- scene mysql 8.4.0
-- given
CREATE INDEX orders_su ON orders (status, user_id);
-- speaks DF112 loses
ALTER TABLE orders DROP COLUMN status;
-- silent
ALTER TABLE orders DROP COLUMN total;
-- scene mariadb 10.11.6
-- given
CREATE INDEX orders_su ON orders (status, user_id);
-- speaks DF112 loses
ALTER TABLE orders DROP COLUMN status;
-- silent
ALTER TABLE orders DROP COLUMN total;
-- scene mysql 8.4.0
-- given
CREATE UNIQUE INDEX orders_su ON orders (status, user_id);
-- speaks DF112 breaks
ALTER TABLE orders DROP COLUMN status;
-- silent
ALTER TABLE orders DROP INDEX orders_su;
ALTER TABLE orders DROP COLUMN status;
-- scene mariadb 10.11.6
-- given
CREATE UNIQUE INDEX orders_su ON orders (status, user_id);
-- speaks DF001 breaks
ALTER TABLE orders DROP COLUMN status;
-- silent
ALTER TABLE orders DROP COLUMN status, DROP INDEX orders_su;
