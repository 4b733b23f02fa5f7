-- Plan: 1 migration, 6 steps for mysql 9.7 (shop)
-- digest 8d543d195478ffd8e20137b339be47339580e223b64c9cf3cf24ee36bf83aa69
-- What this script does not do: keep a journal, try again after a lock timeout, go on after a crash.
-- note: 001_inventory.sql:5:1: writers wait until it is done, and it cannot be done beside the table: the checks of products would lose their names (products_price_check), which are unique in a database

-- ===== expand: before the new application is deployed; the old one does not notice =====

-- step 1 (cb02f24763.1): Add products.inventory_count, nullable (ALGORITHM=INSTANT, or the server refuses)
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
ALTER TABLE shop.products ADD COLUMN inventory_count int, ALGORITHM=INSTANT;
-- undo: ALTER TABLE shop.products DROP COLUMN inventory_count, ALGORITHM=INSTANT

-- ===== migrate: values are moved and proved while both applications may run =====

-- step 2 (5126c2ec6b.1): Load the answer of WAREHOUSE_URL into a staging table
CREATE SCHEMA IF NOT EXISTS shop;
CREATE TABLE shop._driftflow_stage_products_inventory_count (sku varchar(64), on_hand int);
-- driftflow loads it from the database in WAREHOUSE_URL: SELECT sku, on_hand FROM stock
-- undo: DROP TABLE IF EXISTS shop._driftflow_stage_products_inventory_count

-- step 3 (59c356027c.1): Fill products.inventory_count in chunks
-- driftflow runs this in chunks of about 150 ms along (id), each in a transaction with its cursor:
--   UPDATE shop.products SET inventory_count = s.on_hand, updated_at = products.updated_at FROM shop._driftflow_stage_products_inventory_count AS s WHERE ((id) > (:low) AND (id) <= (:high)) AND (s.sku = products.sku) AND (products.inventory_count IS NULL AND (s.on_hand) IS NOT NULL);
-- As plain SQL it is one statement, which locks every row until it ends:
UPDATE shop.products SET inventory_count = s.on_hand, updated_at = products.updated_at FROM shop._driftflow_stage_products_inventory_count AS s WHERE (s.sku = products.sku) AND (products.inventory_count IS NULL AND (s.on_hand) IS NOT NULL);
-- undo: nothing to do, the values go with the column: the undo that drops products.inventory_count

-- step 4 (79bccbc09e.1): Remove the staging table _driftflow_stage_products_inventory_count
BEGIN;
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
DROP TABLE IF EXISTS shop._driftflow_stage_products_inventory_count;
COMMIT;
-- undo: nothing to do, the staging table is ours and can be loaded again

-- step 5 (7cc5352ca5.1): ALTER TABLE shop.products ADD CONSTRAINT products_inventory_count_check CHECK (inventory_count … (ALGORITHM=COPY, LOCK=SHARED: writers wait until it is done)
-- refuse if: SELECT count(*) FROM (SELECT 1 FROM shop.products WHERE NOT (inventory_count >= 0) LIMIT 1000) AS offenders
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
ALTER TABLE shop.products ADD CONSTRAINT products_inventory_count_check CHECK (inventory_count >= 0), ALGORITHM=COPY, LOCK=SHARED;
-- undo: ALTER TABLE shop.products DROP CONSTRAINT products_inventory_count_check, ALGORITHM=INSTANT

-- step 6 (668f329fc9.1): ALTER TABLE shop.products ADD KEY products_inventory_count_idx (inventory_count) (ALGORITHM=INPLACE, LOCK=NONE, or the server refuses)
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
ALTER TABLE shop.products ADD KEY products_inventory_count_idx (inventory_count), ALGORITHM=INPLACE, LOCK=NONE;
-- undo: ALTER TABLE shop.products DROP INDEX products_inventory_count_idx, ALGORITHM=INPLACE, LOCK=NONE
