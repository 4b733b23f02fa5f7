-- Plan: 1 migration, 3 steps for mariadb 10.11 (shop)
-- digest b943f0514d2b23d7adeacc514077765a2f86cdc207a2f12f50d9c26dd636093a
-- What this script does not do: keep a journal, try again after a lock timeout, go on after a crash.

-- ===== expand: before the new application is deployed; the old one does not notice =====

-- step 1 (7a6e7c0035.1): ALTER TABLE shop.users ADD COLUMN two_factor_secret varchar(255) (ALGORITHM=INSTANT, or the server refuses)
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
ALTER TABLE shop.users ADD COLUMN two_factor_secret varchar(255), ALGORITHM=INSTANT;
-- undo: ALTER TABLE shop.users DROP COLUMN two_factor_secret, ALGORITHM=INSTANT

-- step 2 (d577479d25.1): Add users.two_factor_enabled with the default FALSE: one catalog entry, no row is written (ALGORITHM=INSTANT, or the server refuses)
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
ALTER TABLE shop.users ADD COLUMN two_factor_enabled tinyint(1) DEFAULT FALSE, ALGORITHM=INSTANT;
-- undo: ALTER TABLE shop.users DROP COLUMN two_factor_enabled, ALGORITHM=INSTANT

-- step 3 (a28463dc46.1): Set users.two_factor_enabled NOT NULL (ALGORITHM=INPLACE, LOCK=NONE: the table is written anew while writers go on, or the server refuses)
-- refuse if: SELECT count(*) FROM (SELECT 1 FROM shop.users WHERE two_factor_enabled IS NULL LIMIT 1000) AS offenders
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
ALTER TABLE shop.users MODIFY COLUMN two_factor_enabled tinyint(1) NOT NULL DEFAULT FALSE, ALGORITHM=INPLACE, LOCK=NONE;
-- undo: ALTER TABLE shop.users MODIFY COLUMN two_factor_enabled tinyint(1) DEFAULT FALSE, ALGORITHM=INPLACE, LOCK=NONE
