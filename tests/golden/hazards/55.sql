-- scene mysql 8.4.0
-- speaks DF661 blocks
ALTER TABLE users CONVERT TO CHARACTER SET latin1;
-- speaks DF661 blocks
ALTER TABLE users MODIFY name varchar(50) CHARACTER SET latin1;
-- speaks DF662 blocks
ALTER TABLE users MODIFY age int FIRST;
-- silent
ALTER TABLE users DEFAULT CHARACTER SET latin1;
-- scene mariadb 10.11.6
-- speaks DF661 blocks
ALTER TABLE users CONVERT TO CHARACTER SET latin1;
-- silent
ALTER TABLE users DEFAULT CHARACTER SET latin1;
