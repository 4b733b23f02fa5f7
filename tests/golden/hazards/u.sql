-- scene postgresql 16.4 rows=20000000
-- speaks DF410 blocks/info
ALTER TABLE users ALTER COLUMN age TYPE bigint;
-- silent
ALTER TABLE users ALTER COLUMN name TYPE text;
-- scene postgresql 16.4 rows=2000000000
-- speaks DF410 blocks/warning
ALTER TABLE users ALTER COLUMN age TYPE bigint;
-- scene mysql 8.4.0 rows=20000000
-- speaks DF410 blocks/info
ALTER TABLE users MODIFY age bigint;
-- silent
ALTER TABLE users ADD COLUMN x int;
-- scene mariadb 10.11.6 rows=20000000
-- speaks DF410 blocks/info
ALTER TABLE users MODIFY age bigint;
-- silent
ALTER TABLE users ADD COLUMN x int;
-- scene sqlite 3.40.1 rows=20000000
-- speaks DF410 blocks/info
ALTER TABLE users DROP COLUMN age;
-- silent
ALTER TABLE users ADD COLUMN x int;
