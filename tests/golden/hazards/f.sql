-- scene postgresql 16.4
-- given
CREATE TABLE items (id bigint PRIMARY KEY, order_id bigint REFERENCES orders (id));
-- speaks DF406 blocks
CREATE TABLE carts (id bigint PRIMARY KEY, user_id bigint REFERENCES users (id));
-- speaks DF406 blocks
DROP TABLE items;
-- silent
CREATE TABLE carts (id bigint PRIMARY KEY, user_id bigint);
