-- scene postgresql 16.4
-- speaks DF301 blocks
CREATE INDEX orders_status_idx ON orders (status);
-- silent
CREATE INDEX CONCURRENTLY orders_status_idx ON orders (status);
-- silent
CREATE TABLE carts (id bigint PRIMARY KEY, user_id bigint);
CREATE INDEX carts_user_idx ON carts (user_id);
-- silent
CREATE TABLE carts (id bigint PRIMARY KEY, user_id bigint);
-- next migration
CREATE INDEX carts_user_idx ON carts (user_id);
-- scene mysql 8.4.0
-- speaks DF661 blocks
ALTER TABLE orders ADD FULLTEXT INDEX orders_note_ft (note);
-- silent
ALTER TABLE orders ADD INDEX orders_status_idx (status);
-- scene mariadb 10.11.6
-- speaks DF661 blocks
ALTER TABLE orders ADD FULLTEXT INDEX orders_note_ft (note);
-- silent
ALTER TABLE orders ADD INDEX orders_status_idx (status);
-- scene sqlite 3.40.1
-- speaks DF656 blocks
CREATE INDEX orders_status_idx ON orders (status);
-- silent
CREATE TABLE carts (id INTEGER PRIMARY KEY, user_id INTEGER);
CREATE INDEX carts_user_idx ON carts (user_id);
