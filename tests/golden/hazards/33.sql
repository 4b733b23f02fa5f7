-- scene postgresql 16.4 applied_by=tool
-- speaks DF711 blocks
ALTER TABLE orders ADD COLUMN marker integer;
-- silent
SET LOCAL statement_timeout = '10s';
ALTER TABLE orders ADD COLUMN marker integer;
-- scene mariadb 10.11.6 applied_by=tool
-- speaks DF711 blocks
ALTER TABLE orders ADD COLUMN marker int;
-- silent
SET SESSION max_statement_time = 10;
ALTER TABLE orders ADD COLUMN marker int;
