-- scene postgresql 16.4
-- given
CREATE TABLE items (id bigint PRIMARY KEY, order_id bigint REFERENCES orders (id) DEFERRABLE INITIALLY DEFERRED);
-- speaks DF705 breaks
UPDATE items SET order_id = 1 WHERE id = 1;
ALTER TABLE items ADD COLUMN x int;
-- silent
UPDATE items SET order_id = 1 WHERE id = 1;
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE items ADD COLUMN x int;
-- silent
UPDATE items SET order_id = 1 WHERE id = 1;
-- next migration
ALTER TABLE items ADD COLUMN x int;
