-- scene postgresql 16.4
-- speaks DF303 blocks
REINDEX INDEX orders_user_idx;
-- silent
REINDEX INDEX CONCURRENTLY orders_user_idx;
-- scene sqlite 3.40.1
-- speaks DF656 blocks
REINDEX orders_user_idx;
-- silent
CREATE TABLE carts (id INTEGER PRIMARY KEY, age INTEGER);
CREATE INDEX carts_age_idx ON carts (age);
REINDEX carts_age_idx;
