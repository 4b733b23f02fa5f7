-- What the shop window asks: every product, and whether it can be ordered.
SELECT sku, name, price_cents FROM products ORDER BY name;

-- The import of the warehouse's price list.
UPDATE products SET price_cents = :price_cents, updated_at = now() WHERE sku = :sku;
