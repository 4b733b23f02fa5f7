-- The old application does not know tenant_id: a trigger fills it until the new one is everywhere.
-- driftflow: dual-write column=tenant_id set="(SELECT u.tenant_id FROM users u WHERE u.id = NEW.user_id)"
-- driftflow: backfill column=tenant_id from="users u" on="u.id = orders.user_id" set="u.tenant_id"
ALTER TABLE orders ADD COLUMN tenant_id uuid REFERENCES tenants (id);

ALTER TABLE orders ALTER COLUMN tenant_id SET NOT NULL;

-- Tenant first: every query of the new application carries it, by the policy below.
CREATE INDEX orders_tenant_id_created_at_idx ON orders (tenant_id, created_at);
