-- Plan: 1 migration, 10 steps (1 gate) for postgresql 16.0 (shop)
-- digest a01846c0c0644181239230bbef981284c14c8f05cb39276ebc45214bff9c6e71
-- What this script does not do: keep a journal, try again after a lock timeout, go on after a crash.

-- ===== expand: before the new application is deployed; the old one does not notice =====

-- step 1 (f8bd682292.1): Add orders.tenant_id, nullable
BEGIN;
SET LOCAL lock_timeout = '250ms';
SET LOCAL statement_timeout = '10000ms';
ALTER TABLE public.orders ADD COLUMN tenant_id uuid;
COMMIT;
-- undo: ALTER TABLE public.orders DROP COLUMN tenant_id

-- step 2 (477d55d31b.1): Bind new rows: orders (tenant_id) → tenants (NOT VALID)
BEGIN;
SET LOCAL lock_timeout = '250ms';
SET LOCAL statement_timeout = '10000ms';
ALTER TABLE public.orders ADD CONSTRAINT orders_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants (id) NOT VALID;
COMMIT;
-- undo: ALTER TABLE public.orders DROP CONSTRAINT orders_tenant_id_fkey

-- ===== migrate: values are moved and proved while both applications may run =====

-- step 3 (dbfd0134ea.1): Prove old rows: orders (tenant_id) → tenants (VALIDATE)
-- refuse if: SELECT count(*) FROM (SELECT 1 FROM public.orders AS c WHERE c.tenant_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM public.tenants AS p WHERE p.id = c.tenant_id) LIMIT 1000) AS offenders
BEGIN;
SET LOCAL lock_timeout = '250ms';
SET LOCAL statement_timeout = '0ms';
ALTER TABLE public.orders VALIDATE CONSTRAINT orders_tenant_id_fkey;
COMMIT;
-- undo: nothing to do, a validated constraint forbids nothing that it did not forbid before

-- step 4 (7f7e35d550.1): Update orders.tenant_id in chunks
-- driftflow runs this in chunks of about 150 ms along (id), each in a transaction with its cursor:
--   UPDATE public.orders SET tenant_id = u.tenant_id FROM users AS u WHERE ((id) > (:low) AND (id) <= (:high)) AND (u.id = orders.user_id);
-- As plain SQL it is one statement, which locks every row until it ends:
UPDATE public.orders SET tenant_id = u.tenant_id FROM users AS u WHERE (u.id = orders.user_id);
-- undo: nothing to do, the values go with the columns that this release adds

-- ===== contract: after the old application is gone =====

-- step 5 (9b007a6426.1): Wait until somebody says yes: Is the new version of the application running everywhere, and the old one nowhere?
-- GATE: stop here until the answer is yes. Is the new version of the application running everywhere, and the old one nowhere?
--   [ ] INSERTs of the old application leave out orders.tenant_id
-- undo: nothing to do, waiting changes nothing

-- step 6 (90e3dad9a1.1): Fill what is still missing in orders.tenant_id
-- driftflow runs this in chunks of about 150 ms along (id), each in a transaction with its cursor:
--   UPDATE public.orders SET tenant_id = u.tenant_id FROM users AS u WHERE ((id) > (:low) AND (id) <= (:high)) AND (u.id = orders.user_id) AND (orders.tenant_id IS NULL AND (u.tenant_id) IS NOT NULL);
-- As plain SQL it is one statement, which locks every row until it ends:
UPDATE public.orders SET tenant_id = u.tenant_id FROM users AS u WHERE (u.id = orders.user_id) AND (orders.tenant_id IS NULL AND (u.tenant_id) IS NOT NULL);
-- undo: nothing to do, the values go with the column: the undo that drops orders.tenant_id

-- step 7 (b01acf39e9.1): Bind new rows: orders.tenant_id is NOT NULL (NOT VALID)
BEGIN;
SET LOCAL lock_timeout = '250ms';
SET LOCAL statement_timeout = '10000ms';
ALTER TABLE public.orders ADD CONSTRAINT driftflow_nn_orders_tenant_id CHECK (tenant_id IS NOT NULL) NOT VALID;
COMMIT;
-- undo: ALTER TABLE public.orders DROP CONSTRAINT IF EXISTS driftflow_nn_orders_tenant_id

-- step 8 (5f08d65756.1): Prove old rows: orders.tenant_id is NOT NULL (VALIDATE)
-- refuse if: SELECT count(*) FROM (SELECT 1 FROM public.orders WHERE tenant_id IS NULL LIMIT 1000) AS offenders
BEGIN;
SET LOCAL lock_timeout = '250ms';
SET LOCAL statement_timeout = '0ms';
ALTER TABLE public.orders VALIDATE CONSTRAINT driftflow_nn_orders_tenant_id;
COMMIT;
-- undo: nothing to do, a validated constraint forbids nothing that it did not forbid before

-- step 9 (e169fb1276.1): Set orders.tenant_id NOT NULL (the validated check proves it, no scan) and drop the check
BEGIN;
SET LOCAL lock_timeout = '250ms';
SET LOCAL statement_timeout = '10000ms';
ALTER TABLE public.orders ALTER COLUMN tenant_id SET NOT NULL;
ALTER TABLE public.orders DROP CONSTRAINT driftflow_nn_orders_tenant_id;
COMMIT;
-- undo: ALTER TABLE public.orders ALTER COLUMN tenant_id DROP NOT NULL

-- step 10 (ac8de213e5.1): Build the index orders_tenant_id_idx on orders online
SET lock_timeout = '0ms';
SET statement_timeout = '0ms';
CREATE INDEX CONCURRENTLY orders_tenant_id_idx ON public.orders (tenant_id);
-- undo: DROP INDEX CONCURRENTLY IF EXISTS public.orders_tenant_id_idx
