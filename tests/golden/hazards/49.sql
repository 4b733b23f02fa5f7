-- scene postgresql 16.4
-- speaks DF115 breaks
ALTER TABLE orders ALTER COLUMN status SET DEFAULT 'open';
-- silent
ALTER TABLE orders ALTER COLUMN status SET DEFAULT 'new';
-- scene mysql 8.4.0
-- speaks DF115 breaks
ALTER TABLE orders ALTER COLUMN status SET DEFAULT 'open';
-- silent
ALTER TABLE orders ALTER COLUMN status SET DEFAULT 'new';
-- scene mariadb 10.11.6
-- speaks DF115 breaks
ALTER TABLE orders ALTER COLUMN status SET DEFAULT 'open';
-- silent
ALTER TABLE orders ALTER COLUMN status SET DEFAULT 'new';
