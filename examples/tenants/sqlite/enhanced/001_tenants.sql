-- The old application does not know tenant_id: a trigger fills it until the new one is everywhere.
-- driftflow: dual-write column=tenant_id set="(SELECT u.tenant_id FROM users u WHERE u.id = NEW.user_id)"
-- driftflow: backfill column=tenant_id from="users u" on="u.id = orders.user_id" set="u.tenant_id"
ALTER TABLE orders ADD COLUMN tenant_id TEXT REFERENCES tenants (id);

-- SQLite gained this statement in 3.53; on older libraries the plan rebuilds the table.
ALTER TABLE orders ALTER COLUMN tenant_id SET NOT NULL;

CREATE INDEX orders_tenant_id_created_at_idx ON orders (tenant_id, created_at);
