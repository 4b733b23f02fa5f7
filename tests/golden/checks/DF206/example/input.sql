-- postgresql
-- given
CREATE TABLE tenants (id uuid PRIMARY KEY, name text NOT NULL);
CREATE TABLE users (id bigint PRIMARY KEY, email text NOT NULL);
CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint NOT NULL REFERENCES users (id), status varchar(20), total_cents integer, created_at timestamp);
CREATE INDEX orders_user_id_idx ON orders (user_id);
CREATE TABLE shops (id bigint PRIMARY KEY);
ALTER TABLE orders ADD COLUMN tenant_id uuid;
ALTER TABLE orders ADD COLUMN shop_id bigint;
CREATE INDEX orders_tenant_id_idx ON orders (tenant_id);
CREATE INDEX orders_shop_id_idx ON orders (shop_id);
-- migration
ALTER TABLE orders ADD CONSTRAINT orders_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants (id) NOT VALID;
ALTER TABLE orders ADD CONSTRAINT orders_shop_id_fkey FOREIGN KEY (shop_id) REFERENCES shops (id) NOT VALID;
