-- scene postgresql 16.4
-- speaks DF101 blocks
ALTER TABLE orders ADD COLUMN doubled numeric GENERATED ALWAYS AS (total * 2) STORED;
-- silent
ALTER TABLE orders ADD COLUMN doubled numeric;
-- scene mysql 8.4.0
-- speaks DF661 blocks
ALTER TABLE orders ADD COLUMN doubled decimal(11,2) AS (total * 2) STORED;
-- silent
ALTER TABLE orders ADD COLUMN doubled decimal(11,2) AS (total * 2) VIRTUAL;
-- scene mariadb 10.11.6
-- speaks DF661 blocks
ALTER TABLE orders ADD COLUMN doubled decimal(11,2) AS (total * 2) STORED;
-- silent
ALTER TABLE orders ADD COLUMN doubled decimal(11,2) AS (total * 2) VIRTUAL;
-- scene sqlite 3.40.1
-- speaks DF655 breaks
ALTER TABLE orders ADD COLUMN doubled NUMERIC GENERATED ALWAYS AS (total * 2) STORED;
-- silent
ALTER TABLE orders ADD COLUMN doubled NUMERIC GENERATED ALWAYS AS (total * 2) VIRTUAL;
