-- Plan: 1 migration, 1 step for postgresql 16.0 (shop)
-- digest b38e4b4dc986838e5937eba9fcd58fd7c2555ecbb416277284721fd7c90fbaab
-- What this script does not do: keep a journal, try again after a lock timeout, go on after a crash.

-- ===== expand: before the new application is deployed; the old one does not notice =====

-- step 1 (da28442c80.1): Add products.inventory_count with the default 0: one catalog entry, no row is written
BEGIN;
SET LOCAL lock_timeout = '250ms';
SET LOCAL statement_timeout = '10000ms';
ALTER TABLE products ADD COLUMN inventory_count INTEGER DEFAULT 0;
COMMIT;
-- undo: ALTER TABLE public.products DROP COLUMN inventory_count
