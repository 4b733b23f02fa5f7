-- Plan: 1 migration, 8 steps for postgresql 16.0 (shop)
-- digest 839a4f29e754ef9cb3f478320bb01f78a05d2e327d9e7bf5220ff5234e7a4575
-- What this script does not do: keep a journal, try again after a lock timeout, go on after a crash.

-- ===== expand: before the new application is deployed; the old one does not notice =====

-- step 1 (d983ef668c.1): ALTER TABLE users ADD COLUMN two_factor_ciphertext bytea
BEGIN;
SET LOCAL lock_timeout = '250ms';
SET LOCAL statement_timeout = '10000ms';
ALTER TABLE users ADD COLUMN two_factor_ciphertext bytea;
COMMIT;
-- undo: ALTER TABLE public.users DROP COLUMN two_factor_ciphertext

-- step 2 (e0dbd7281e.1): Add users.two_factor_key_id, nullable
BEGIN;
SET LOCAL lock_timeout = '250ms';
SET LOCAL statement_timeout = '10000ms';
ALTER TABLE public.users ADD COLUMN two_factor_key_id text;
COMMIT;
-- undo: ALTER TABLE public.users DROP COLUMN two_factor_key_id

-- step 3 (e6c7a197d2.1): Add users.two_factor_enabled with the default false: one catalog entry, no row is written
BEGIN;
SET LOCAL lock_timeout = '250ms';
SET LOCAL statement_timeout = '10000ms';
ALTER TABLE users ADD COLUMN two_factor_enabled boolean NOT NULL DEFAULT false;
COMMIT;
-- undo: ALTER TABLE public.users DROP COLUMN two_factor_enabled

-- ===== migrate: values are moved and proved while both applications may run =====

-- step 4 (eabd67984d.1): Fill two_factor_ciphertext, two_factor_key_id of users with two_factor_keys:encrypt, in chunks
-- driftflow runs this in chunks of about 150 ms along (id), each in a transaction with its cursor:
--   UPDATE public.users SET two_factor_ciphertext = two_factor_keys:encrypt(…), two_factor_key_id = two_factor_keys:encrypt(…) WHERE ((id) > (:low) AND (id) <= (:high)) AND (users.two_factor_ciphertext IS NULL AND (totp_seed IS NOT NULL));
-- two_factor_keys:encrypt is Python and runs in driftflow only.
-- undo: nothing to do, the values go with the columns that they fill

-- step 5 (375fcd88ea.1): Bind new rows: users_two_factor_complete (NOT VALID)
BEGIN;
SET LOCAL lock_timeout = '250ms';
SET LOCAL statement_timeout = '10000ms';
ALTER TABLE public.users ADD CONSTRAINT users_two_factor_complete CHECK (NOT two_factor_enabled OR two_factor_ciphertext IS NOT NULL AND two_factor_key_id IS NOT NULL) NOT VALID;
COMMIT;
-- undo: ALTER TABLE public.users DROP CONSTRAINT users_two_factor_complete

-- step 6 (c6d4fc63f5.1): Prove old rows: users_two_factor_complete (VALIDATE)
-- refuse if: SELECT count(*) FROM (SELECT 1 FROM public.users WHERE NOT (NOT two_factor_enabled OR two_factor_ciphertext IS NOT NULL AND two_factor_key_id IS NOT NULL) LIMIT 1000) AS offenders
BEGIN;
SET LOCAL lock_timeout = '250ms';
SET LOCAL statement_timeout = '0ms';
ALTER TABLE public.users VALIDATE CONSTRAINT users_two_factor_complete;
COMMIT;
-- undo: nothing to do, a validated constraint forbids nothing that it did not forbid before

-- step 7 (d08e9dbc25.1): COMMENT ON COLUMN users.two_factor_ciphertext IS 'AEAD ciphertext of the TOTP seed; the key is …
BEGIN;
SET LOCAL lock_timeout = '250ms';
SET LOCAL statement_timeout = '10000ms';
COMMENT ON COLUMN users.two_factor_ciphertext IS 'AEAD ciphertext of the TOTP seed; the key is named by two_factor_key_id';
COMMIT;
-- undo: COMMENT ON COLUMN users.two_factor_ciphertext IS NULL

-- step 8 (2cbc6c9350.1): Verify 2 statements about the result
-- Every pilot user's seed has its ciphertext: gives 0
SELECT count(*) FROM users WHERE totp_seed IS NOT NULL AND two_factor_ciphertext IS NULL;
-- Nobody was switched on: gives 0
SELECT count(*) FROM users WHERE two_factor_enabled;
-- undo: nothing to do, it changes nothing
