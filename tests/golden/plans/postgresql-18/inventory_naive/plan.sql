-- Plan: 1 migration, 1 step for postgresql 18.0 (shop)
-- digest 0d8d89e11741ac8d75ab227d5b7ede3105e5c4328bb9f754d6ee3023a4088e5b
-- What this script does not do: keep a journal, try again after a lock timeout, go on after a crash.

-- ===== expand: before the new application is deployed; the old one does not notice =====

-- step 1 (da28442c80.1): Add products.inventory_count with the default 0: one catalog entry, no row is written
BEGIN;
SET LOCAL lock_timeout = '250ms';
SET LOCAL statement_timeout = '10000ms';
ALTER TABLE products ADD COLUMN inventory_count INTEGER DEFAULT 0;
COMMIT;
-- undo: ALTER TABLE public.products DROP COLUMN inventory_count
