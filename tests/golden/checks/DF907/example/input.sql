-- postgresql
-- given
CREATE TABLE users (id bigint PRIMARY KEY, email text NOT NULL);
CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint NOT NULL REFERENCES users (id), status varchar(20), total_cents integer, created_at timestamp);
CREATE INDEX orders_user_id_idx ON orders (user_id);
-- migration
-- driftflow: smal
ALTER TABLE orders ADD COLUMN note text;
