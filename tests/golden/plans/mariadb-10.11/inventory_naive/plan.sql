-- Plan: 1 migration, 1 step for mariadb 10.11 (shop)
-- digest 7bc903943ae5386a7eed902d9708789771488451f1abd742b55a21c8d15e839d
-- What this script does not do: keep a journal, try again after a lock timeout, go on after a crash.

-- ===== expand: before the new application is deployed; the old one does not notice =====

-- step 1 (ed71ccf392.1): Add products.inventory_count with the default 0: one catalog entry, no row is written (ALGORITHM=INSTANT, or the server refuses)
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
ALTER TABLE shop.products ADD COLUMN inventory_count int DEFAULT 0, ALGORITHM=INSTANT;
-- undo: ALTER TABLE shop.products DROP COLUMN inventory_count, ALGORITHM=INSTANT
