-- scene postgresql 16.4
-- speaks DF301 blocks/error
CREATE INDEX orders_status_idx ON orders (status);
-- silent
CREATE INDEX CONCURRENTLY orders_status_idx ON orders (status);
-- scene postgresql 16.4 rows=900
-- speaks DF301 blocks/info
CREATE INDEX orders_status_idx ON orders (status);
-- scene postgresql 16.4 writes=0 reads=0
-- speaks DF301 blocks/warning
CREATE INDEX orders_status_idx ON orders (status);
-- scene postgresql 16.4 rows=900
-- speaks DF104 blocks/info
ALTER TABLE orders ALTER COLUMN user_id SET NOT NULL;
-- speaks DF106 blocks/info
ALTER TABLE users ALTER COLUMN age TYPE bigint;
-- scene mysql 8.4.0
-- speaks DF661 blocks/error
ALTER TABLE users MODIFY age bigint;
-- silent
ALTER TABLE users ADD COLUMN x int;
-- scene mysql 8.4.0 rows=900
-- speaks DF661 blocks/info
ALTER TABLE users MODIFY age bigint;
-- scene mariadb 10.11.6 rows=900
-- speaks DF661 blocks/info
ALTER TABLE users MODIFY age bigint;
-- silent
ALTER TABLE users ADD COLUMN x int;
-- scene sqlite 3.40.1
-- speaks DF656 blocks/warning
CREATE INDEX orders_status_idx ON orders (status);
-- silent
ALTER TABLE users ADD COLUMN x int;
-- scene sqlite 3.40.1 rows=900
-- speaks DF656 blocks/info
CREATE INDEX orders_status_idx ON orders (status);
