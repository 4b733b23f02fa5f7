-- driftflow: file transaction=single
-- Add orders.tenant_id, nullable; Let the application fill it
-- Not done by this file: a lock that is not granted in time is asked for again
SET LOCAL lock_timeout = '250ms';
ALTER TABLE orders ADD COLUMN tenant_id uuid;
ALTER TABLE orders ALTER COLUMN tenant_id SET DEFAULT NULL;
