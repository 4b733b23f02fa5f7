-- the users
-- migrate:up
CREATE TABLE users (id integer PRIMARY KEY, name text DEFAULT 'a;b');
CREATE INDEX users_name ON users (name);

-- migrate:down
DROP TABLE users;
