-- Plan: 1 migration, 4 steps for postgresql 18.0 (shop)
-- digest 66f616b3ed7dd6b03c3cd2b545090352975bd5faf646e260cfde887d04fa9ecc
-- What this script does not do: keep a journal, try again after a lock timeout, go on after a crash.

-- ===== expand: before the new application is deployed; the old one does not notice =====

-- step 1 (255cc414d6.1): ALTER TABLE users ADD COLUMN two_factor_secret VARCHAR(255)
BEGIN;
SET LOCAL lock_timeout = '250ms';
SET LOCAL statement_timeout = '10000ms';
ALTER TABLE users ADD COLUMN two_factor_secret VARCHAR(255);
COMMIT;
-- undo: ALTER TABLE public.users DROP COLUMN two_factor_secret

-- step 2 (dce52e1d79.1): Add users.two_factor_enabled with the default false: one catalog entry, no row is written
BEGIN;
SET LOCAL lock_timeout = '250ms';
SET LOCAL statement_timeout = '10000ms';
ALTER TABLE users ADD COLUMN two_factor_enabled BOOLEAN DEFAULT FALSE;
COMMIT;
-- undo: ALTER TABLE public.users DROP COLUMN two_factor_enabled

-- step 3 (ce28a048db.1): Bind new rows: users.two_factor_enabled is NOT NULL (NOT VALID)
BEGIN;
SET LOCAL lock_timeout = '250ms';
SET LOCAL statement_timeout = '10000ms';
ALTER TABLE public.users ADD CONSTRAINT users_two_factor_enabled_not_null NOT NULL two_factor_enabled NOT VALID;
COMMIT;
-- undo: ALTER TABLE public.users DROP CONSTRAINT users_two_factor_enabled_not_null

-- ===== migrate: values are moved and proved while both applications may run =====

-- step 4 (da4b5d9f7a.1): Prove old rows: users.two_factor_enabled is NOT NULL (VALIDATE)
-- refuse if: SELECT count(*) FROM (SELECT 1 FROM public.users WHERE two_factor_enabled IS NULL LIMIT 1000) AS offenders
BEGIN;
SET LOCAL lock_timeout = '250ms';
SET LOCAL statement_timeout = '0ms';
ALTER TABLE public.users VALIDATE CONSTRAINT users_two_factor_enabled_not_null;
COMMIT;
-- undo: nothing to do, a validated constraint forbids nothing that it did not forbid before
