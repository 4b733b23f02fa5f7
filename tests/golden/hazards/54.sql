-- scene mysql 8.4.0
-- speaks DF666 breaks
ALTER TABLE orders ADD COLUMN seller_id bigint REFERENCES users (id);
-- silent
ALTER TABLE orders ADD COLUMN seller_id bigint;
-- scene mysql 9.1.0
-- speaks DF661 blocks
ALTER TABLE orders ADD COLUMN seller_id bigint REFERENCES users (id);
-- silent
ALTER TABLE orders ADD COLUMN seller_id bigint;
