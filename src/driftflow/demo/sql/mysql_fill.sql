-- Rows from arithmetic over the row number: the same on every machine. {orders}, {users}, {products} and {tenants} are counts.
-- Numbers come from a table of digits: MySQL and MariaDB end a recursion after so many rows, each by a setting of its own.

CREATE TABLE digits (d bigint NOT NULL PRIMARY KEY);

INSERT INTO digits VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9);

CREATE TABLE numbers (g bigint NOT NULL PRIMARY KEY);

INSERT INTO numbers SELECT g FROM (SELECT 1 + a.d + 10 * b.d + 100 * c.d + 1000 * d.d + 10000 * e.d + 100000 * f.d AS g
  FROM digits AS a JOIN digits AS b JOIN digits AS c JOIN digits AS d JOIN digits AS e JOIN digits AS f) AS counted
  WHERE g <= GREATEST({orders}, {users}, {products}, {tenants});

INSERT INTO tenants SELECT CONCAT('00000000-0000-4000-8000-', LPAD(LOWER(HEX(g)), 12, '0')), CONCAT('Tenant ', g), '2024-01-01 00:00:00' FROM numbers WHERE g <= {tenants};

INSERT INTO users (id, email, name, tenant_id, totp_seed, created_at)
  SELECT g, CONCAT('user', g, '@example.com'), CONCAT('User ', g), CONCAT('00000000-0000-4000-8000-', LPAD(LOWER(HEX(1 + ((g * 7919) % {tenants}) * ((g * 104729) % {tenants}) DIV {tenants})), 12, '0')),
  CASE WHEN g % 10 = 0 THEN CONCAT(LPAD(HEX((g * 2654435761) % 4294967296), 8, '0'), LPAD(HEX((g * 40503) % 4294967296), 8, '0')) END, '2024-01-01 00:00:00'
  FROM numbers WHERE g <= {users};

INSERT INTO products (id, sku, name, price_cents, updated_at)
  SELECT g, CONCAT('SKU-', LPAD(g, 6, '0')), CONCAT('Product ', g), 100 + (g * 7919) % 90000, '2024-01-01 00:00:00' FROM numbers WHERE g <= {products};

INSERT INTO orders (id, user_id, product_id, quantity, total_cents, status, created_at)
  SELECT g, 1 + (g * 7919) % {users}, 1 + (g * 104729) % {products}, 1 + g % 4, (1 + g % 4) * (100 + (g * 7919) % 90000),
  ELT(1 + g % 5, 'new', 'paid', 'packed', 'shipped', 'shipped'), TIMESTAMPADD(MINUTE, g % 525600, '2024-01-01 04:00:00')
  FROM numbers WHERE g <= {orders};

DROP TABLE numbers;

DROP TABLE digits;

ANALYZE TABLE tenants, users, products, orders;
