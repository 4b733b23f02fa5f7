-- scene postgresql 16.4
-- speaks DF704 blocks
DELETE FROM orders WHERE note IS NULL;
-- silent
DELETE FROM orders WHERE id = 7;
-- scene mysql 8.4.0
-- speaks DF704 blocks
DELETE FROM orders WHERE note IS NULL;
-- silent
DELETE FROM orders WHERE note IS NULL LIMIT 500;
