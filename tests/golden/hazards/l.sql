-- scene mysql 8.4.0
-- speaks DF664 breaks
ALTER TABLE users MODIFY email varchar(60);
-- silent
ALTER TABLE users MODIFY email varchar(60) NOT NULL DEFAULT 'x' COMMENT 'login';
-- scene mariadb 10.11.6
-- speaks DF664 breaks
ALTER TABLE users CHANGE email email varchar(60);
-- silent
ALTER TABLE users MODIFY email varchar(60) NOT NULL DEFAULT 'x' COMMENT 'login';
