-- scene postgresql 16.4 setting.timezone=UTC
-- given
CREATE INDEX users_created_idx ON users (created);
CREATE INDEX users_name_idx ON users (name);
-- speaks DF107 blocks
ALTER TABLE users ALTER COLUMN created TYPE timestamptz;
-- speaks DF107 blocks
ALTER TABLE users ALTER COLUMN name TYPE varchar(50) COLLATE "C";
-- silent
ALTER TABLE users ALTER COLUMN name TYPE varchar(100);
