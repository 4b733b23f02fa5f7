CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL, name TEXT, age INTEGER);
CREATE TABLE orders (id INTEGER PRIMARY KEY, user_id INTEGER REFERENCES users (id) ON DELETE CASCADE, status TEXT DEFAULT 'new', total NUMERIC, note TEXT);
CREATE INDEX orders_user_idx ON orders (user_id);
