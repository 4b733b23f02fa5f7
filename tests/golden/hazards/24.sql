-- scene postgresql 16.4
-- given
ALTER TABLE orders ADD CONSTRAINT orders_total_ck CHECK (total >= 0);
-- speaks DF108 blocks
ALTER TABLE orders ALTER COLUMN total TYPE numeric(14,2);
-- silent
ALTER TABLE users ALTER COLUMN name TYPE varchar(100);
