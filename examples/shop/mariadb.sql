-- The shop as the three examples find it. `driftflow demo` fills it; mariadb or driftflow's tests may do so too.
CREATE TABLE tenants (
    id char(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
    name varchar(190) NOT NULL UNIQUE,
    created_at timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP
);

CREATE TABLE users (
    id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY,
    tenant_id char(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    email varchar(190) NOT NULL UNIQUE,
    totp_seed varchar(255), -- in clear since the pilot of two-factor login; see examples/two_factor
    created_at timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
    KEY users_tenant_id_idx (tenant_id),
    CONSTRAINT users_tenant_id_fk FOREIGN KEY (tenant_id) REFERENCES tenants (id)
);

CREATE TABLE products (
    id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY,
    sku varchar(64) NOT NULL UNIQUE,
    name varchar(190) NOT NULL,
    price_cents int NOT NULL,
    updated_at timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
    CONSTRAINT products_price_check CHECK (price_cents >= 0)
);

CREATE TABLE orders (
    id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY,
    user_id bigint NOT NULL,
    product_id bigint NOT NULL,
    quantity int NOT NULL DEFAULT 1,
    total_cents int NOT NULL,
    status varchar(32) NOT NULL DEFAULT 'new',
    created_at timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
    KEY orders_user_id_idx (user_id),
    KEY orders_product_id_idx (product_id),
    CONSTRAINT orders_user_id_fk FOREIGN KEY (user_id) REFERENCES users (id),
    CONSTRAINT orders_product_id_fk FOREIGN KEY (product_id) REFERENCES products (id),
    CONSTRAINT orders_quantity_check CHECK (quantity > 0)
);
