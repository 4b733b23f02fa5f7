ALTER TABLE orders ADD COLUMN tenant_id char(36) CHARACTER SET ascii COLLATE ascii_bin;
UPDATE orders SET tenant_id = (SELECT u.tenant_id FROM users u WHERE u.id = orders.user_id);
ALTER TABLE orders MODIFY COLUMN tenant_id char(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL;
ALTER TABLE orders ADD CONSTRAINT orders_tenant_id_fk FOREIGN KEY (tenant_id) REFERENCES tenants (id);
CREATE INDEX orders_tenant_id_created_at_idx ON orders (tenant_id, created_at);
