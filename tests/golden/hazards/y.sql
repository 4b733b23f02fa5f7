-- scene postgresql 16.4
-- speaks DF301 blocks
CREATE INDEX orders_status_idx ON orders (status);
-- silent
CREATE TABLE carts (id bigint PRIMARY KEY, user_id bigint);
-- next migration
CREATE INDEX carts_user_idx ON carts (user_id);
ALTER TABLE carts ALTER COLUMN user_id TYPE integer;
ALTER TABLE carts ALTER COLUMN user_id SET NOT NULL;
ALTER TABLE carts ADD CONSTRAINT c CHECK (user_id > 0);
UPDATE carts SET user_id = 1;
DROP TABLE carts;
-- scene mysql 8.4.0
-- speaks DF661 blocks
ALTER TABLE users MODIFY age bigint;
-- silent
CREATE TABLE carts (id bigint PRIMARY KEY, age int);
-- next migration
ALTER TABLE carts MODIFY age bigint;
-- scene mariadb 10.11.6
-- speaks DF661 blocks
ALTER TABLE users MODIFY age bigint;
-- silent
CREATE TABLE carts (id bigint PRIMARY KEY, age int);
-- next migration
ALTER TABLE carts MODIFY age bigint;
-- scene sqlite 3.40.1
-- speaks DF656 blocks
CREATE INDEX orders_status_idx ON orders (status);
-- silent
CREATE TABLE carts (id INTEGER PRIMARY KEY, user_id INTEGER);
-- next migration
CREATE INDEX carts_user_idx ON carts (user_id);
