-- scene postgresql 16.4
-- speaks DF101 blocks
ALTER TABLE orders ADD COLUMN token uuid DEFAULT gen_random_uuid();
-- speaks DF101 blocks
ALTER TABLE orders ADD COLUMN a integer, ADD COLUMN seen timestamptz DEFAULT clock_timestamp();
-- silent
ALTER TABLE orders ADD COLUMN token uuid;
ALTER TABLE orders ALTER COLUMN token SET DEFAULT gen_random_uuid();
-- silent
ALTER TABLE orders ADD COLUMN seen timestamptz DEFAULT now();
-- scene mysql 9.1.0
-- speaks DF661 blocks
ALTER TABLE orders ADD COLUMN code varchar(20) DEFAULT (concat('a', 'b'));
-- silent
ALTER TABLE orders ADD COLUMN code varchar(20) DEFAULT 'ab';
-- scene mysql 9.1.0
-- speaks DF005 breaks
ALTER TABLE orders ADD COLUMN token char(36) DEFAULT (uuid());
-- silent
ALTER TABLE orders ADD COLUMN token char(36);
-- scene mariadb 10.11.6
-- speaks DF661 blocks
ALTER TABLE orders ADD COLUMN token char(36) DEFAULT (uuid());
-- silent
ALTER TABLE orders ADD COLUMN token char(36);
-- scene sqlite 3.40.1
-- speaks DF655 breaks
ALTER TABLE orders ADD COLUMN placed TEXT DEFAULT CURRENT_TIMESTAMP;
-- silent
ALTER TABLE orders ADD COLUMN placed TEXT DEFAULT '2026-01-01';
