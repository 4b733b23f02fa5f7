-- scene sqlite 3.40.1
-- speaks DF651 breaks
ALTER TABLE users ALTER COLUMN age TYPE TEXT;
-- speaks DF651 breaks
ALTER TABLE users ADD CONSTRAINT u UNIQUE (email);
-- silent
ALTER TABLE users ADD COLUMN x TEXT;
-- scene sqlite 3.40.1
-- speaks DF657 blocks
ALTER TABLE users DROP COLUMN age;
-- silent
ALTER TABLE users RENAME COLUMN age TO years;
