-- scene postgresql 16.4 source=dbmate
-- speaks DF702 breaks
BEGIN;
ALTER TABLE orders ADD COLUMN marker integer;
COMMIT;
-- silent
ALTER TABLE orders ADD COLUMN marker integer;
-- scene postgresql 16.4 transaction=file_decides
-- speaks DF703 breaks
BEGIN;
ALTER TABLE orders ADD COLUMN marker integer;
-- silent
BEGIN;
ALTER TABLE orders ADD COLUMN marker integer;
COMMIT;
