-- The same, with the counts read from the warehouse's own database (its URL stands in WAREHOUSE_URL).
-- driftflow: backfill column=inventory_count query="SELECT sku, on_hand FROM stock" url-env=WAREHOUSE_URL key=sku value=on_hand match=sku
ALTER TABLE products ADD COLUMN inventory_count int;

ALTER TABLE products ADD CONSTRAINT products_inventory_count_check CHECK (inventory_count >= 0);

CREATE INDEX products_inventory_count_idx ON products (inventory_count);
