-- scene postgresql 16.4
-- speaks DF104 blocks DF002 breaks
ALTER TABLE orders ALTER COLUMN user_id SET NOT NULL;
-- silent
ALTER TABLE orders ADD CONSTRAINT orders_user_nn CHECK (user_id IS NOT NULL) NOT VALID;
-- next migration
ALTER TABLE orders ADD COLUMN marker integer;
-- scene postgresql 12.22
-- given
ALTER TABLE orders ADD CONSTRAINT orders_user_nn CHECK (user_id IS NOT NULL);
-- speaks DF104 blocks
ALTER TABLE orders ALTER COLUMN note SET NOT NULL;
-- silent
ALTER TABLE orders ALTER COLUMN user_id SET NOT NULL;
ALTER TABLE orders DROP CONSTRAINT orders_user_nn;
-- scene postgresql 18.0
-- speaks DF104 blocks
ALTER TABLE orders ALTER COLUMN user_id SET NOT NULL;
-- silent
ALTER TABLE orders ADD CONSTRAINT orders_user_nn NOT NULL user_id NOT VALID;
-- next migration
ALTER TABLE orders VALIDATE CONSTRAINT orders_user_nn;
-- scene mysql 8.4.0
-- speaks DF662 blocks DF002 breaks
ALTER TABLE orders MODIFY note text NOT NULL;
-- silent
CREATE TABLE carts (id bigint NOT NULL PRIMARY KEY, age int);
-- next migration
ALTER TABLE carts MODIFY age int NOT NULL;
-- scene mariadb 10.11.6
-- speaks DF662 blocks
ALTER TABLE orders MODIFY user_id bigint NOT NULL;
-- silent
CREATE TABLE carts (id bigint NOT NULL PRIMARY KEY, age int);
-- next migration
ALTER TABLE carts MODIFY age int NOT NULL;
-- scene sqlite 3.40.1
-- speaks DF651 breaks
ALTER TABLE orders ALTER COLUMN user_id SET NOT NULL;
-- silent
CREATE TABLE carts (id INTEGER PRIMARY KEY, age INTEGER NOT NULL CHECK (age > 0), email TEXT UNIQUE, user_id INTEGER REFERENCES users (id));
CREATE INDEX carts_user_idx ON carts (user_id);
