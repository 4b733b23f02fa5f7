-- sqlite version=3.40.1
-- given
CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL);
CREATE TABLE orders (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE, status TEXT, note TEXT);
CREATE INDEX orders_user_id_idx ON orders (user_id);
-- migration
ALTER TABLE users RENAME TO users_old;
CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL, name TEXT);
INSERT INTO users (id, email) SELECT id, email FROM users_old;
DROP TABLE users_old;
