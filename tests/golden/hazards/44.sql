-- scene postgresql 16.4
-- speaks DF704 blocks
UPDATE orders SET status = 'x';
-- speaks DF704 blocks
DELETE FROM orders;
-- silent
UPDATE orders SET status = 'x' WHERE id = 7;
-- scene mysql 8.4.0
-- speaks DF704 blocks
UPDATE orders SET status = 'x';
-- silent
UPDATE orders SET status = 'x' WHERE id = 7;
-- scene mariadb 10.11.6
-- speaks DF704 blocks
DELETE FROM orders WHERE note IS NULL;
-- silent
DELETE FROM orders WHERE note IS NULL LIMIT 500;
-- scene sqlite 3.40.1
-- speaks DF704 blocks
UPDATE orders SET status = 'x';
-- silent
UPDATE orders SET status = 'x' WHERE id = 7;
