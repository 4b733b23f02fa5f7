-- scene postgresql 16.4
-- speaks DF117 breaks
ALTER TABLE orders ADD COLUMN data json;
-- silent
ALTER TABLE orders ADD COLUMN data jsonb;
