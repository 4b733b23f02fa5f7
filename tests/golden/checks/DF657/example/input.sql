-- sqlite version=3.40.1
-- given
CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL);
CREATE TABLE orders (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE, status TEXT, note TEXT);
CREATE INDEX orders_user_id_idx ON orders (user_id);
-- migration
ALTER TABLE orders DROP COLUMN note;
