-- scene postgresql 16.4
-- given
CREATE FUNCTION fold(a text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT lower(a)';
CREATE FUNCTION other(a text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT lower(a)';
CREATE INDEX users_fold_idx ON users (fold(email));
-- speaks DF413 breaks
CREATE OR REPLACE FUNCTION fold(a text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT upper(a)';
-- speaks DF414 blocks
ALTER EXTENSION pg_trgm UPDATE TO '1.6';
-- silent
CREATE OR REPLACE FUNCTION other(a text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT upper(a)';
-- scene postgresql 16.4
-- speaks DF007 loses
UPDATE pg_attribute SET atttypmod = 104 WHERE attname = 'status';
-- silent
ALTER TABLE orders ALTER COLUMN status TYPE varchar(100);
-- scene mysql 8.4.0
-- speaks DF007 loses
UPDATE mysql.user SET host = '%' WHERE user = 'app';
-- silent
UPDATE users SET age = 5 WHERE id = 1;
-- scene mariadb 10.11.6
-- speaks DF007 loses
DELETE FROM mysql.db WHERE user = 'app';
-- silent
DELETE FROM users WHERE id = 1;
