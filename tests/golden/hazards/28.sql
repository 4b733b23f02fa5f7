-- scene postgresql 16.4
-- given
CREATE TABLE items (id bigint PRIMARY KEY, order_id bigint REFERENCES orders (id));
-- speaks DF403 loses
TRUNCATE orders CASCADE;
-- speaks DF403 loses
TRUNCATE items;
-- silent
CREATE TABLE scratch (id bigint PRIMARY KEY);
TRUNCATE scratch;
-- scene mysql 8.4.0
-- speaks DF403 loses
TRUNCATE TABLE orders;
-- silent
CREATE TABLE carts (id bigint NOT NULL PRIMARY KEY, age int);
TRUNCATE TABLE carts;
-- scene mariadb 10.11.6
-- speaks DF403 loses
TRUNCATE TABLE orders;
-- silent
CREATE TABLE carts (id bigint NOT NULL PRIMARY KEY, age int);
TRUNCATE TABLE carts;
