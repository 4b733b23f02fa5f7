-- Prove that no orders.tenant_id is NULL
-- Not done by this file: it refuses to run when this counts anything: SELECT count(*) FROM orders
-- WHERE tenant_id IS NULL
-- Not done by this file: a lock that is not granted in time is asked for again
SET LOCAL lock_timeout = '250ms';
ALTER TABLE orders VALIDATE CONSTRAINT orders_tenant_id_present;
