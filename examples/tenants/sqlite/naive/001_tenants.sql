ALTER TABLE orders ADD COLUMN tenant_id TEXT REFERENCES tenants(id);
UPDATE orders SET tenant_id = (SELECT u.tenant_id FROM users u WHERE u.id = orders.user_id);
ALTER TABLE orders ALTER COLUMN tenant_id SET NOT NULL;
CREATE INDEX orders_tenant_id_idx ON orders (tenant_id);
