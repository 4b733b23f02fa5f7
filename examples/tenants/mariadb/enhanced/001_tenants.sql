-- The old application does not know tenant_id: a trigger fills it until the new one is everywhere.
-- driftflow: dual-write column=tenant_id set="(SELECT u.tenant_id FROM users u WHERE u.id = NEW.user_id)"
-- driftflow: backfill column=tenant_id from="users u" on="u.id = orders.user_id" set="u.tenant_id"
ALTER TABLE orders ADD COLUMN tenant_id char(36) CHARACTER SET ascii COLLATE ascii_bin;

-- The trigger has the value before NOT NULL looks.
ALTER TABLE orders MODIFY COLUMN tenant_id char(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL;

-- Built first, it serves the foreign key, too.
CREATE INDEX orders_tenant_id_created_at_idx ON orders (tenant_id, created_at);

ALTER TABLE orders ADD CONSTRAINT orders_tenant_id_fk FOREIGN KEY (tenant_id) REFERENCES tenants (id);
