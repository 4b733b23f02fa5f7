-- Plan: 2 migrations, 15 steps (2 gates) for postgresql 16.0 (shop)
-- digest dc8fe0938ed47e2a0f1e28973aa68182684365e8c8ca98e941f18c048564ccb8
-- What this script does not do: keep a journal, try again after a lock timeout, go on after a crash.

-- ===== expand: before the new application is deployed; the old one does not notice =====

-- step 1 (e650ee4f01.1): Add orders.tenant_id, nullable
BEGIN;
SET LOCAL lock_timeout = '250ms';
SET LOCAL statement_timeout = '10000ms';
ALTER TABLE public.orders ADD COLUMN tenant_id uuid;
COMMIT;
-- undo: ALTER TABLE public.orders DROP COLUMN tenant_id

-- step 2 (b50e217831.1): Fill orders.tenant_id for rows that the old application writes (trigger)
BEGIN;
SET LOCAL lock_timeout = '250ms';
SET LOCAL statement_timeout = '10000ms';
CREATE FUNCTION public.driftflow_fill_orders_tenant_id() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $driftflow$
BEGIN
  IF NEW.tenant_id IS NULL
     OR (TG_OP = 'UPDATE' AND NOT (NEW.tenant_id IS DISTINCT FROM OLD.tenant_id) AND (NEW.user_id IS DISTINCT FROM OLD.user_id)) THEN
    NEW.tenant_id := (SELECT u.tenant_id FROM users u WHERE u.id = NEW.user_id);
  END IF;
  RETURN NEW;
END
$driftflow$;
REVOKE ALL ON FUNCTION public.driftflow_fill_orders_tenant_id() FROM PUBLIC;
CREATE TRIGGER zzz_driftflow_fill_orders_tenant_id BEFORE INSERT OR UPDATE ON public.orders FOR EACH ROW EXECUTE FUNCTION public.driftflow_fill_orders_tenant_id();
COMMIT;
-- undo: DROP TRIGGER zzz_driftflow_fill_orders_tenant_id ON public.orders
-- undo: DROP FUNCTION public.driftflow_fill_orders_tenant_id()

-- ===== migrate: values are moved and proved while both applications may run =====

-- step 3 (8960899418.1): Fill orders.tenant_id in chunks
-- driftflow runs this in chunks of about 150 ms along (id), each in a transaction with its cursor:
--   UPDATE public.orders SET tenant_id = u.tenant_id FROM users u WHERE ((id) > (:low) AND (id) <= (:high)) AND (u.id = orders.user_id) AND (orders.tenant_id IS NULL AND (u.tenant_id) IS NOT NULL);
-- As plain SQL it is one statement, which locks every row until it ends:
UPDATE public.orders SET tenant_id = u.tenant_id FROM users u WHERE (u.id = orders.user_id) AND (orders.tenant_id IS NULL AND (u.tenant_id) IS NOT NULL);
-- undo: nothing to do, the values go with the column: the undo that drops orders.tenant_id

-- step 4 (8f319914bf.1): Bind new rows: orders (tenant_id) → tenants (NOT VALID)
BEGIN;
SET LOCAL lock_timeout = '250ms';
SET LOCAL statement_timeout = '10000ms';
ALTER TABLE public.orders ADD CONSTRAINT orders_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants (id) NOT VALID;
COMMIT;
-- undo: ALTER TABLE public.orders DROP CONSTRAINT orders_tenant_id_fkey

-- step 5 (d739d38760.1): Prove old rows: orders (tenant_id) → tenants (VALIDATE)
-- refuse if: SELECT count(*) FROM (SELECT 1 FROM public.orders AS c WHERE c.tenant_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM public.tenants AS p WHERE p.id = c.tenant_id) LIMIT 1000) AS offenders
BEGIN;
SET LOCAL lock_timeout = '250ms';
SET LOCAL statement_timeout = '0ms';
ALTER TABLE public.orders VALIDATE CONSTRAINT orders_tenant_id_fkey;
COMMIT;
-- undo: nothing to do, a validated constraint forbids nothing that it did not forbid before

-- step 6 (c0bfadf30e.1): Bind new rows: orders.tenant_id is NOT NULL (NOT VALID)
BEGIN;
SET LOCAL lock_timeout = '250ms';
SET LOCAL statement_timeout = '10000ms';
ALTER TABLE public.orders ADD CONSTRAINT driftflow_nn_orders_tenant_id CHECK (tenant_id IS NOT NULL) NOT VALID;
COMMIT;
-- undo: ALTER TABLE public.orders DROP CONSTRAINT IF EXISTS driftflow_nn_orders_tenant_id

-- step 7 (15978ae39b.1): Prove old rows: orders.tenant_id is NOT NULL (VALIDATE)
-- refuse if: SELECT count(*) FROM (SELECT 1 FROM public.orders WHERE tenant_id IS NULL LIMIT 1000) AS offenders
BEGIN;
SET LOCAL lock_timeout = '250ms';
SET LOCAL statement_timeout = '0ms';
ALTER TABLE public.orders VALIDATE CONSTRAINT driftflow_nn_orders_tenant_id;
COMMIT;
-- undo: nothing to do, a validated constraint forbids nothing that it did not forbid before

-- step 8 (c25536ce51.1): Set orders.tenant_id NOT NULL (the validated check proves it, no scan) and drop the check
BEGIN;
SET LOCAL lock_timeout = '250ms';
SET LOCAL statement_timeout = '10000ms';
ALTER TABLE public.orders ALTER COLUMN tenant_id SET NOT NULL;
ALTER TABLE public.orders DROP CONSTRAINT driftflow_nn_orders_tenant_id;
COMMIT;
-- undo: ALTER TABLE public.orders ALTER COLUMN tenant_id DROP NOT NULL

-- step 9 (cb8b3a06c7.1): Build the index orders_tenant_id_created_at_idx on orders online
SET lock_timeout = '0ms';
SET statement_timeout = '0ms';
CREATE INDEX CONCURRENTLY orders_tenant_id_created_at_idx ON public.orders (tenant_id, created_at);
-- undo: DROP INDEX CONCURRENTLY IF EXISTS public.orders_tenant_id_created_at_idx

-- step 10 (c0a2e3117c.1): CREATE POLICY orders_tenant_isolation ON orders USING (tenant_id = NULLIF(current_setting('app.…
BEGIN;
SET LOCAL lock_timeout = '250ms';
SET LOCAL statement_timeout = '10000ms';
CREATE POLICY orders_tenant_isolation ON orders
    USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
COMMIT;
-- undo: DROP POLICY orders_tenant_isolation ON public.orders

-- ===== contract: after the old application is gone =====

-- step 11 (a02637fbad.1): Wait until somebody says yes: Is the new version of the application running everywhere, and the old one nowhere?
-- GATE: stop here until the answer is yes. Is the new version of the application running everywhere, and the old one nowhere?
--   [ ] orders.tenant_id is written by the new application itself
-- undo: nothing to do, waiting changes nothing

-- step 12 (4b84147583.1): Take away the trigger that fills orders.tenant_id: the new application writes it
BEGIN;
SET LOCAL lock_timeout = '250ms';
SET LOCAL statement_timeout = '10000ms';
DROP TRIGGER zzz_driftflow_fill_orders_tenant_id ON public.orders;
DROP FUNCTION public.driftflow_fill_orders_tenant_id();
COMMIT;
-- undo: CREATE FUNCTION public.driftflow_fill_orders_tenant_id() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $driftflow$ BEGIN IF NEW.tenant_id IS NULL OR (TG_OP = 'UPDATE' AND NOT (NEW.tenant_id IS DISTINCT FROM OLD.tenant_id) AND (NEW.user_id IS DISTINCT FROM OLD.user_id)) THEN NEW.tenant_id := (SELECT u.tenant_id FROM users u WHERE u.id = NEW.user_id); END IF; RETURN NEW; END $driftflow$
-- undo: REVOKE ALL ON FUNCTION public.driftflow_fill_orders_tenant_id() FROM PUBLIC
-- undo: CREATE TRIGGER zzz_driftflow_fill_orders_tenant_id BEFORE INSERT OR UPDATE ON public.orders FOR EACH ROW EXECUTE FUNCTION public.driftflow_fill_orders_tenant_id()

-- step 13 (d04aecce3a.1): Wait until somebody says yes: Does every connection of the application set app.tenant_id, and does it connect as shop_app?
-- GATE: stop here until the answer is yes. Does every connection of the application set app.tenant_id, and does it connect as shop_app?
--   [ ] connections without the policies' context see no rows of orders
-- undo: nothing to do, waiting changes nothing

-- step 14 (b4bc0113d9.1): ALTER TABLE orders ENABLE ROW LEVEL SECURITY
-- refuse if: SELECT count(*) FROM pg_policy WHERE polrelid = 'public.orders'::regclass
BEGIN;
SET LOCAL lock_timeout = '250ms';
SET LOCAL statement_timeout = '10000ms';
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
COMMIT;
-- undo: ALTER TABLE public.orders DISABLE ROW LEVEL SECURITY

-- step 15 (1e390ceacb.1): Test the isolation of orders as shop_app
-- two different tenants are compared: gives true
-- SELECT set_config('driftflow.own', (SELECT id FROM tenants ORDER BY id LIMIT 1)::text, true)
-- SELECT set_config('driftflow.other', (SELECT id FROM tenants ORDER BY id DESC LIMIT 1)::text, true)
-- SELECT set_config('driftflow.rows', (SELECT EXISTS (SELECT 1 FROM public.orders WHERE tenant_id = current_setting('driftflow.own')::uuid))::text, true)
-- SELECT current_setting('driftflow.own') <> current_setting('driftflow.other')
-- a tenant sees its own rows: gives true
-- SELECT set_config('driftflow.own', (SELECT id FROM tenants ORDER BY id LIMIT 1)::text, true)
-- SELECT set_config('driftflow.other', (SELECT id FROM tenants ORDER BY id DESC LIMIT 1)::text, true)
-- SELECT set_config('driftflow.rows', (SELECT EXISTS (SELECT 1 FROM public.orders WHERE tenant_id = current_setting('driftflow.own')::uuid))::text, true)
-- SELECT set_config('app.tenant_id', current_setting('driftflow.own'), true)
-- SET LOCAL ROLE shop_app
-- SELECT (EXISTS (SELECT 1 FROM public.orders WHERE tenant_id = current_setting('driftflow.own')::uuid))::text = current_setting('driftflow.rows')
-- a tenant sees no row of another tenant: gives 0
-- SELECT set_config('driftflow.own', (SELECT id FROM tenants ORDER BY id LIMIT 1)::text, true)
-- SELECT set_config('driftflow.other', (SELECT id FROM tenants ORDER BY id DESC LIMIT 1)::text, true)
-- SELECT set_config('driftflow.rows', (SELECT EXISTS (SELECT 1 FROM public.orders WHERE tenant_id = current_setting('driftflow.own')::uuid))::text, true)
-- SELECT set_config('app.tenant_id', current_setting('driftflow.own'), true)
-- SET LOCAL ROLE shop_app
-- SELECT count(*) FROM (SELECT 1 FROM public.orders WHERE NOT (tenant_id = current_setting('driftflow.own')::uuid) LIMIT 1) AS seen
-- without a tenant's context nothing is seen: gives 0 or fails with 42704, 22P02, 42501
-- SET LOCAL ROLE shop_app
-- SELECT (SELECT count(*) FROM (SELECT 1 FROM public.orders LIMIT 1) AS seen)
-- with an empty context nothing is seen: gives 0 or fails with 42704, 22P02, 42501
-- SELECT set_config('app.tenant_id', '', true)
-- SET LOCAL ROLE shop_app
-- SELECT (SELECT count(*) FROM (SELECT 1 FROM public.orders LIMIT 1) AS seen)
-- a row for another tenant is refused: fails
-- SELECT set_config('driftflow.own', (SELECT id FROM tenants ORDER BY id LIMIT 1)::text, true)
-- SELECT set_config('driftflow.other', (SELECT id FROM tenants ORDER BY id DESC LIMIT 1)::text, true)
-- SELECT set_config('driftflow.rows', (SELECT EXISTS (SELECT 1 FROM public.orders WHERE tenant_id = current_setting('driftflow.own')::uuid))::text, true)
-- SELECT set_config('app.tenant_id', current_setting('driftflow.own'), true)
-- SET LOCAL ROLE shop_app
-- INSERT INTO public.orders (user_id, product_id, quantity, total_cents, status, created_at, tenant_id) SELECT o.user_id, o.product_id, o.quantity, o.total_cents, o.status, o.created_at, current_setting('driftflow.other')::uuid FROM (SELECT 1) AS one LEFT JOIN LATERAL (SELECT * FROM public.orders WHERE tenant_id = current_setting('driftflow.own')::uuid LIMIT 1) AS o ON true
-- undo: nothing to do, it changes nothing
