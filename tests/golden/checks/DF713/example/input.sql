-- postgresql
-- given
CREATE TABLE users (id bigint PRIMARY KEY, email text NOT NULL, age integer);
CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint, status varchar(20), total numeric(10,2));
CREATE TABLE archive (id bigint PRIMARY KEY, status varchar(20));
-- migration
INSERT INTO archive (id, status) SELECT id, status FROM orders;
