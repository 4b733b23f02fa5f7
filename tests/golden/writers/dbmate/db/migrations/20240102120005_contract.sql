-- migrate:up
-- Record it in the tool's own table
-- This cannot be taken back: rows without a tenant are refused from now on
-- Check the result:
-- To be checked by hand: every order has a tenant: SELECT count(*) FROM orders WHERE tenant_id IS NULL
-- Not done by this file: a lock that is not granted in time is asked for again
SET LOCAL lock_timeout = '250ms';
ALTER TABLE orders ALTER COLUMN tenant_id SET NOT NULL;

-- migrate:down
