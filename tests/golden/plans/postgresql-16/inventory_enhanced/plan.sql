-- Plan: 1 migration, 7 steps for postgresql 16.0 (shop)
-- digest f49dd1c3379ceba3ca5d1b9f2e2d6fcf9c7e160be3aa9b977940032649126059
-- What this script does not do: keep a journal, try again after a lock timeout, go on after a crash.

-- ===== expand: before the new application is deployed; the old one does not notice =====

-- step 1 (df7114c4b4.1): Add products.inventory_count, nullable
BEGIN;
SET LOCAL lock_timeout = '250ms';
SET LOCAL statement_timeout = '10000ms';
ALTER TABLE public.products ADD COLUMN inventory_count integer;
COMMIT;
-- undo: ALTER TABLE public.products DROP COLUMN inventory_count

-- ===== migrate: values are moved and proved while both applications may run =====

-- step 2 (c56c9620ac.1): Load inventory.csv into a staging table
CREATE SCHEMA IF NOT EXISTS driftflow;
CREATE TABLE driftflow.stage_products_inventory_count (sku text, on_hand integer);
\copy driftflow.stage_products_inventory_count (sku, on_hand) FROM 'inventory.csv' WITH (FORMAT csv, HEADER true)
-- undo: DROP TABLE IF EXISTS driftflow.stage_products_inventory_count

-- step 3 (f780a86cee.1): Fill products.inventory_count in chunks
-- driftflow runs this in chunks of about 150 ms along (id), each in a transaction with its cursor:
--   UPDATE public.products SET inventory_count = s.on_hand FROM driftflow.stage_products_inventory_count AS s WHERE ((id) > (:low) AND (id) <= (:high)) AND (s.sku = products.sku) AND (products.inventory_count IS NULL AND (s.on_hand) IS NOT NULL);
-- As plain SQL it is one statement, which locks every row until it ends:
UPDATE public.products SET inventory_count = s.on_hand FROM driftflow.stage_products_inventory_count AS s WHERE (s.sku = products.sku) AND (products.inventory_count IS NULL AND (s.on_hand) IS NOT NULL);
-- undo: nothing to do, the values go with the column: the undo that drops products.inventory_count

-- step 4 (2721625499.1): Remove the staging table stage_products_inventory_count
BEGIN;
SET LOCAL lock_timeout = '250ms';
SET LOCAL statement_timeout = '10000ms';
DROP TABLE IF EXISTS driftflow.stage_products_inventory_count;
COMMIT;
-- undo: nothing to do, the staging table is ours and can be loaded again

-- step 5 (b319c57ad0.1): Bind new rows: products_inventory_count_not_negative (NOT VALID)
BEGIN;
SET LOCAL lock_timeout = '250ms';
SET LOCAL statement_timeout = '10000ms';
ALTER TABLE public.products ADD CONSTRAINT products_inventory_count_not_negative CHECK (inventory_count >= 0) NOT VALID;
COMMIT;
-- undo: ALTER TABLE public.products DROP CONSTRAINT products_inventory_count_not_negative

-- step 6 (ba59bd4f69.1): Prove old rows: products_inventory_count_not_negative (VALIDATE)
-- refuse if: SELECT count(*) FROM (SELECT 1 FROM public.products WHERE NOT (inventory_count >= 0) LIMIT 1000) AS offenders
BEGIN;
SET LOCAL lock_timeout = '250ms';
SET LOCAL statement_timeout = '0ms';
ALTER TABLE public.products VALIDATE CONSTRAINT products_inventory_count_not_negative;
COMMIT;
-- undo: nothing to do, a validated constraint forbids nothing that it did not forbid before

-- step 7 (c57d6eb8cb.1): Build the index products_inventory_count_idx on products online
SET lock_timeout = '0ms';
SET statement_timeout = '0ms';
CREATE INDEX CONCURRENTLY products_inventory_count_idx ON public.products (inventory_count);
-- undo: DROP INDEX CONCURRENTLY IF EXISTS public.products_inventory_count_idx
