-- scene sqlite 3.40.1 setting.foreign_keys=1
-- speaks DF652 loses
DROP TABLE users;
-- silent
DROP TABLE orders;
-- scene sqlite 3.40.1
-- speaks DF653 loses
PRAGMA foreign_keys=OFF;
-- silent
PRAGMA user_version=3;
-- scene sqlite 3.40.1
-- given
CREATE VIEW v AS SELECT age FROM users;
-- speaks DF654 breaks
ALTER TABLE users DROP COLUMN age;
-- silent
ALTER TABLE orders DROP COLUMN note;
-- scene sqlite 3.31.1
-- speaks DF651 breaks
ALTER TABLE users DROP COLUMN age;
-- scene sqlite 3.40.1
-- speaks DF658 breaks
ALTER TABLE users RENAME TO users_old;
CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL);
-- scene sqlite 3.40.1
-- speaks DF007 loses
PRAGMA writable_schema=ON;
-- silent
PRAGMA writable_schema=OFF;
-- scene sqlite 3.40.1
-- speaks DF007 loses
UPDATE sqlite_schema SET sql = 'x' WHERE name = 'x';
-- silent
UPDATE sqlite_sequence SET seq = 5 WHERE name = 'users';
