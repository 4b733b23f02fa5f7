-- scene postgresql 16.4 published=shop_pub
-- speaks DF411 breaks
ALTER TABLE orders DROP CONSTRAINT orders_pkey;
-- speaks DF411 note
ALTER TABLE orders REPLICA IDENTITY FULL;
-- speaks DF411 breaks
ALTER TABLE orders REPLICA IDENTITY NOTHING;
-- speaks DF412 breaks
ALTER TABLE orders RENAME COLUMN note TO remark;
-- silent
ALTER TABLE orders REPLICA IDENTITY DEFAULT;
-- scene postgresql 16.4
-- given
CREATE TABLE logs (line text);
-- speaks DF411 breaks
CREATE PUBLICATION everything FOR ALL TABLES;
-- silent
CREATE PUBLICATION shop_pub FOR TABLE orders;
