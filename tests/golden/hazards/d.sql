-- scene postgresql 16.4
-- speaks DF404 blocks DF405 loses
ALTER TABLE orders SET UNLOGGED;
-- speaks DF404 blocks
ALTER TABLE orders SET TABLESPACE fast;
-- speaks DF404 blocks
ALTER TABLE orders SET ACCESS METHOD heap2;
-- silent
ALTER TABLE orders SET (fillfactor = 80);
-- scene postgresql 16.4
-- given
CREATE UNLOGGED TABLE cache (id bigint PRIMARY KEY);
-- speaks DF404 blocks
ALTER TABLE cache SET LOGGED;
