-- postgresql
-- given
CREATE TABLE users (id integer PRIMARY KEY);
CREATE TABLE orders (id bigint PRIMARY KEY, user_id integer REFERENCES users (id));
CREATE INDEX orders_user_id_idx ON orders (user_id);
-- migration
ALTER TABLE users ALTER COLUMN id TYPE bigint;
