-- postgresql
-- given
CREATE TABLE users (id bigint PRIMARY KEY, email text NOT NULL, age integer);
CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint, status varchar(20), total numeric(10,2));
-- migration
REVOKE INSERT ON orders FROM app;
