-- scene postgresql 16.4
-- speaks DF106 blocks
ALTER TABLE users ALTER COLUMN age TYPE bigint;
-- speaks DF101 blocks
ALTER TABLE orders ADD COLUMN token uuid DEFAULT gen_random_uuid();
-- speaks DF404 blocks
ALTER TABLE orders SET TABLESPACE fast;
-- silent
ALTER TABLE users ALTER COLUMN name TYPE text;
-- scene postgresql 17.2
-- given
ALTER TABLE orders ADD COLUMN doubled numeric GENERATED ALWAYS AS (total * 2) STORED;
-- speaks DF120 blocks
ALTER TABLE orders ALTER COLUMN doubled SET EXPRESSION AS (total * 3);
-- silent
ALTER TABLE orders ALTER COLUMN doubled DROP EXPRESSION;
