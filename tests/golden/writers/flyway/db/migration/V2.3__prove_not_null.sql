-- Refuse new orders without a tenant
-- Not done by this file: a lock that is not granted in time is asked for again
SET LOCAL lock_timeout = '250ms';
ALTER TABLE orders ADD CONSTRAINT orders_tenant_id_present CHECK (tenant_id IS NOT NULL) NOT VALID;
