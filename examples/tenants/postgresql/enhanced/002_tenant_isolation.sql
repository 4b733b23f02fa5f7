CREATE POLICY orders_tenant_isolation ON orders
    USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);

-- driftflow: gate name=tenant-context question="Does every connection of the application set app.tenant_id, and does it connect as shop_app?"
-- driftflow: isolation-test role=shop_app setting=app.tenant_id own="SELECT id FROM tenants ORDER BY id LIMIT 1" other="SELECT id FROM tenants ORDER BY id DESC LIMIT 1"
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
