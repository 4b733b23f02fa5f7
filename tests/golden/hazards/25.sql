-- scene postgresql 16.4
-- given
CREATE SCHEMA old;
CREATE TABLE old.things (id bigint PRIMARY KEY);
-- speaks DF113 breaks
ALTER TABLE users RENAME COLUMN name TO full_name;
-- speaks DF402 breaks
ALTER TABLE users RENAME TO people;
-- speaks DF402 breaks
ALTER TABLE users SET SCHEMA old;
-- speaks DF402 breaks
ALTER SCHEMA old RENAME TO older;
-- silent
ALTER TABLE users RENAME TO people;
CREATE VIEW users AS SELECT * FROM people;
-- scene postgresql 16.4
-- given
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql AS 'SELECT a';
CREATE VIEW v AS SELECT id FROM users;
-- speaks DF402 breaks
ALTER TYPE mood RENAME TO temper;
-- speaks DF402 breaks
ALTER FUNCTION f(int) RENAME TO g;
-- speaks DF402 breaks
ALTER VIEW v RENAME TO w;
-- scene mysql 8.4.0
-- speaks DF113 breaks
ALTER TABLE users RENAME COLUMN name TO full_name;
-- speaks DF113 breaks
ALTER TABLE users CHANGE name full_name varchar(50);
-- speaks DF402 breaks
RENAME TABLE users TO people;
-- silent
ALTER TABLE users ADD COLUMN full_name varchar(50);
-- scene mariadb 10.11.6
-- speaks DF113 breaks
ALTER TABLE users CHANGE name full_name varchar(50);
-- speaks DF402 breaks
RENAME TABLE users TO people;
-- silent
ALTER TABLE users ADD COLUMN full_name varchar(50);
-- scene sqlite 3.40.1
-- speaks DF113 breaks
ALTER TABLE users RENAME COLUMN name TO full_name;
-- speaks DF402 breaks
ALTER TABLE users RENAME TO people;
-- silent
ALTER TABLE users ADD COLUMN full_name TEXT;
