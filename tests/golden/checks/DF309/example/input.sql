-- postgresql transaction=none
-- given
CREATE TABLE users (id bigint PRIMARY KEY, email text NOT NULL, age integer);
CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint, status varchar(20), total numeric(10,2));
CREATE UNIQUE INDEX users_email_key ON users (email);
-- migration
DROP INDEX CONCURRENTLY users_email_key;
