CREATE TABLE users (id bigint PRIMARY KEY, email text NOT NULL, name varchar(50), age integer, created timestamp);
CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint, status varchar(20) DEFAULT 'new', total numeric(10,2), note text, placed timestamptz);
CREATE INDEX orders_user_idx ON orders (user_id);
