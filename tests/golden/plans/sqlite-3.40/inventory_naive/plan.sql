-- Plan: 1 migration, 1 step for sqlite 3.40.1 (shop)
-- digest cf92b544cd01ad24b1e9af596e622e1bf4cdeeee7c907285fef25397c8c8e5fc
-- What this script does not do: keep a journal, try again after a lock timeout, go on after a crash.

-- ===== expand: before the new application is deployed; the old one does not notice =====

-- step 1 (f61e1b385f.1): Add products.inventory_count with the default 0: one catalog entry, no row is written
BEGIN;
-- busy timeout 250 ms
ALTER TABLE products ADD COLUMN inventory_count INTEGER DEFAULT 0;
COMMIT;
-- undo: ALTER TABLE products DROP COLUMN inventory_count
