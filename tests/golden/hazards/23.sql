-- scene postgresql 16.4
-- speaks DF106 blocks
ALTER TABLE users ALTER COLUMN age TYPE bigint;
-- speaks DF106 blocks
ALTER TABLE users ALTER COLUMN name TYPE varchar(20);
-- speaks DF106 blocks
ALTER TABLE orders ALTER COLUMN total TYPE numeric(12,4);
-- silent
ALTER TABLE users ALTER COLUMN name TYPE varchar(100);
ALTER TABLE users ALTER COLUMN name TYPE text;
ALTER TABLE orders ALTER COLUMN total TYPE numeric(14,2);
-- scene mysql 8.4.0
-- speaks DF661 blocks
ALTER TABLE users MODIFY age bigint;
-- speaks DF661 blocks
ALTER TABLE users MODIFY name varchar(64);
-- silent
ALTER TABLE users MODIFY name varchar(63);
-- scene mariadb 10.11.6
-- speaks DF661 blocks
ALTER TABLE users MODIFY age bigint;
-- silent
ALTER TABLE users MODIFY name varchar(63);
-- scene mariadb 11.8.2
-- speaks DF662 blocks
ALTER TABLE users MODIFY age bigint;
-- silent
ALTER TABLE users MODIFY name varchar(63);
-- scene sqlite 3.40.1
-- speaks DF651 breaks
ALTER TABLE users ALTER COLUMN age TYPE TEXT;
-- silent
ALTER TABLE users ADD COLUMN age_text TEXT;
