-- scene postgresql 16.4
-- speaks DF105 blocks
ALTER TABLE orders ADD COLUMN qty integer CHECK (qty > 0);
-- silent
ALTER TABLE orders ADD COLUMN qty integer;
ALTER TABLE orders ADD CONSTRAINT orders_qty_ck CHECK (qty > 0) NOT VALID;
-- scene mysql 8.4.0
-- speaks DF661 blocks
ALTER TABLE orders ADD COLUMN qty int CHECK (qty > 0);
-- silent
ALTER TABLE orders ADD COLUMN qty int;
