-- Plan: 1 migration, 6 steps for mariadb 10.11 (shop)
-- digest 6a7bbafa4064d4d2be64a5da3c047c0bcad5552333c554dc725e379914a6f946
-- What this script does not do: keep a journal, try again after a lock timeout, go on after a crash.
-- note: 001_two_factor.sql:13:1: writers wait until it is done, and it cannot be done beside the table: the foreign keys of orders would stay with the old table

-- ===== expand: before the new application is deployed; the old one does not notice =====

-- step 1 (6655271407.1): ALTER TABLE shop.users ADD COLUMN two_factor_ciphertext varbinary(512) (ALGORITHM=INSTANT, or the server refuses)
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
ALTER TABLE shop.users ADD COLUMN two_factor_ciphertext varbinary(512), ALGORITHM=INSTANT;
-- undo: ALTER TABLE shop.users DROP COLUMN two_factor_ciphertext, ALGORITHM=INSTANT

-- step 2 (9bb01a4658.1): Add users.two_factor_key_id, nullable (ALGORITHM=INSTANT, or the server refuses)
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
ALTER TABLE shop.users ADD COLUMN two_factor_key_id varchar(64), ALGORITHM=INSTANT;
-- undo: ALTER TABLE shop.users DROP COLUMN two_factor_key_id, ALGORITHM=INSTANT

-- step 3 (857f62cbd0.1): Add users.two_factor_enabled with the default FALSE: one catalog entry, no row is written (ALGORITHM=INSTANT, or the server refuses)
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
ALTER TABLE shop.users ADD COLUMN two_factor_enabled tinyint(1) NOT NULL DEFAULT FALSE, ALGORITHM=INSTANT;
-- undo: ALTER TABLE shop.users DROP COLUMN two_factor_enabled, ALGORITHM=INSTANT

-- ===== migrate: values are moved and proved while both applications may run =====

-- step 4 (ebac86db00.1): Fill two_factor_ciphertext, two_factor_key_id of users with two_factor_keys:encrypt, in chunks
-- driftflow runs this in chunks of about 150 ms along (id), each in a transaction with its cursor:
--   UPDATE shop.users SET two_factor_ciphertext = two_factor_keys:encrypt(…), two_factor_key_id = two_factor_keys:encrypt(…) WHERE ((id) > (:low) AND (id) <= (:high)) AND (users.two_factor_ciphertext IS NULL AND (totp_seed IS NOT NULL));
-- two_factor_keys:encrypt is Python and runs in driftflow only.
-- undo: nothing to do, the values go with the columns that they fill

-- step 5 (1b82e5327e.1): ALTER TABLE shop.users ADD CONSTRAINT users_two_factor_check CHECK (NOT two_factor_enabled OR t… (ALGORITHM=COPY, LOCK=SHARED: writers wait until it is done; as it ends, writers of orders fail with 1452 for a moment)
-- refuse if: SELECT count(*) FROM (SELECT 1 FROM shop.users WHERE NOT (NOT two_factor_enabled OR two_factor_ciphertext IS NOT NULL AND two_factor_key_id IS NOT NULL) LIMIT 1000) AS offenders
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
ALTER TABLE shop.users ADD CONSTRAINT users_two_factor_check CHECK (NOT two_factor_enabled OR two_factor_ciphertext IS NOT NULL AND two_factor_key_id IS NOT NULL), ALGORITHM=COPY, LOCK=SHARED;
-- undo: ALTER TABLE shop.users DROP CONSTRAINT users_two_factor_check, ALGORITHM=INSTANT

-- step 6 (2cbc6c9350.1): Verify 2 statements about the result
-- Every pilot user's seed has its ciphertext: gives 0
SELECT count(*) FROM users WHERE totp_seed IS NOT NULL AND two_factor_ciphertext IS NULL;
-- Nobody was switched on: gives 0
SELECT count(*) FROM users WHERE two_factor_enabled;
-- undo: nothing to do, it changes nothing
