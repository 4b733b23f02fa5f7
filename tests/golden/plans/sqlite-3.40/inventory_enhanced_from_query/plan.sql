-- Plan: 1 migration, 5 steps for sqlite 3.40.1 (shop)
-- digest dcc388aaf51ef87c916e3a893874712775fcaa5a163afb370e4f3d3574ed685a
-- What this script does not do: keep a journal, try again after a lock timeout, go on after a crash.

-- ===== expand: before the new application is deployed; the old one does not notice =====

-- step 1 (2f5ef57bbf.1): Add products.inventory_count, nullable
BEGIN;
-- busy timeout 250 ms
ALTER TABLE products ADD COLUMN inventory_count INTEGER CHECK (inventory_count >= 0);
COMMIT;
-- undo: ALTER TABLE products DROP COLUMN inventory_count

-- ===== migrate: values are moved and proved while both applications may run =====

-- step 2 (1f271d64ea.1): Load the answer of WAREHOUSE_URL into a staging table
CREATE TABLE main._driftflow_stage_products_inventory_count (sku TEXT, on_hand INTEGER);
-- driftflow loads it from the database in WAREHOUSE_URL: SELECT sku, on_hand FROM stock
-- undo: DROP TABLE IF EXISTS _driftflow_stage_products_inventory_count

-- step 3 (d8f1b07a86.1): Fill products.inventory_count in chunks
-- driftflow runs this in chunks of about 35 ms along (id), each in a transaction with its cursor:
--   UPDATE main.products SET inventory_count = s.on_hand FROM _driftflow_stage_products_inventory_count AS s WHERE ((id) > (:low) AND (id) <= (:high)) AND (s.sku = products.sku) AND (products.inventory_count IS NULL AND (s.on_hand) IS NOT NULL);
-- As plain SQL it is one statement, which locks every row until it ends:
UPDATE main.products SET inventory_count = s.on_hand FROM _driftflow_stage_products_inventory_count AS s WHERE (s.sku = products.sku) AND (products.inventory_count IS NULL AND (s.on_hand) IS NOT NULL);
-- undo: nothing to do, the values go with the column: the undo that drops products.inventory_count

-- step 4 (61680595bd.1): Remove the staging table _driftflow_stage_products_inventory_count
BEGIN;
-- busy timeout 250 ms
DROP TABLE IF EXISTS _driftflow_stage_products_inventory_count;
COMMIT;
-- undo: nothing to do, the staging table is ours and can be loaded again

-- step 5 (dc556c51ff.1): CREATE INDEX products_inventory_count_idx ON products (inventory_count)
BEGIN;
-- busy timeout 250 ms
CREATE INDEX products_inventory_count_idx ON products (inventory_count);
COMMIT;
-- undo: DROP INDEX products_inventory_count_idx
