-- scene postgresql 16.4
-- speaks DF201 blocks DF002 breaks
ALTER TABLE orders ADD CONSTRAINT orders_total_ck CHECK (total >= 0);
-- silent
ALTER TABLE orders ADD CONSTRAINT orders_total_ck CHECK (total >= 0) NOT VALID;
-- scene mysql 8.4.0
-- speaks DF661 blocks DF002 breaks
ALTER TABLE orders ADD CONSTRAINT orders_total_ck CHECK (total >= 0);
-- silent
ALTER TABLE orders ADD CONSTRAINT orders_total_ck CHECK (total >= 0) NOT ENFORCED;
-- scene mariadb 10.11.6
-- speaks DF661 blocks
ALTER TABLE orders ADD CONSTRAINT orders_total_ck CHECK (total >= 0);
-- silent
CREATE TABLE carts (id bigint NOT NULL PRIMARY KEY, age int);
ALTER TABLE carts ADD CONSTRAINT c CHECK (age > 0);
-- scene sqlite 3.40.1
-- speaks DF651 breaks
ALTER TABLE orders ADD CONSTRAINT orders_total_ck CHECK (total >= 0);
-- silent
CREATE TABLE carts (id INTEGER PRIMARY KEY, age INTEGER NOT NULL CHECK (age > 0), email TEXT UNIQUE, user_id INTEGER REFERENCES users (id));
CREATE INDEX carts_user_idx ON carts (user_id);
