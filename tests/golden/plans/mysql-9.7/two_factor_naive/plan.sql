-- Plan: 1 migration, 3 steps for mysql 9.7 (shop)
-- digest 5f22adac7b5a764a2e95b9a375a2a4419d45a5be1fb6ccceb67a2a9f7ca47d4c
-- What this script does not do: keep a journal, try again after a lock timeout, go on after a crash.

-- ===== expand: before the new application is deployed; the old one does not notice =====

-- step 1 (5a006c9186.1): ALTER TABLE shop.users ADD COLUMN two_factor_secret varchar(255) (ALGORITHM=INSTANT, or the server refuses)
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
ALTER TABLE shop.users ADD COLUMN two_factor_secret varchar(255), ALGORITHM=INSTANT;
-- undo: ALTER TABLE shop.users DROP COLUMN two_factor_secret, ALGORITHM=INSTANT

-- step 2 (50d660eb48.1): Add users.two_factor_enabled with the default FALSE: one catalog entry, no row is written (ALGORITHM=INSTANT, or the server refuses)
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
ALTER TABLE shop.users ADD COLUMN two_factor_enabled tinyint(1) DEFAULT FALSE, ALGORITHM=INSTANT;
-- undo: ALTER TABLE shop.users DROP COLUMN two_factor_enabled, ALGORITHM=INSTANT

-- step 3 (d48bd31289.1): Set users.two_factor_enabled NOT NULL (ALGORITHM=INPLACE, LOCK=NONE: the table is written anew while writers go on, or the server refuses)
-- refuse if: SELECT count(*) FROM (SELECT 1 FROM shop.users WHERE two_factor_enabled IS NULL LIMIT 1000) AS offenders
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
ALTER TABLE shop.users MODIFY COLUMN two_factor_enabled tinyint(1) NOT NULL DEFAULT FALSE, ALGORITHM=INPLACE, LOCK=NONE;
-- undo: ALTER TABLE shop.users MODIFY COLUMN two_factor_enabled tinyint(1) DEFAULT FALSE, ALGORITHM=INPLACE, LOCK=NONE
