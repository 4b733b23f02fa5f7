-- scene postgresql 16.4
-- speaks DF704 blocks
UPDATE orders SET status = 'x';
-- speaks DF704 blocks
DELETE FROM orders;
-- silent
UPDATE orders SET status = 'x' WHERE id = 7;
-- scene mysql 8.4.0
-- speaks DF704 blocks
UPDATE orders SET status = 'x';
-- silent
UPDATE orders SET status = 'x' WHERE id = 7;
-- scene mariadb 10.11.6
-- speaks DF704 blocks
DELETE FROM orders WHERE note IS NULL;
-- silent
DELETE FROM orders WHERE note IS NULL LIMIT 500;
-- scene sqlite 3.40.1
-- speaks DF704 blocks
UPDATE orders SET status = 'x';
-- silent
UPDATE orders SET status = 'x' WHERE id = 7;
-- scene postgresql 16.4
-- given
CREATE TABLE archive (id bigint, status varchar(20));
-- speaks DF713 blocks
INSERT INTO archive (id, status) SELECT id, status FROM orders;
-- silent
INSERT INTO archive (id, status) SELECT id, status FROM orders WHERE id > 5 AND id <= 500;
-- scene mysql 8.4.0
-- given
CREATE TABLE archive (id bigint NOT NULL PRIMARY KEY, status varchar(20));
-- speaks DF713 blocks
INSERT INTO archive (id, status) SELECT id, status FROM orders;
-- silent
INSERT INTO archive (id, status) SELECT id, status FROM orders WHERE id > 5 AND id <= 500;
-- scene mariadb 10.11.6
-- given
CREATE TABLE archive (id bigint NOT NULL PRIMARY KEY, status varchar(20));
-- speaks DF713 blocks
INSERT INTO archive (id, status) SELECT id, status FROM orders;
-- silent
INSERT INTO archive (id, status) VALUES (1, 'x');
-- scene sqlite 3.40.1
-- given
CREATE TABLE archive (id INTEGER PRIMARY KEY, status TEXT);
-- speaks DF713 blocks
INSERT INTO archive (id, status) SELECT id, status FROM orders;
-- silent
INSERT INTO archive (id, status) VALUES (1, 'x');
