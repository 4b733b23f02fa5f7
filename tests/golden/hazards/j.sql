-- scene mysql 8.4.0
-- speaks DF663 blocks
ALTER TABLE users ADD COLUMN x int, ADD INDEX users_name_idx (name);
-- silent
ALTER TABLE users ADD COLUMN x int;
ALTER TABLE users ADD INDEX users_name_idx (name);
-- scene mariadb 10.11.6
-- speaks DF663 blocks
ALTER TABLE users ADD COLUMN x int, ADD INDEX users_name_idx (name);
-- silent
ALTER TABLE users ADD COLUMN x int;
ALTER TABLE users ADD INDEX users_name_idx (name);
