-- Plan: 1 migration, 5 steps for sqlite 3.40.1 (shop)
-- digest 24ba2692b05c6860e22f6d0a4c03807b40cfeb5e88c82018200d8c779c82c8b3
-- What this script does not do: keep a journal, try again after a lock timeout, go on after a crash.

-- ===== expand: before the new application is deployed; the old one does not notice =====

-- step 1 (447e982d4e.1): ALTER TABLE users ADD COLUMN two_factor_ciphertext BLOB
BEGIN;
-- busy timeout 250 ms
ALTER TABLE users ADD COLUMN two_factor_ciphertext BLOB;
COMMIT;
-- undo: ALTER TABLE users DROP COLUMN two_factor_ciphertext

-- step 2 (377b0ad7c6.1): Add users.two_factor_key_id, nullable
BEGIN;
-- busy timeout 250 ms
ALTER TABLE users ADD COLUMN two_factor_key_id TEXT;
COMMIT;
-- undo: ALTER TABLE users DROP COLUMN two_factor_key_id

-- ===== migrate: values are moved and proved while both applications may run =====

-- step 3 (e5903cebbc.1): Fill two_factor_ciphertext, two_factor_key_id of users with two_factor_keys:encrypt, in chunks
-- driftflow runs this in chunks of about 35 ms along (id), each in a transaction with its cursor:
--   UPDATE main.users SET two_factor_ciphertext = two_factor_keys:encrypt(…), two_factor_key_id = two_factor_keys:encrypt(…) WHERE ((id) > (:low) AND (id) <= (:high)) AND (users.two_factor_ciphertext IS NULL AND (totp_seed IS NOT NULL));
-- two_factor_keys:encrypt is Python and runs in driftflow only.
-- undo: nothing to do, the values go with the columns that they fill

-- step 4 (0ed207976a.1): ALTER TABLE users ADD COLUMN two_factor_enabled INTEGER NOT NULL DEFAULT 0 CHECK (two_factor_en…
BEGIN;
-- busy timeout 250 ms
ALTER TABLE users ADD COLUMN two_factor_enabled INTEGER NOT NULL DEFAULT 0
    CHECK (two_factor_enabled IN (0, 1) AND (two_factor_enabled = 0 OR (two_factor_ciphertext IS NOT NULL AND two_factor_key_id IS NOT NULL)));
COMMIT;
-- undo: ALTER TABLE users DROP COLUMN two_factor_enabled

-- step 5 (2cbc6c9350.1): Verify 2 statements about the result
-- Every pilot user's seed has its ciphertext: gives 0
SELECT count(*) FROM users WHERE totp_seed IS NOT NULL AND two_factor_ciphertext IS NULL;
-- Nobody was switched on: gives 0
SELECT count(*) FROM users WHERE two_factor_enabled;
-- undo: nothing to do, it changes nothing
