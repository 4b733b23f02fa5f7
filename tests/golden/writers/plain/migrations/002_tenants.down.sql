SET LOCAL lock_timeout = '250ms';
ALTER TABLE orders DROP COLUMN tenant_id;
