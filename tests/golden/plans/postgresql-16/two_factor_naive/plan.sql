-- Plan: 1 migration, 5 steps for postgresql 16.0 (shop)
-- digest 40ec35c3600bb96ce2632efe61a33fd555a868bf0dae945b354a8b4173ce3bab
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

-- step 3 (a51a74e66e.1): Bind new rows: users.two_factor_enabled is NOT NULL (NOT VALID)
BEGIN;
SET LOCAL lock_timeout = '250ms';
SET LOCAL statement_timeout = '10000ms';
ALTER TABLE public.users ADD CONSTRAINT driftflow_nn_users_two_factor_enabled CHECK (two_factor_enabled IS NOT NULL) NOT VALID;
COMMIT;
-- undo: ALTER TABLE public.users DROP CONSTRAINT IF EXISTS driftflow_nn_users_two_factor_enabled

-- ===== migrate: values are moved and proved while both applications may run =====

-- step 4 (91c336ca7a.1): Prove old rows: users.two_factor_enabled is NOT NULL (VALIDATE)
-- refuse if: SELECT count(*) FROM (SELECT 1 FROM public.users WHERE two_factor_enabled IS NULL LIMIT 1000) AS offenders
BEGIN;
SET LOCAL lock_timeout = '250ms';
SET LOCAL statement_timeout = '0ms';
ALTER TABLE public.users VALIDATE CONSTRAINT driftflow_nn_users_two_factor_enabled;
COMMIT;
-- undo: nothing to do, a validated constraint forbids nothing that it did not forbid before

-- step 5 (aa661527b8.1): Set users.two_factor_enabled NOT NULL (the validated check proves it, no scan) and drop the check
BEGIN;
SET LOCAL lock_timeout = '250ms';
SET LOCAL statement_timeout = '10000ms';
ALTER TABLE public.users ALTER COLUMN two_factor_enabled SET NOT NULL;
ALTER TABLE public.users DROP CONSTRAINT driftflow_nn_users_two_factor_enabled;
COMMIT;
-- undo: ALTER TABLE public.users ALTER COLUMN two_factor_enabled DROP NOT NULL
