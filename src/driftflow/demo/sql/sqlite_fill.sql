-- Rows from arithmetic over the row number: the same on every machine. {orders}, {users}, {products} and {tenants} are counts.

INSERT INTO tenants WITH RECURSIVE n(g) AS (SELECT 1
  UNION ALL
  SELECT g + 1
  FROM n WHERE g < {tenants})
  SELECT printf('00000000-0000-4000-8000-%012x', g), 'Tenant ' || g, '2024-01-01 00:00:00'
  FROM n;

INSERT INTO users WITH RECURSIVE n(g) AS (SELECT 1
  UNION ALL
  SELECT g + 1
  FROM n WHERE g < {users})
  SELECT g, 'user' || g || '@example.com', 'User ' || g, printf('00000000-0000-4000-8000-%012x', 1 + ((g * 7919) % {tenants}) * ((g * 104729) % {tenants}) / {tenants}), CASE WHEN g % 10 = 0 THEN printf('%08X%08X', (g * 2654435761) % 4294967296, (g * 40503) % 4294967296) END, NULL, '2024-01-01 00:00:00'
  FROM n;

INSERT INTO products WITH RECURSIVE n(g) AS (SELECT 1
  UNION ALL
  SELECT g + 1
  FROM n WHERE g < {products})
  SELECT g, printf('SKU-%06d', g), 'Product ' || g, 100 + (g * 7919) % 90000, '2024-01-01 00:00:00'
  FROM n;

INSERT INTO orders WITH RECURSIVE n(g) AS (SELECT 1
  UNION ALL
  SELECT g + 1
  FROM n WHERE g < {orders})
  SELECT g, 1 + (g * 7919) % {users}, 1 + (g * 104729) % {products}, 1 + g % 4, (1 + g % 4) * (100 + (g * 7919) % 90000),
  CASE g % 5 WHEN 0 THEN 'new' WHEN 1 THEN 'paid' WHEN 2 THEN 'packed' ELSE 'shipped' END, datetime('2024-01-01', '+' || (g % 525600) || ' minutes')
  FROM n;

ANALYZE;
