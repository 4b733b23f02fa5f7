-- The shop as it is before the migrations. MariaDB reads it too.

CREATE TABLE tenants (id char(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY, name varchar(190) NOT NULL, created_at timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP);

CREATE TABLE users (id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY, email varchar(190) NOT NULL UNIQUE, name varchar(190) NOT NULL, tenant_id char(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, totp_seed varchar(255), last_seen_at timestamp NULL, created_at timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
  KEY users_tenant_id_idx (tenant_id), CONSTRAINT users_tenant_id_fk FOREIGN KEY (tenant_id) REFERENCES tenants (id));

CREATE TABLE products (id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY, sku varchar(64) NOT NULL UNIQUE, name varchar(190) NOT NULL, price_cents int NOT NULL, updated_at timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
  CONSTRAINT products_price_check CHECK (price_cents >= 0));

CREATE TABLE orders (id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY, user_id bigint NOT NULL, product_id bigint NOT NULL, quantity int NOT NULL, total_cents int NOT NULL, status varchar(32) NOT NULL DEFAULT 'new', created_at timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
  KEY orders_user_id_idx (user_id), KEY orders_product_id_idx (product_id),
  CONSTRAINT orders_user_id_fk FOREIGN KEY (user_id) REFERENCES users (id), CONSTRAINT orders_product_id_fk FOREIGN KEY (product_id) REFERENCES products (id));
