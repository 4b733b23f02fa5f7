-- scene postgresql 16.4
-- speaks DF208 blocks
ALTER TABLE users ADD CONSTRAINT users_email_key UNIQUE (email);
-- silent
CREATE UNIQUE INDEX CONCURRENTLY users_email_key ON users (email);
-- next migration
ALTER TABLE orders ADD COLUMN marker integer;
-- scene postgresql 16.4
-- given
CREATE UNIQUE INDEX users_email_key ON users (email);
-- speaks DF103 blocks
ALTER TABLE users ADD COLUMN handle text UNIQUE;
-- silent
ALTER TABLE users ADD CONSTRAINT users_email_key UNIQUE USING INDEX users_email_key;
-- scene sqlite 3.40.1
-- speaks DF651 breaks
ALTER TABLE users ADD CONSTRAINT users_email_key UNIQUE (email);
-- silent
CREATE TABLE carts (id INTEGER PRIMARY KEY, age INTEGER NOT NULL CHECK (age > 0), email TEXT UNIQUE, user_id INTEGER REFERENCES users (id));
CREATE INDEX carts_user_idx ON carts (user_id);
