-- scene postgresql 16.4
-- speaks DF101 blocks
ALTER TABLE orders ADD COLUMN number bigserial;
-- speaks DF101 blocks
ALTER TABLE orders ADD COLUMN number bigint GENERATED ALWAYS AS IDENTITY;
-- silent
ALTER TABLE orders ADD COLUMN number bigint;
-- scene mysql 8.4.0
-- speaks DF661 blocks
ALTER TABLE orders ADD COLUMN number bigint NOT NULL AUTO_INCREMENT UNIQUE;
-- silent
ALTER TABLE orders ADD COLUMN number bigint;
-- scene mariadb 11.8.2
-- speaks DF661 blocks
ALTER TABLE orders ADD COLUMN number bigint NOT NULL AUTO_INCREMENT UNIQUE;
-- silent
ALTER TABLE orders ADD COLUMN number bigint;
