-- scene mysql 8.4.0
-- speaks DF661 blocks
ALTER TABLE users MODIFY age bigint;
-- speaks DF661 blocks
ALTER TABLE users ADD COLUMN x int, ALGORITHM=COPY;
-- speaks DF005 breaks
ALTER TABLE users MODIFY age bigint, ALGORITHM=INPLACE, LOCK=NONE;
-- silent
ALTER TABLE users ADD COLUMN x int, ALGORITHM=INSTANT;
-- scene mariadb 10.11.6
-- speaks DF661 blocks
ALTER TABLE users MODIFY age bigint;
-- speaks DF005 breaks
ALTER TABLE users MODIFY age bigint, ALGORITHM=NOCOPY;
-- silent
ALTER TABLE users ADD COLUMN x int, ALGORITHM=INSTANT;
