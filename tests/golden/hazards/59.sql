-- scene postgresql 16.4
-- speaks DF308 note
CREATE INDEX CONCURRENTLY orders_wide ON orders (user_id, status, total, note);
-- speaks DF307 note
CREATE INDEX CONCURRENTLY orders_user_again ON orders (user_id);
-- silent
CREATE INDEX CONCURRENTLY orders_some ON orders (status, total, note);
-- scene mysql 8.4.0
-- speaks DF308 note
CREATE INDEX orders_wide ON orders (user_id, status, total, id);
-- speaks DF307 note
CREATE INDEX orders_user_again ON orders (user_id);
-- silent
CREATE INDEX orders_some ON orders (status, total);
-- scene mariadb 10.11.6
-- speaks DF308 note
CREATE INDEX orders_wide ON orders (user_id, status, total, id);
-- speaks DF307 note
CREATE INDEX orders_user_again ON orders (user_id);
-- silent
CREATE INDEX orders_some ON orders (status, total);
-- scene sqlite 3.40.1
-- speaks DF308 note
CREATE INDEX orders_wide ON orders (user_id, status, total, note);
-- speaks DF307 note
CREATE INDEX orders_user_again ON orders (user_id);
-- silent
CREATE INDEX orders_some ON orders (status, total);
