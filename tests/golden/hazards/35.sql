-- scene postgresql 16.4
-- speaks DF712 blocks
ALTER TABLE users ALTER COLUMN age TYPE bigint;
ALTER TABLE users ADD COLUMN token uuid DEFAULT gen_random_uuid();
-- silent
ALTER TABLE users ALTER COLUMN age TYPE bigint, ADD COLUMN token uuid DEFAULT gen_random_uuid();
-- scene mysql 8.4.0
-- speaks DF712 blocks
ALTER TABLE users MODIFY age bigint;
ALTER TABLE users MODIFY name varchar(80);
-- silent
ALTER TABLE users MODIFY age bigint, MODIFY name varchar(80);
-- scene mariadb 10.11.6
-- speaks DF712 blocks
ALTER TABLE users MODIFY age bigint;
ALTER TABLE users MODIFY name varchar(80);
-- silent
ALTER TABLE users MODIFY age bigint, MODIFY name varchar(80);
