-- postgresql
-- given
CREATE TABLE users (id bigint PRIMARY KEY, email text NOT NULL, age integer);
CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint, status varchar(20), total numeric(10,2));
CREATE FUNCTION fold(a text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT lower(a)';
CREATE INDEX users_fold_idx ON users (fold(email));
-- migration
CREATE OR REPLACE FUNCTION fold(a text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT lower(trim(a))';
