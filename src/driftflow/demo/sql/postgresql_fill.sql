-- Rows from arithmetic over the row number: the same on every machine. {orders}, {users}, {products} and {tenants} are counts.

INSERT INTO tenants
  SELECT ('00000000-0000-4000-8000-' || lpad(to_hex(g), 12, '0'))::uuid, 'Tenant ' || g, '2024-01-01 00:00:00+00'
  FROM generate_series(1, {tenants}) AS g;

INSERT INTO users (id, email, name, tenant_id, totp_seed, created_at)
  SELECT g, 'user' || g || '@example.com', 'User ' || g, ('00000000-0000-4000-8000-' || lpad(to_hex(1 + ((g * 7919) % {tenants}) * ((g * 104729) % {tenants}) / {tenants}), 12, '0'))::uuid, CASE WHEN g % 10 = 0 THEN upper(lpad(to_hex((g * 2654435761) % 4294967296), 8, '0') || lpad(to_hex((g * 40503) % 4294967296), 8, '0')) END, '2024-01-01 00:00:00+00'
  FROM generate_series(1, {users}::bigint) AS g;

INSERT INTO products (id, sku, name, price_cents, updated_at)
  SELECT g, 'SKU-' || lpad(g::text, 6, '0'), 'Product ' || g, 100 + (g * 7919) % 90000, '2024-01-01 00:00:00+00'
  FROM generate_series(1, {products}::bigint) AS g;

INSERT INTO orders (id, user_id, product_id, quantity, total_cents, status, created_at)
  SELECT g, 1 + (g * 7919) % {users}, 1 + (g * 104729) % {products}, 1 + g % 4, (1 + g % 4) * (100 + (g * 7919) % 90000), (ARRAY['new', 'paid', 'packed', 'shipped', 'shipped'])[1 + g % 5], timestamptz '2024-01-01 00:00:00+00' + (g % 525600) * interval '1 minute'
  FROM generate_series(1, {orders}::bigint) AS g;

SELECT setval(pg_get_serial_sequence('users', 'id'), {users}),
  setval(pg_get_serial_sequence('products', 'id'), {products}),
  setval(pg_get_serial_sequence('orders', 'id'), {orders});

ANALYZE;
