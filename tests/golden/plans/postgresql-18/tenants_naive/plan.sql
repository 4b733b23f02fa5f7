-- Plan: 1 migration, 9 steps (1 gate) for postgresql 18.0 (shop)
-- digest 9932c8d4c180770fdf1734fe2e034b74935fc68a871181d6fd0895c91252f130
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

-- step 7 (077111e56d.1): Bind new rows: orders.tenant_id is NOT NULL (NOT VALID)
BEGIN;
SET LOCAL lock_timeout = '250ms';
SET LOCAL statement_timeout = '10000ms';
ALTER TABLE public.orders ADD CONSTRAINT orders_tenant_id_not_null NOT NULL tenant_id NOT VALID;
COMMIT;
-- undo: ALTER TABLE public.orders DROP CONSTRAINT orders_tenant_id_not_null

-- step 8 (dd912d607c.1): Prove old rows: orders.tenant_id is NOT NULL (VALIDATE)
-- refuse if: SELECT count(*) FROM (SELECT 1 FROM public.orders WHERE tenant_id IS NULL LIMIT 1000) AS offenders
BEGIN;
SET LOCAL lock_timeout = '250ms';
SET LOCAL statement_timeout = '0ms';
ALTER TABLE public.orders VALIDATE CONSTRAINT orders_tenant_id_not_null;
COMMIT;
-- undo: nothing to do, a validated constraint forbids nothing that it did not forbid before

-- step 9 (ac8de213e5.1): Build the index orders_tenant_id_idx on orders online
SET lock_timeout = '0ms';
SET statement_timeout = '0ms';
CREATE INDEX CONCURRENTLY orders_tenant_id_idx ON public.orders (tenant_id);
-- undo: DROP INDEX CONCURRENTLY IF EXISTS public.orders_tenant_id_idx
