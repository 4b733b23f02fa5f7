SET LOCAL lock_timeout = '250ms';
ALTER TABLE orders DROP CONSTRAINT orders_tenant_id_present;
