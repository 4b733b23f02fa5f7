-- scene postgresql 16.4
-- given
CREATE TYPE mood AS ENUM ('sad', 'ok');
-- speaks DF502 breaks
ALTER TYPE mood RENAME VALUE 'sad' TO 'blue';
-- speaks DF503 breaks
ALTER TYPE mood ADD VALUE 'happy' AFTER 'ok';
-- silent
CREATE TYPE colour AS ENUM ('red', 'blue');
-- scene mysql 8.4.0
-- speaks DF661 blocks DF002 breaks
ALTER TABLE users MODIFY status enum('old','fresh') NOT NULL DEFAULT 'old';
-- speaks DF661 blocks
ALTER TABLE users MODIFY status enum('new','mid','old') NOT NULL DEFAULT 'new';
-- silent
ALTER TABLE users MODIFY status enum('new','old','mid') NOT NULL DEFAULT 'new';
-- scene mariadb 10.11.6
-- speaks DF661 blocks DF002 breaks
ALTER TABLE users MODIFY status enum('old','fresh') NOT NULL DEFAULT 'old';
-- silent
ALTER TABLE users MODIFY status enum('new','old','mid') NOT NULL DEFAULT 'new';
