-- scene mysql 8.4.0 row_versions=60
-- speaks DF672 blocks
ALTER TABLE users ADD COLUMN x int;
-- scene mysql 8.0.29
-- speaks DF672 loses
ALTER TABLE users ADD COLUMN x int;
-- silent
ALTER TABLE users ADD COLUMN x int, ALGORITHM=INPLACE, LOCK=NONE;
-- scene mysql 8.4.0
-- given
ALTER TABLE orders ADD FULLTEXT INDEX ft (note);
-- speaks DF661 blocks
ALTER TABLE orders ADD COLUMN x int;
-- silent
ALTER TABLE users ADD COLUMN x int;
-- scene mysql 8.4.0
-- given
CREATE TABLE packed (id bigint NOT NULL PRIMARY KEY) ENGINE=InnoDB ROW_FORMAT=COMPRESSED;
-- speaks DF662 blocks
ALTER TABLE packed ADD COLUMN x int;
-- silent
ALTER TABLE users ADD COLUMN x int;
-- scene mysql 8.4.0
-- speaks DF661 blocks
ALTER TABLE users MODIFY name varchar(64);
-- silent
ALTER TABLE users MODIFY name varchar(63);
-- scene mariadb 10.11.6
-- given
ALTER TABLE orders ADD COLUMN doubled decimal(11,2) AS (total * 2) VIRTUAL;
ALTER TABLE orders ADD INDEX orders_doubled_idx (doubled);
-- speaks DF661 blocks
ALTER TABLE orders ADD COLUMN x int FIRST;
-- silent
ALTER TABLE users ADD COLUMN x int FIRST;
