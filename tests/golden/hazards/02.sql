-- scene postgresql 16.4
-- speaks DF302 blocks
DROP INDEX orders_user_idx;
-- silent
DROP INDEX CONCURRENTLY orders_user_idx;
-- scene postgresql 16.4
-- given
CREATE UNIQUE INDEX users_email_key ON users (email);
ALTER TABLE orders ADD CONSTRAINT orders_user_fk FOREIGN KEY (user_id) REFERENCES users (id);
-- speaks DF309 loses
DROP INDEX CONCURRENTLY users_email_key;
-- speaks DF309 blocks
DROP INDEX CONCURRENTLY orders_user_idx;
-- silent
CREATE INDEX CONCURRENTLY orders_user_status_idx ON orders (user_id, status);
-- next migration
DROP INDEX CONCURRENTLY orders_user_idx;
-- scene mysql 8.4.0
-- given
CREATE UNIQUE INDEX users_email_key ON users (email);
-- speaks DF309 loses
DROP INDEX users_email_key ON users;
-- silent
ALTER TABLE users ALTER INDEX users_email_key INVISIBLE;
-- scene mariadb 10.11.6
-- given
CREATE UNIQUE INDEX users_email_key ON users (email);
-- speaks DF309 loses
ALTER TABLE users DROP INDEX users_email_key;
-- silent
ALTER TABLE users ALTER INDEX users_email_key IGNORED;
-- scene sqlite 3.40.1
-- speaks DF309 blocks
DROP INDEX orders_user_idx;
-- silent
CREATE INDEX orders_user_status_idx ON orders (user_id, status);
DROP INDEX orders_user_idx;
