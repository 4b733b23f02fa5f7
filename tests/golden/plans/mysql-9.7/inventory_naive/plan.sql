-- Plan: 1 migration, 1 step for mysql 9.7 (shop)
-- digest 76d4814254ffe80f780570b3a0e83fa2bcf2124891a67e84b7cffc27a1586159
-- What this script does not do: keep a journal, try again after a lock timeout, go on after a crash.

-- ===== expand: before the new application is deployed; the old one does not notice =====

-- step 1 (b94351ab5e.1): Add products.inventory_count with the default 0: one catalog entry, no row is written (ALGORITHM=INSTANT, or the server refuses)
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
ALTER TABLE shop.products ADD COLUMN inventory_count int DEFAULT 0, ALGORITHM=INSTANT;
-- undo: ALTER TABLE shop.products DROP COLUMN inventory_count, ALGORITHM=INSTANT
