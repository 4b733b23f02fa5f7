-- NULL means "not counted yet": a shop that reads 0 shows "sold out" for everything it has not counted.
-- driftflow: backfill column=inventory_count csv=inventory.csv key=sku value=on_hand match=sku
ALTER TABLE products ADD COLUMN inventory_count int;

ALTER TABLE products ADD CONSTRAINT products_inventory_count_check CHECK (inventory_count >= 0);

CREATE INDEX products_inventory_count_idx ON products (inventory_count);
