-- Plan: 1 migration, 45 steps (1 gate) for mariadb 10.11 (shop)
-- digest 3596b4b682d62fd365299b2118ef713898c3d961f63ea1f70f91341fe45344c0
-- What this script does not do: keep a journal, try again after a lock timeout, go on after a crash.

-- ===== expand: before the new application is deployed; the old one does not notice =====

-- step 1 (b56a76cccd.1): Add products.inventory_count, nullable (ALGORITHM=INSTANT, or the server refuses)
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

-- step 5 (2dc8ba8b97.1): Make a copy of products without rows, in the new form: ADD CONSTRAINT products_inventory_count_check CHECK (inventory_count >= 0)
-- refuse if: SELECT count(*) FROM (SELECT 1 FROM shop.products WHERE NOT (inventory_count >= 0) LIMIT 1000) AS offenders
-- refuse if: SELECT COUNT(DISTINCT TABLE_SCHEMA, TABLE_NAME) FROM information_schema.KEY_COLUMN_USAGE WHERE REFERENCED_TABLE_SCHEMA = 'shop' AND REFERENCED_TABLE_NAME = 'products' AND NOT (TABLE_SCHEMA = 'shop' AND TABLE_NAME = 'products' OR TABLE_SCHEMA = 'shop' AND TABLE_NAME = 'orders')
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
CREATE TABLE shop._driftflow_making_products_251f7a LIKE shop.products;
ALTER TABLE shop._driftflow_making_products_251f7a ADD CONSTRAINT products_inventory_count_check CHECK (inventory_count >= 0);
RENAME TABLE shop._driftflow_making_products_251f7a TO shop.zzz_driftflow_new_products_251f7a;
-- undo: DROP TABLE IF EXISTS shop.zzz_driftflow_new_products_251f7a

-- step 6 (5745a0b712.1): Keep the form of products, to see whether it stays the same
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
CREATE TABLE shop._driftflow_form_products_251f7a LIKE shop.products;
-- undo: DROP TABLE IF EXISTS shop._driftflow_form_products_251f7a

-- step 7 (1f31eeab09.1): Make a table for the keys of rows of products that are written meanwhile
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
CREATE TABLE IF NOT EXISTS shop.zzz_driftflow_log_products_251f7a_now (driftflow_id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY, driftflow_seq bigint unsigned NULL, driftflow_out tinyint NOT NULL DEFAULT 0, driftflow_k1 bigint NULL) ENGINE=InnoDB;
CREATE TABLE shop.zzz_driftflow_log_products_251f7a (driftflow_seq bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY, driftflow_k1 bigint NULL) ENGINE=InnoDB;
-- undo: DROP TABLE IF EXISTS shop.zzz_driftflow_log_products_251f7a, shop.zzz_driftflow_log_products_251f7a_now

-- step 8 (a4ec501147.1): Make a table for the keys of rows of products that are written meanwhile
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
CREATE TABLE IF NOT EXISTS shop.zzz_driftflow_back_products_251f7a_now (driftflow_id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY, driftflow_seq bigint unsigned NULL, driftflow_out tinyint NOT NULL DEFAULT 0, driftflow_k1 bigint NULL) ENGINE=InnoDB;
CREATE TABLE shop.zzz_driftflow_back_products_251f7a (driftflow_seq bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY, driftflow_k1 bigint NULL) ENGINE=InnoDB;
-- undo: DROP TABLE IF EXISTS shop.zzz_driftflow_back_products_251f7a, shop.zzz_driftflow_back_products_251f7a_now

-- step 9 (ebe61ff767.1): Note the keys of rows of products (trigger on DELETE)
-- refuse if: SELECT count(*) FROM (SELECT 1 AS one) AS asked WHERE @@GLOBAL.log_bin = 1 AND @@GLOBAL.log_bin_trust_function_creators = 0 AND COALESCE(CURRENT_ROLE(), 'NONE') = 'NONE' AND NOT EXISTS (SELECT 1 FROM information_schema.USER_PRIVILEGES WHERE GRANTEE = CONCAT('''', REPLACE(CURRENT_USER(), '@', '''@'''), '''') AND PRIVILEGE_TYPE = 'SUPER')
-- refuse if: SELECT count(*) FROM (SELECT 1 AS one) AS asked WHERE COALESCE(CURRENT_ROLE(), 'NONE') = 'NONE' AND NOT EXISTS (SELECT 1 FROM information_schema.USER_PRIVILEGES WHERE GRANTEE = CONCAT('''', REPLACE(CURRENT_USER(), '@', '''@'''), '''') AND PRIVILEGE_TYPE = 'TRIGGER') AND NOT EXISTS (SELECT 1 FROM information_schema.SCHEMA_PRIVILEGES WHERE GRANTEE = CONCAT('''', REPLACE(CURRENT_USER(), '@', '''@'''), '''') AND PRIVILEGE_TYPE = 'TRIGGER' AND 'shop' LIKE TABLE_SCHEMA) AND NOT EXISTS (SELECT 1 FROM information_schema.TABLE_PRIVILEGES WHERE GRANTEE = CONCAT('''', REPLACE(CURRENT_USER(), '@', '''@'''), '''') AND PRIVILEGE_TYPE = 'TRIGGER' AND TABLE_SCHEMA = 'shop' AND TABLE_NAME = 'products')
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
SET sql_mode = 'STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES';
CREATE TRIGGER shop.zzz_driftflow_note_products_251f7a_delete AFTER DELETE ON shop.products FOR EACH ROW BEGIN IF 0 THEN INSERT INTO shop.zzz_driftflow_log_products_251f7a VALUES (); INSERT INTO shop.zzz_driftflow_new_products_251f7a VALUES (); INSERT INTO shop.zzz_driftflow_back_products_251f7a VALUES (); END IF; INSERT INTO shop.zzz_driftflow_log_products_251f7a (driftflow_k1) VALUES (OLD.id); END;
SET sql_mode = DEFAULT;
-- undo: DROP TRIGGER IF EXISTS shop.zzz_driftflow_note_products_251f7a_delete

-- step 10 (fc5595da3e.1): Note the keys of rows of products (trigger on UPDATE)
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
SET sql_mode = 'STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES';
CREATE TRIGGER shop.zzz_driftflow_note_products_251f7a_update AFTER UPDATE ON shop.products FOR EACH ROW BEGIN IF 0 THEN INSERT INTO shop.zzz_driftflow_log_products_251f7a VALUES (); INSERT INTO shop.zzz_driftflow_new_products_251f7a VALUES (); INSERT INTO shop.zzz_driftflow_back_products_251f7a VALUES (); END IF; IF NOT (OLD.id <=> NEW.id) THEN INSERT INTO shop.zzz_driftflow_log_products_251f7a (driftflow_k1) VALUES (OLD.id), (NEW.id); ELSE INSERT INTO shop.zzz_driftflow_log_products_251f7a (driftflow_k1) VALUES (OLD.id); END IF; END;
SET sql_mode = DEFAULT;
-- undo: DROP TRIGGER IF EXISTS shop.zzz_driftflow_note_products_251f7a_update

-- step 11 (ebeee4db22.1): Note the keys of rows of products (trigger on INSERT)
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
SET sql_mode = 'STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES';
CREATE TRIGGER shop.zzz_driftflow_note_products_251f7a_insert AFTER INSERT ON shop.products FOR EACH ROW BEGIN IF 0 THEN INSERT INTO shop.zzz_driftflow_log_products_251f7a VALUES (); INSERT INTO shop.zzz_driftflow_new_products_251f7a VALUES (); INSERT INTO shop.zzz_driftflow_back_products_251f7a VALUES (); END IF; INSERT INTO shop.zzz_driftflow_log_products_251f7a (driftflow_k1) VALUES (NEW.id); END;
SET sql_mode = DEFAULT;
-- undo: DROP TRIGGER IF EXISTS shop.zzz_driftflow_note_products_251f7a_insert

-- step 12 (59bd641256.1): Copy products into its new form in chunks
-- driftflow runs this in chunks of about 150 ms along (id), each in a transaction with its cursor:
--   INSERT INTO shop.zzz_driftflow_new_products_251f7a (id, sku, name, price_cents, updated_at, inventory_count) SELECT id, sku, name, price_cents, updated_at, inventory_count FROM shop.products WHERE ((id) > (:low) AND (id) <= (:high));
-- As plain SQL it is one statement, which locks every row until it ends:
INSERT INTO shop.zzz_driftflow_new_products_251f7a (id, sku, name, price_cents, updated_at, inventory_count) SELECT id, sku, name, price_cents, updated_at, inventory_count FROM shop.products WHERE true;
-- undo: nothing to do, the rows go with zzz_driftflow_new_products_251f7a

-- step 13 (2c77219a17.1): Copy again the rows of products that were written meanwhile
-- driftflow runs this in chunks of about 150 ms along (driftflow_seq), each in a transaction with its cursor:
--   INSERT INTO shop.zzz_driftflow_log_products_251f7a_now (driftflow_seq, driftflow_k1) SELECT driftflow_seq, driftflow_k1 FROM shop.zzz_driftflow_log_products_251f7a WHERE ((driftflow_seq) > (:low) AND (driftflow_seq) <= (:high)) AND (1 = 1); SELECT COUNT(*) FROM (SELECT DISTINCT driftflow_k1 FROM shop.zzz_driftflow_log_products_251f7a_now WHERE driftflow_out = 0) AS moved STRAIGHT_JOIN shop.products FORCE INDEX (`PRIMARY`) ON shop.products.id = moved.driftflow_k1 LOCK IN SHARE MODE NOWAIT; SELECT COUNT(*) FROM shop.zzz_driftflow_log_products_251f7a_now STRAIGHT_JOIN shop.zzz_driftflow_new_products_251f7a FORCE INDEX (`PRIMARY`) ON shop.zzz_driftflow_new_products_251f7a.id = shop.zzz_driftflow_log_products_251f7a_now.driftflow_k1 WHERE shop.zzz_driftflow_log_products_251f7a_now.driftflow_out = 0 FOR UPDATE NOWAIT; DELETE shop.zzz_driftflow_new_products_251f7a FROM shop.zzz_driftflow_log_products_251f7a_now STRAIGHT_JOIN shop.zzz_driftflow_new_products_251f7a FORCE INDEX (`PRIMARY`) ON shop.zzz_driftflow_new_products_251f7a.id = shop.zzz_driftflow_log_products_251f7a_now.driftflow_k1 WHERE shop.zzz_driftflow_log_products_251f7a_now.driftflow_out = 0; INSERT INTO shop.zzz_driftflow_log_products_251f7a_now (driftflow_out, driftflow_k1) SELECT DISTINCT 1, shop.zzz_driftflow_new_products_251f7a.id FROM (SELECT DISTINCT driftflow_k1 FROM shop.zzz_driftflow_log_products_251f7a_now WHERE driftflow_out = 0) AS moved STRAIGHT_JOIN shop.products FORCE INDEX (`PRIMARY`) ON shop.products.id = moved.driftflow_k1 STRAIGHT_JOIN shop.zzz_driftflow_new_products_251f7a ON shop.zzz_driftflow_new_products_251f7a.sku = shop.products.sku AND NOT (shop.zzz_driftflow_new_products_251f7a.id = moved.driftflow_k1); SELECT COUNT(*) FROM shop.zzz_driftflow_log_products_251f7a_now STRAIGHT_JOIN shop.zzz_driftflow_new_products_251f7a FORCE INDEX (`PRIMARY`) ON shop.zzz_driftflow_new_products_251f7a.id = shop.zzz_driftflow_log_products_251f7a_now.driftflow_k1 WHERE shop.zzz_driftflow_log_products_251f7a_now.driftflow_out = 1 FOR UPDATE NOWAIT; DELETE shop.zzz_driftflow_new_products_251f7a FROM shop.zzz_driftflow_log_products_251f7a_now STRAIGHT_JOIN shop.zzz_driftflow_new_products_251f7a FORCE INDEX (`PRIMARY`) ON shop.zzz_driftflow_new_products_251f7a.id = shop.zzz_driftflow_log_products_251f7a_now.driftflow_k1 WHERE shop.zzz_driftflow_log_products_251f7a_now.driftflow_out = 1; INSERT INTO shop.zzz_driftflow_log_products_251f7a (driftflow_k1) SELECT driftflow_k1 FROM shop.zzz_driftflow_log_products_251f7a_now WHERE driftflow_out = 1; DELETE FROM shop.zzz_driftflow_log_products_251f7a_now WHERE driftflow_out = 1; INSERT INTO shop.zzz_driftflow_new_products_251f7a (id, sku, name, price_cents, updated_at, inventory_count) SELECT id, sku, name, price_cents, updated_at, inventory_count FROM (SELECT DISTINCT driftflow_k1 FROM shop.zzz_driftflow_log_products_251f7a_now WHERE driftflow_out = 0) AS moved STRAIGHT_JOIN shop.products FORCE INDEX (`PRIMARY`) ON shop.products.id = moved.driftflow_k1 LOCK IN SHARE MODE NOWAIT; DELETE shop.zzz_driftflow_log_products_251f7a FROM shop.zzz_driftflow_log_products_251f7a_now STRAIGHT_JOIN shop.zzz_driftflow_log_products_251f7a ON shop.zzz_driftflow_log_products_251f7a.driftflow_seq = shop.zzz_driftflow_log_products_251f7a_now.driftflow_seq; DELETE FROM shop.zzz_driftflow_log_products_251f7a_now;
-- As plain SQL it is one statement, which locks every row until it ends:
INSERT INTO shop.zzz_driftflow_log_products_251f7a_now (driftflow_seq, driftflow_k1) SELECT driftflow_seq, driftflow_k1 FROM shop.zzz_driftflow_log_products_251f7a WHERE (1 = 1);
SELECT COUNT(*) FROM (SELECT DISTINCT driftflow_k1 FROM shop.zzz_driftflow_log_products_251f7a_now WHERE driftflow_out = 0) AS moved STRAIGHT_JOIN shop.products FORCE INDEX (`PRIMARY`) ON shop.products.id = moved.driftflow_k1 LOCK IN SHARE MODE NOWAIT;
SELECT COUNT(*) FROM shop.zzz_driftflow_log_products_251f7a_now STRAIGHT_JOIN shop.zzz_driftflow_new_products_251f7a FORCE INDEX (`PRIMARY`) ON shop.zzz_driftflow_new_products_251f7a.id = shop.zzz_driftflow_log_products_251f7a_now.driftflow_k1 WHERE shop.zzz_driftflow_log_products_251f7a_now.driftflow_out = 0 FOR UPDATE NOWAIT;
DELETE shop.zzz_driftflow_new_products_251f7a FROM shop.zzz_driftflow_log_products_251f7a_now STRAIGHT_JOIN shop.zzz_driftflow_new_products_251f7a FORCE INDEX (`PRIMARY`) ON shop.zzz_driftflow_new_products_251f7a.id = shop.zzz_driftflow_log_products_251f7a_now.driftflow_k1 WHERE shop.zzz_driftflow_log_products_251f7a_now.driftflow_out = 0;
INSERT INTO shop.zzz_driftflow_log_products_251f7a_now (driftflow_out, driftflow_k1) SELECT DISTINCT 1, shop.zzz_driftflow_new_products_251f7a.id FROM (SELECT DISTINCT driftflow_k1 FROM shop.zzz_driftflow_log_products_251f7a_now WHERE driftflow_out = 0) AS moved STRAIGHT_JOIN shop.products FORCE INDEX (`PRIMARY`) ON shop.products.id = moved.driftflow_k1 STRAIGHT_JOIN shop.zzz_driftflow_new_products_251f7a ON shop.zzz_driftflow_new_products_251f7a.sku = shop.products.sku AND NOT (shop.zzz_driftflow_new_products_251f7a.id = moved.driftflow_k1);
SELECT COUNT(*) FROM shop.zzz_driftflow_log_products_251f7a_now STRAIGHT_JOIN shop.zzz_driftflow_new_products_251f7a FORCE INDEX (`PRIMARY`) ON shop.zzz_driftflow_new_products_251f7a.id = shop.zzz_driftflow_log_products_251f7a_now.driftflow_k1 WHERE shop.zzz_driftflow_log_products_251f7a_now.driftflow_out = 1 FOR UPDATE NOWAIT;
DELETE shop.zzz_driftflow_new_products_251f7a FROM shop.zzz_driftflow_log_products_251f7a_now STRAIGHT_JOIN shop.zzz_driftflow_new_products_251f7a FORCE INDEX (`PRIMARY`) ON shop.zzz_driftflow_new_products_251f7a.id = shop.zzz_driftflow_log_products_251f7a_now.driftflow_k1 WHERE shop.zzz_driftflow_log_products_251f7a_now.driftflow_out = 1;
INSERT INTO shop.zzz_driftflow_log_products_251f7a (driftflow_k1) SELECT driftflow_k1 FROM shop.zzz_driftflow_log_products_251f7a_now WHERE driftflow_out = 1;
DELETE FROM shop.zzz_driftflow_log_products_251f7a_now WHERE driftflow_out = 1;
INSERT INTO shop.zzz_driftflow_new_products_251f7a (id, sku, name, price_cents, updated_at, inventory_count) SELECT id, sku, name, price_cents, updated_at, inventory_count FROM (SELECT DISTINCT driftflow_k1 FROM shop.zzz_driftflow_log_products_251f7a_now WHERE driftflow_out = 0) AS moved STRAIGHT_JOIN shop.products FORCE INDEX (`PRIMARY`) ON shop.products.id = moved.driftflow_k1 LOCK IN SHARE MODE NOWAIT;
DELETE shop.zzz_driftflow_log_products_251f7a FROM shop.zzz_driftflow_log_products_251f7a_now STRAIGHT_JOIN shop.zzz_driftflow_log_products_251f7a ON shop.zzz_driftflow_log_products_251f7a.driftflow_seq = shop.zzz_driftflow_log_products_251f7a_now.driftflow_seq;
DELETE FROM shop.zzz_driftflow_log_products_251f7a_now;
-- undo: nothing to do, the rows go with zzz_driftflow_new_products_251f7a

-- step 14 (70e66d7e22.1): Write rows of products to zzz_driftflow_new_products_251f7a too (trigger on DELETE)
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
SET sql_mode = 'STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES';
CREATE TRIGGER shop.zzz_driftflow_copy_products_251f7a_delete AFTER DELETE ON shop.products FOR EACH ROW BEGIN IF 0 THEN INSERT INTO shop.zzz_driftflow_log_products_251f7a VALUES (); INSERT INTO shop.zzz_driftflow_new_products_251f7a VALUES (); INSERT INTO shop.zzz_driftflow_back_products_251f7a VALUES (); END IF; BEGIN DECLARE EXIT HANDLER FOR 1216, 1217, 1451, 1452 RESIGNAL; DECLARE EXIT HANDLER FOR SQLSTATE '22001', SQLSTATE '22003', SQLSTATE '22004', SQLSTATE '22007', SQLSTATE '22008', SQLSTATE '22012', SQLSTATE '22018', SQLSTATE '22023', SQLSTATE '22032', SQLSTATE '23000', 1264, 1265, 1292, 1300, 1364, 1366, 1367, 1406, 1411, 1416, 1526, 1690, 1748, 1977, 3819, 3854, 4025 INSERT INTO shop.zzz_driftflow_log_products_251f7a (driftflow_k1) VALUES (OLD.id); DELETE FROM shop.zzz_driftflow_new_products_251f7a WHERE shop.zzz_driftflow_new_products_251f7a.id = OLD.id; END; END;
SET sql_mode = DEFAULT;
-- undo: DROP TRIGGER IF EXISTS shop.zzz_driftflow_copy_products_251f7a_delete

-- step 15 (ef008db570.1): Write rows of products to zzz_driftflow_new_products_251f7a too (trigger on UPDATE)
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
SET sql_mode = 'STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES';
CREATE TRIGGER shop.zzz_driftflow_copy_products_251f7a_update AFTER UPDATE ON shop.products FOR EACH ROW BEGIN IF 0 THEN INSERT INTO shop.zzz_driftflow_log_products_251f7a VALUES (); INSERT INTO shop.zzz_driftflow_new_products_251f7a VALUES (); INSERT INTO shop.zzz_driftflow_back_products_251f7a VALUES (); END IF; BEGIN DECLARE EXIT HANDLER FOR 1216, 1217, 1451, 1452 RESIGNAL; DECLARE EXIT HANDLER FOR SQLSTATE '22001', SQLSTATE '22003', SQLSTATE '22004', SQLSTATE '22007', SQLSTATE '22008', SQLSTATE '22012', SQLSTATE '22018', SQLSTATE '22023', SQLSTATE '22032', SQLSTATE '23000', 1264, 1265, 1292, 1300, 1364, 1366, 1367, 1406, 1411, 1416, 1526, 1690, 1748, 1977, 3819, 3854, 4025 INSERT INTO shop.zzz_driftflow_log_products_251f7a (driftflow_k1) VALUES (OLD.id), (NEW.id); IF NOT (OLD.id <=> NEW.id) THEN UPDATE shop.zzz_driftflow_new_products_251f7a SET id = NEW.id, sku = NEW.sku, name = NEW.name, price_cents = NEW.price_cents, updated_at = NEW.updated_at, inventory_count = NEW.inventory_count WHERE shop.zzz_driftflow_new_products_251f7a.id = OLD.id; IF ROW_COUNT() = 0 THEN INSERT INTO shop.zzz_driftflow_new_products_251f7a (id, sku, name, price_cents, updated_at, inventory_count) VALUES (NEW.id, NEW.sku, NEW.name, NEW.price_cents, NEW.updated_at, NEW.inventory_count); END IF; ELSE UPDATE shop.zzz_driftflow_new_products_251f7a SET id = NEW.id, sku = NEW.sku, name = NEW.name, price_cents = NEW.price_cents, updated_at = NEW.updated_at, inventory_count = NEW.inventory_count WHERE shop.zzz_driftflow_new_products_251f7a.id = OLD.id; END IF; END; END;
SET sql_mode = DEFAULT;
-- undo: DROP TRIGGER IF EXISTS shop.zzz_driftflow_copy_products_251f7a_update

-- step 16 (14632d62b6.1): Write rows of products to zzz_driftflow_new_products_251f7a too (trigger on INSERT)
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
SET sql_mode = 'STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES';
CREATE TRIGGER shop.zzz_driftflow_copy_products_251f7a_insert AFTER INSERT ON shop.products FOR EACH ROW BEGIN IF 0 THEN INSERT INTO shop.zzz_driftflow_log_products_251f7a VALUES (); INSERT INTO shop.zzz_driftflow_new_products_251f7a VALUES (); INSERT INTO shop.zzz_driftflow_back_products_251f7a VALUES (); END IF; BEGIN DECLARE EXIT HANDLER FOR 1216, 1217, 1451, 1452 RESIGNAL; DECLARE EXIT HANDLER FOR SQLSTATE '22001', SQLSTATE '22003', SQLSTATE '22004', SQLSTATE '22007', SQLSTATE '22008', SQLSTATE '22012', SQLSTATE '22018', SQLSTATE '22023', SQLSTATE '22032', SQLSTATE '23000', 1264, 1265, 1292, 1300, 1364, 1366, 1367, 1406, 1411, 1416, 1526, 1690, 1748, 1977, 3819, 3854, 4025 INSERT INTO shop.zzz_driftflow_log_products_251f7a (driftflow_k1) VALUES (NEW.id); INSERT INTO shop.zzz_driftflow_new_products_251f7a (id, sku, name, price_cents, updated_at, inventory_count) VALUES (NEW.id, NEW.sku, NEW.name, NEW.price_cents, NEW.updated_at, NEW.inventory_count); END; END;
SET sql_mode = DEFAULT;
-- undo: DROP TRIGGER IF EXISTS shop.zzz_driftflow_copy_products_251f7a_insert

-- step 17 (2151ffe1da.1): Take away the trigger zzz_driftflow_note_products_251f7a_delete
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
DROP TRIGGER IF EXISTS shop.zzz_driftflow_note_products_251f7a_delete;
-- undo: nothing to do, it goes with what it belongs to

-- step 18 (43fde2b6eb.1): Take away the trigger zzz_driftflow_note_products_251f7a_update
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
DROP TRIGGER IF EXISTS shop.zzz_driftflow_note_products_251f7a_update;
-- undo: nothing to do, it goes with what it belongs to

-- step 19 (be8fffabc2.1): Take away the trigger zzz_driftflow_note_products_251f7a_insert
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
DROP TRIGGER IF EXISTS shop.zzz_driftflow_note_products_251f7a_insert;
-- undo: nothing to do, it goes with what it belongs to

-- step 20 (3ae6f1fcc5.1): Copy again the last rows of products that were noted
-- driftflow runs this in chunks of about 150 ms along (driftflow_seq), each in a transaction with its cursor:
--   INSERT INTO shop.zzz_driftflow_log_products_251f7a_now (driftflow_seq, driftflow_k1) SELECT driftflow_seq, driftflow_k1 FROM shop.zzz_driftflow_log_products_251f7a WHERE ((driftflow_seq) > (:low) AND (driftflow_seq) <= (:high)) AND (1 = 1); SELECT COUNT(*) FROM (SELECT DISTINCT driftflow_k1 FROM shop.zzz_driftflow_log_products_251f7a_now WHERE driftflow_out = 0) AS moved STRAIGHT_JOIN shop.products FORCE INDEX (`PRIMARY`) ON shop.products.id = moved.driftflow_k1 LOCK IN SHARE MODE NOWAIT; SELECT COUNT(*) FROM shop.zzz_driftflow_log_products_251f7a_now STRAIGHT_JOIN shop.zzz_driftflow_new_products_251f7a FORCE INDEX (`PRIMARY`) ON shop.zzz_driftflow_new_products_251f7a.id = shop.zzz_driftflow_log_products_251f7a_now.driftflow_k1 WHERE shop.zzz_driftflow_log_products_251f7a_now.driftflow_out = 0 FOR UPDATE NOWAIT; DELETE shop.zzz_driftflow_new_products_251f7a FROM shop.zzz_driftflow_log_products_251f7a_now STRAIGHT_JOIN shop.zzz_driftflow_new_products_251f7a FORCE INDEX (`PRIMARY`) ON shop.zzz_driftflow_new_products_251f7a.id = shop.zzz_driftflow_log_products_251f7a_now.driftflow_k1 WHERE shop.zzz_driftflow_log_products_251f7a_now.driftflow_out = 0; INSERT INTO shop.zzz_driftflow_log_products_251f7a_now (driftflow_out, driftflow_k1) SELECT DISTINCT 1, shop.zzz_driftflow_new_products_251f7a.id FROM (SELECT DISTINCT driftflow_k1 FROM shop.zzz_driftflow_log_products_251f7a_now WHERE driftflow_out = 0) AS moved STRAIGHT_JOIN shop.products FORCE INDEX (`PRIMARY`) ON shop.products.id = moved.driftflow_k1 STRAIGHT_JOIN shop.zzz_driftflow_new_products_251f7a ON shop.zzz_driftflow_new_products_251f7a.sku = shop.products.sku AND NOT (shop.zzz_driftflow_new_products_251f7a.id = moved.driftflow_k1); SELECT COUNT(*) FROM shop.zzz_driftflow_log_products_251f7a_now STRAIGHT_JOIN shop.zzz_driftflow_new_products_251f7a FORCE INDEX (`PRIMARY`) ON shop.zzz_driftflow_new_products_251f7a.id = shop.zzz_driftflow_log_products_251f7a_now.driftflow_k1 WHERE shop.zzz_driftflow_log_products_251f7a_now.driftflow_out = 1 FOR UPDATE NOWAIT; DELETE shop.zzz_driftflow_new_products_251f7a FROM shop.zzz_driftflow_log_products_251f7a_now STRAIGHT_JOIN shop.zzz_driftflow_new_products_251f7a FORCE INDEX (`PRIMARY`) ON shop.zzz_driftflow_new_products_251f7a.id = shop.zzz_driftflow_log_products_251f7a_now.driftflow_k1 WHERE shop.zzz_driftflow_log_products_251f7a_now.driftflow_out = 1; INSERT INTO shop.zzz_driftflow_log_products_251f7a (driftflow_k1) SELECT driftflow_k1 FROM shop.zzz_driftflow_log_products_251f7a_now WHERE driftflow_out = 1; DELETE FROM shop.zzz_driftflow_log_products_251f7a_now WHERE driftflow_out = 1; INSERT INTO shop.zzz_driftflow_new_products_251f7a (id, sku, name, price_cents, updated_at, inventory_count) SELECT id, sku, name, price_cents, updated_at, inventory_count FROM (SELECT DISTINCT driftflow_k1 FROM shop.zzz_driftflow_log_products_251f7a_now WHERE driftflow_out = 0) AS moved STRAIGHT_JOIN shop.products FORCE INDEX (`PRIMARY`) ON shop.products.id = moved.driftflow_k1 LOCK IN SHARE MODE NOWAIT; DELETE shop.zzz_driftflow_log_products_251f7a FROM shop.zzz_driftflow_log_products_251f7a_now STRAIGHT_JOIN shop.zzz_driftflow_log_products_251f7a ON shop.zzz_driftflow_log_products_251f7a.driftflow_seq = shop.zzz_driftflow_log_products_251f7a_now.driftflow_seq; DELETE FROM shop.zzz_driftflow_log_products_251f7a_now;
-- As plain SQL it is one statement, which locks every row until it ends:
INSERT INTO shop.zzz_driftflow_log_products_251f7a_now (driftflow_seq, driftflow_k1) SELECT driftflow_seq, driftflow_k1 FROM shop.zzz_driftflow_log_products_251f7a WHERE (1 = 1);
SELECT COUNT(*) FROM (SELECT DISTINCT driftflow_k1 FROM shop.zzz_driftflow_log_products_251f7a_now WHERE driftflow_out = 0) AS moved STRAIGHT_JOIN shop.products FORCE INDEX (`PRIMARY`) ON shop.products.id = moved.driftflow_k1 LOCK IN SHARE MODE NOWAIT;
SELECT COUNT(*) FROM shop.zzz_driftflow_log_products_251f7a_now STRAIGHT_JOIN shop.zzz_driftflow_new_products_251f7a FORCE INDEX (`PRIMARY`) ON shop.zzz_driftflow_new_products_251f7a.id = shop.zzz_driftflow_log_products_251f7a_now.driftflow_k1 WHERE shop.zzz_driftflow_log_products_251f7a_now.driftflow_out = 0 FOR UPDATE NOWAIT;
DELETE shop.zzz_driftflow_new_products_251f7a FROM shop.zzz_driftflow_log_products_251f7a_now STRAIGHT_JOIN shop.zzz_driftflow_new_products_251f7a FORCE INDEX (`PRIMARY`) ON shop.zzz_driftflow_new_products_251f7a.id = shop.zzz_driftflow_log_products_251f7a_now.driftflow_k1 WHERE shop.zzz_driftflow_log_products_251f7a_now.driftflow_out = 0;
INSERT INTO shop.zzz_driftflow_log_products_251f7a_now (driftflow_out, driftflow_k1) SELECT DISTINCT 1, shop.zzz_driftflow_new_products_251f7a.id FROM (SELECT DISTINCT driftflow_k1 FROM shop.zzz_driftflow_log_products_251f7a_now WHERE driftflow_out = 0) AS moved STRAIGHT_JOIN shop.products FORCE INDEX (`PRIMARY`) ON shop.products.id = moved.driftflow_k1 STRAIGHT_JOIN shop.zzz_driftflow_new_products_251f7a ON shop.zzz_driftflow_new_products_251f7a.sku = shop.products.sku AND NOT (shop.zzz_driftflow_new_products_251f7a.id = moved.driftflow_k1);
SELECT COUNT(*) FROM shop.zzz_driftflow_log_products_251f7a_now STRAIGHT_JOIN shop.zzz_driftflow_new_products_251f7a FORCE INDEX (`PRIMARY`) ON shop.zzz_driftflow_new_products_251f7a.id = shop.zzz_driftflow_log_products_251f7a_now.driftflow_k1 WHERE shop.zzz_driftflow_log_products_251f7a_now.driftflow_out = 1 FOR UPDATE NOWAIT;
DELETE shop.zzz_driftflow_new_products_251f7a FROM shop.zzz_driftflow_log_products_251f7a_now STRAIGHT_JOIN shop.zzz_driftflow_new_products_251f7a FORCE INDEX (`PRIMARY`) ON shop.zzz_driftflow_new_products_251f7a.id = shop.zzz_driftflow_log_products_251f7a_now.driftflow_k1 WHERE shop.zzz_driftflow_log_products_251f7a_now.driftflow_out = 1;
INSERT INTO shop.zzz_driftflow_log_products_251f7a (driftflow_k1) SELECT driftflow_k1 FROM shop.zzz_driftflow_log_products_251f7a_now WHERE driftflow_out = 1;
DELETE FROM shop.zzz_driftflow_log_products_251f7a_now WHERE driftflow_out = 1;
INSERT INTO shop.zzz_driftflow_new_products_251f7a (id, sku, name, price_cents, updated_at, inventory_count) SELECT id, sku, name, price_cents, updated_at, inventory_count FROM (SELECT DISTINCT driftflow_k1 FROM shop.zzz_driftflow_log_products_251f7a_now WHERE driftflow_out = 0) AS moved STRAIGHT_JOIN shop.products FORCE INDEX (`PRIMARY`) ON shop.products.id = moved.driftflow_k1 LOCK IN SHARE MODE NOWAIT;
DELETE shop.zzz_driftflow_log_products_251f7a FROM shop.zzz_driftflow_log_products_251f7a_now STRAIGHT_JOIN shop.zzz_driftflow_log_products_251f7a ON shop.zzz_driftflow_log_products_251f7a.driftflow_seq = shop.zzz_driftflow_log_products_251f7a_now.driftflow_seq;
DELETE FROM shop.zzz_driftflow_log_products_251f7a_now;
-- undo: nothing to do, the rows go with zzz_driftflow_new_products_251f7a

-- step 21 (0bff3a4007.1): Verify that zzz_driftflow_new_products_251f7a holds every row of products, and no other
-- zzz_driftflow_new_products_251f7a holds every row of products, and no other: gives 0
SELECT (SELECT COUNT(*) FROM (SELECT id AS driftflow_k1, id AS driftflow_v1, sku AS driftflow_v2, name AS driftflow_v3, price_cents AS driftflow_v4, updated_at AS driftflow_v5, inventory_count AS driftflow_v6 FROM shop.products) AS now_there LEFT JOIN shop.zzz_driftflow_new_products_251f7a ON shop.zzz_driftflow_new_products_251f7a.id = now_there.driftflow_k1 WHERE shop.zzz_driftflow_new_products_251f7a.id IS NULL OR NOT (now_there.driftflow_v1 <=> shop.zzz_driftflow_new_products_251f7a.id) OR NOT (now_there.driftflow_v2 <=> shop.zzz_driftflow_new_products_251f7a.sku) OR NOT (now_there.driftflow_v3 <=> shop.zzz_driftflow_new_products_251f7a.name) OR NOT (now_there.driftflow_v4 <=> shop.zzz_driftflow_new_products_251f7a.price_cents) OR NOT (now_there.driftflow_v5 <=> shop.zzz_driftflow_new_products_251f7a.updated_at) OR NOT (now_there.driftflow_v6 <=> shop.zzz_driftflow_new_products_251f7a.inventory_count)) + (SELECT COUNT(*) FROM shop.zzz_driftflow_new_products_251f7a LEFT JOIN shop.products ON shop.zzz_driftflow_new_products_251f7a.id = shop.products.id WHERE shop.products.id IS NULL);
-- undo: nothing to do, it changes nothing

-- step 22 (453287d654.1): Note the keys of rows of zzz_driftflow_new_products_251f7a (trigger on DELETE)
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
SET sql_mode = 'STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES';
CREATE TRIGGER shop.zzz_driftflow_note_products_251f7a_back_delete AFTER DELETE ON shop.zzz_driftflow_new_products_251f7a FOR EACH ROW BEGIN IF 0 THEN INSERT INTO shop.zzz_driftflow_back_products_251f7a VALUES (); INSERT INTO shop.zzz_driftflow_old_products_251f7a VALUES (); END IF; INSERT INTO shop.zzz_driftflow_back_products_251f7a (driftflow_k1) VALUES (OLD.id); END;
SET sql_mode = DEFAULT;
-- undo: DROP TRIGGER IF EXISTS shop.zzz_driftflow_note_products_251f7a_back_delete

-- step 23 (15b7be7f10.1): Note the keys of rows of zzz_driftflow_new_products_251f7a (trigger on UPDATE)
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
SET sql_mode = 'STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES';
CREATE TRIGGER shop.zzz_driftflow_note_products_251f7a_back_update AFTER UPDATE ON shop.zzz_driftflow_new_products_251f7a FOR EACH ROW BEGIN IF 0 THEN INSERT INTO shop.zzz_driftflow_back_products_251f7a VALUES (); INSERT INTO shop.zzz_driftflow_old_products_251f7a VALUES (); END IF; IF NOT (OLD.id <=> NEW.id) THEN INSERT INTO shop.zzz_driftflow_back_products_251f7a (driftflow_k1) VALUES (OLD.id), (NEW.id); ELSE INSERT INTO shop.zzz_driftflow_back_products_251f7a (driftflow_k1) VALUES (OLD.id); END IF; END;
SET sql_mode = DEFAULT;
-- undo: DROP TRIGGER IF EXISTS shop.zzz_driftflow_note_products_251f7a_back_update

-- step 24 (f01b2b26d0.1): Note the keys of rows of zzz_driftflow_new_products_251f7a (trigger on INSERT)
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
SET sql_mode = 'STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES';
CREATE TRIGGER shop.zzz_driftflow_note_products_251f7a_back_insert AFTER INSERT ON shop.zzz_driftflow_new_products_251f7a FOR EACH ROW BEGIN IF 0 THEN INSERT INTO shop.zzz_driftflow_back_products_251f7a VALUES (); INSERT INTO shop.zzz_driftflow_old_products_251f7a VALUES (); END IF; INSERT INTO shop.zzz_driftflow_back_products_251f7a (driftflow_k1) VALUES (NEW.id); END;
SET sql_mode = DEFAULT;
-- undo: DROP TRIGGER IF EXISTS shop.zzz_driftflow_note_products_251f7a_back_insert

-- step 25 (19827fdbcc.1): Copy again what was noted of products since
-- driftflow runs this in chunks of about 150 ms along (driftflow_seq), each in a transaction with its cursor:
--   INSERT INTO shop.zzz_driftflow_log_products_251f7a_now (driftflow_seq, driftflow_k1) SELECT driftflow_seq, driftflow_k1 FROM shop.zzz_driftflow_log_products_251f7a WHERE ((driftflow_seq) > (:low) AND (driftflow_seq) <= (:high)) AND (1 = 1); SELECT COUNT(*) FROM (SELECT DISTINCT driftflow_k1 FROM shop.zzz_driftflow_log_products_251f7a_now WHERE driftflow_out = 0) AS moved STRAIGHT_JOIN shop.products FORCE INDEX (`PRIMARY`) ON shop.products.id = moved.driftflow_k1 LOCK IN SHARE MODE NOWAIT; SELECT COUNT(*) FROM shop.zzz_driftflow_log_products_251f7a_now STRAIGHT_JOIN shop.zzz_driftflow_new_products_251f7a FORCE INDEX (`PRIMARY`) ON shop.zzz_driftflow_new_products_251f7a.id = shop.zzz_driftflow_log_products_251f7a_now.driftflow_k1 WHERE shop.zzz_driftflow_log_products_251f7a_now.driftflow_out = 0 FOR UPDATE NOWAIT; DELETE shop.zzz_driftflow_new_products_251f7a FROM shop.zzz_driftflow_log_products_251f7a_now STRAIGHT_JOIN shop.zzz_driftflow_new_products_251f7a FORCE INDEX (`PRIMARY`) ON shop.zzz_driftflow_new_products_251f7a.id = shop.zzz_driftflow_log_products_251f7a_now.driftflow_k1 WHERE shop.zzz_driftflow_log_products_251f7a_now.driftflow_out = 0; INSERT INTO shop.zzz_driftflow_log_products_251f7a_now (driftflow_out, driftflow_k1) SELECT DISTINCT 1, shop.zzz_driftflow_new_products_251f7a.id FROM (SELECT DISTINCT driftflow_k1 FROM shop.zzz_driftflow_log_products_251f7a_now WHERE driftflow_out = 0) AS moved STRAIGHT_JOIN shop.products FORCE INDEX (`PRIMARY`) ON shop.products.id = moved.driftflow_k1 STRAIGHT_JOIN shop.zzz_driftflow_new_products_251f7a ON shop.zzz_driftflow_new_products_251f7a.sku = shop.products.sku AND NOT (shop.zzz_driftflow_new_products_251f7a.id = moved.driftflow_k1); SELECT COUNT(*) FROM shop.zzz_driftflow_log_products_251f7a_now STRAIGHT_JOIN shop.zzz_driftflow_new_products_251f7a FORCE INDEX (`PRIMARY`) ON shop.zzz_driftflow_new_products_251f7a.id = shop.zzz_driftflow_log_products_251f7a_now.driftflow_k1 WHERE shop.zzz_driftflow_log_products_251f7a_now.driftflow_out = 1 FOR UPDATE NOWAIT; DELETE shop.zzz_driftflow_new_products_251f7a FROM shop.zzz_driftflow_log_products_251f7a_now STRAIGHT_JOIN shop.zzz_driftflow_new_products_251f7a FORCE INDEX (`PRIMARY`) ON shop.zzz_driftflow_new_products_251f7a.id = shop.zzz_driftflow_log_products_251f7a_now.driftflow_k1 WHERE shop.zzz_driftflow_log_products_251f7a_now.driftflow_out = 1; INSERT INTO shop.zzz_driftflow_log_products_251f7a (driftflow_k1) SELECT driftflow_k1 FROM shop.zzz_driftflow_log_products_251f7a_now WHERE driftflow_out = 1; DELETE FROM shop.zzz_driftflow_log_products_251f7a_now WHERE driftflow_out = 1; INSERT INTO shop.zzz_driftflow_new_products_251f7a (id, sku, name, price_cents, updated_at, inventory_count) SELECT id, sku, name, price_cents, updated_at, inventory_count FROM (SELECT DISTINCT driftflow_k1 FROM shop.zzz_driftflow_log_products_251f7a_now WHERE driftflow_out = 0) AS moved STRAIGHT_JOIN shop.products FORCE INDEX (`PRIMARY`) ON shop.products.id = moved.driftflow_k1 LOCK IN SHARE MODE NOWAIT; DELETE shop.zzz_driftflow_log_products_251f7a FROM shop.zzz_driftflow_log_products_251f7a_now STRAIGHT_JOIN shop.zzz_driftflow_log_products_251f7a ON shop.zzz_driftflow_log_products_251f7a.driftflow_seq = shop.zzz_driftflow_log_products_251f7a_now.driftflow_seq; DELETE FROM shop.zzz_driftflow_log_products_251f7a_now;
-- As plain SQL it is one statement, which locks every row until it ends:
INSERT INTO shop.zzz_driftflow_log_products_251f7a_now (driftflow_seq, driftflow_k1) SELECT driftflow_seq, driftflow_k1 FROM shop.zzz_driftflow_log_products_251f7a WHERE (1 = 1);
SELECT COUNT(*) FROM (SELECT DISTINCT driftflow_k1 FROM shop.zzz_driftflow_log_products_251f7a_now WHERE driftflow_out = 0) AS moved STRAIGHT_JOIN shop.products FORCE INDEX (`PRIMARY`) ON shop.products.id = moved.driftflow_k1 LOCK IN SHARE MODE NOWAIT;
SELECT COUNT(*) FROM shop.zzz_driftflow_log_products_251f7a_now STRAIGHT_JOIN shop.zzz_driftflow_new_products_251f7a FORCE INDEX (`PRIMARY`) ON shop.zzz_driftflow_new_products_251f7a.id = shop.zzz_driftflow_log_products_251f7a_now.driftflow_k1 WHERE shop.zzz_driftflow_log_products_251f7a_now.driftflow_out = 0 FOR UPDATE NOWAIT;
DELETE shop.zzz_driftflow_new_products_251f7a FROM shop.zzz_driftflow_log_products_251f7a_now STRAIGHT_JOIN shop.zzz_driftflow_new_products_251f7a FORCE INDEX (`PRIMARY`) ON shop.zzz_driftflow_new_products_251f7a.id = shop.zzz_driftflow_log_products_251f7a_now.driftflow_k1 WHERE shop.zzz_driftflow_log_products_251f7a_now.driftflow_out = 0;
INSERT INTO shop.zzz_driftflow_log_products_251f7a_now (driftflow_out, driftflow_k1) SELECT DISTINCT 1, shop.zzz_driftflow_new_products_251f7a.id FROM (SELECT DISTINCT driftflow_k1 FROM shop.zzz_driftflow_log_products_251f7a_now WHERE driftflow_out = 0) AS moved STRAIGHT_JOIN shop.products FORCE INDEX (`PRIMARY`) ON shop.products.id = moved.driftflow_k1 STRAIGHT_JOIN shop.zzz_driftflow_new_products_251f7a ON shop.zzz_driftflow_new_products_251f7a.sku = shop.products.sku AND NOT (shop.zzz_driftflow_new_products_251f7a.id = moved.driftflow_k1);
SELECT COUNT(*) FROM shop.zzz_driftflow_log_products_251f7a_now STRAIGHT_JOIN shop.zzz_driftflow_new_products_251f7a FORCE INDEX (`PRIMARY`) ON shop.zzz_driftflow_new_products_251f7a.id = shop.zzz_driftflow_log_products_251f7a_now.driftflow_k1 WHERE shop.zzz_driftflow_log_products_251f7a_now.driftflow_out = 1 FOR UPDATE NOWAIT;
DELETE shop.zzz_driftflow_new_products_251f7a FROM shop.zzz_driftflow_log_products_251f7a_now STRAIGHT_JOIN shop.zzz_driftflow_new_products_251f7a FORCE INDEX (`PRIMARY`) ON shop.zzz_driftflow_new_products_251f7a.id = shop.zzz_driftflow_log_products_251f7a_now.driftflow_k1 WHERE shop.zzz_driftflow_log_products_251f7a_now.driftflow_out = 1;
INSERT INTO shop.zzz_driftflow_log_products_251f7a (driftflow_k1) SELECT driftflow_k1 FROM shop.zzz_driftflow_log_products_251f7a_now WHERE driftflow_out = 1;
DELETE FROM shop.zzz_driftflow_log_products_251f7a_now WHERE driftflow_out = 1;
INSERT INTO shop.zzz_driftflow_new_products_251f7a (id, sku, name, price_cents, updated_at, inventory_count) SELECT id, sku, name, price_cents, updated_at, inventory_count FROM (SELECT DISTINCT driftflow_k1 FROM shop.zzz_driftflow_log_products_251f7a_now WHERE driftflow_out = 0) AS moved STRAIGHT_JOIN shop.products FORCE INDEX (`PRIMARY`) ON shop.products.id = moved.driftflow_k1 LOCK IN SHARE MODE NOWAIT;
DELETE shop.zzz_driftflow_log_products_251f7a FROM shop.zzz_driftflow_log_products_251f7a_now STRAIGHT_JOIN shop.zzz_driftflow_log_products_251f7a ON shop.zzz_driftflow_log_products_251f7a.driftflow_seq = shop.zzz_driftflow_log_products_251f7a_now.driftflow_seq;
DELETE FROM shop.zzz_driftflow_log_products_251f7a_now;
-- undo: nothing to do, the rows go with zzz_driftflow_new_products_251f7a

-- step 26 (caada530f0.1): zzz_driftflow_new_products_251f7a goes on counting where products stands
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
SET @driftflow_counted = (SELECT CONCAT('ALTER TABLE shop.zzz_driftflow_new_products_251f7a AUTO_INCREMENT = ', COALESCE(AUTO_INCREMENT, 1)) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'shop' AND TABLE_NAME = 'products');
PREPARE driftflow_counted FROM @driftflow_counted;
EXECUTE driftflow_counted;
DEALLOCATE PREPARE driftflow_counted;
-- undo: nothing to do, it goes with what it belongs to

-- step 27 (c5a560c41c.1): Note the moment from which zzz_driftflow_new_products_251f7a holds every row
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
CREATE TABLE shop._driftflow_ready_products_251f7a (driftflow_id int PRIMARY KEY) ENGINE=InnoDB;
-- undo: DROP TABLE IF EXISTS shop._driftflow_ready_products_251f7a

-- step 28 (6739b52699.1): Wait for transactions that are older than the last row of zzz_driftflow_new_products_251f7a
-- refuse if: SELECT COUNT(*) FROM information_schema.INNODB_TRX WHERE trx_isolation_level IN ('REPEATABLE READ', 'SERIALIZABLE') AND trx_mysql_thread_id NOT IN (0, CONNECTION_ID()) AND trx_started <= (SELECT CONVERT_TZ(CREATE_TIME, @@SESSION.time_zone, 'SYSTEM') FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'shop' AND TABLE_NAME = '_driftflow_ready_products_251f7a')
-- undo: nothing to do, it changes nothing

-- step 29 (ec22684b66.1): The foreign keys of orders point at the copy of products, under names for now
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
SET foreign_key_checks = 0;
ALTER TABLE shop.orders RENAME INDEX orders_product_id_idx TO orders_product_id_idx, DROP FOREIGN KEY orders_product_id_fk, ADD CONSTRAINT _driftflow_forth_251f7a_orders_product_id_fk FOREIGN KEY (product_id) REFERENCES shop.zzz_driftflow_new_products_251f7a (id), ALGORITHM=INPLACE, LOCK=NONE;
SET foreign_key_checks = DEFAULT;
-- undo: SET @driftflow_keys = IF(EXISTS (SELECT 1 FROM information_schema.TABLE_CONSTRAINTS WHERE TABLE_SCHEMA = 'shop' AND TABLE_NAME = 'orders' AND CONSTRAINT_NAME = '_driftflow_forth_251f7a_orders_product_id_fk'), 'ALTER TABLE shop.orders RENAME INDEX orders_product_id_idx TO orders_product_id_idx, DROP FOREIGN KEY _driftflow_forth_251f7a_orders_product_id_fk, ADD CONSTRAINT orders_product_id_fk FOREIGN KEY (product_id) REFERENCES shop.products (id)', 'DO 0')
-- undo: PREPARE driftflow_keys FROM @driftflow_keys
-- undo: EXECUTE driftflow_keys
-- undo: DEALLOCATE PREPARE driftflow_keys

-- step 30 (f522c45545.1): Swap: the copy is products from now on, the old form is kept as zzz_driftflow_old_products_251f7a
-- refuse if: SELECT COUNT(*) FROM information_schema.INNODB_TRX WHERE trx_isolation_level IN ('REPEATABLE READ', 'SERIALIZABLE') AND trx_mysql_thread_id NOT IN (0, CONNECTION_ID()) AND trx_started <= (SELECT CONVERT_TZ(CREATE_TIME, @@SESSION.time_zone, 'SYSTEM') FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'shop' AND TABLE_NAME = '_driftflow_ready_products_251f7a')
-- refuse if: SELECT (SELECT COUNT(*) FROM (SELECT line FROM (SELECT SHA2(CONCAT_WS('|', COALESCE(COLUMN_NAME, CHAR(0)), COALESCE(ORDINAL_POSITION, CHAR(0)), COALESCE(COLUMN_TYPE, CHAR(0)), COALESCE(IS_NULLABLE, CHAR(0)), COALESCE(COLUMN_DEFAULT, CHAR(0)), COALESCE(COLLATION_NAME, CHAR(0)), COALESCE(EXTRA, CHAR(0))), 256) AS line FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = 'shop' AND TABLE_NAME = 'products' UNION ALL SELECT SHA2(CONCAT_WS('|', COALESCE(COLUMN_NAME, CHAR(0)), COALESCE(ORDINAL_POSITION, CHAR(0)), COALESCE(COLUMN_TYPE, CHAR(0)), COALESCE(IS_NULLABLE, CHAR(0)), COALESCE(COLUMN_DEFAULT, CHAR(0)), COALESCE(COLLATION_NAME, CHAR(0)), COALESCE(EXTRA, CHAR(0))), 256) AS line FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = 'shop' AND TABLE_NAME = '_driftflow_form_products_251f7a') AS lines_of_both GROUP BY line HAVING COUNT(*) % 2 <> 0) AS differing) + (SELECT COUNT(*) FROM (SELECT line FROM (SELECT SHA2(CONCAT_WS('|', COALESCE(INDEX_NAME, CHAR(0)), COALESCE(SEQ_IN_INDEX, CHAR(0)), COALESCE(COLUMN_NAME, CHAR(0)), COALESCE(NON_UNIQUE, CHAR(0)), COALESCE(SUB_PART, CHAR(0)), COALESCE(INDEX_TYPE, CHAR(0))), 256) AS line FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = 'shop' AND TABLE_NAME = 'products' UNION ALL SELECT SHA2(CONCAT_WS('|', COALESCE(INDEX_NAME, CHAR(0)), COALESCE(SEQ_IN_INDEX, CHAR(0)), COALESCE(COLUMN_NAME, CHAR(0)), COALESCE(NON_UNIQUE, CHAR(0)), COALESCE(SUB_PART, CHAR(0)), COALESCE(INDEX_TYPE, CHAR(0))), 256) AS line FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = 'shop' AND TABLE_NAME = '_driftflow_form_products_251f7a') AS lines_of_both GROUP BY line HAVING COUNT(*) % 2 <> 0) AS differing) + (SELECT COUNT(*) FROM (SELECT line FROM (SELECT SHA2(CONCAT_WS('|', COALESCE(CONSTRAINT_NAME, CHAR(0)), COALESCE(CONSTRAINT_TYPE, CHAR(0))), 256) AS line FROM information_schema.TABLE_CONSTRAINTS WHERE TABLE_SCHEMA = 'shop' AND TABLE_NAME = 'products' UNION ALL SELECT SHA2(CONCAT_WS('|', COALESCE(CONSTRAINT_NAME, CHAR(0)), COALESCE(CONSTRAINT_TYPE, CHAR(0))), 256) AS line FROM information_schema.TABLE_CONSTRAINTS WHERE TABLE_SCHEMA = 'shop' AND TABLE_NAME = '_driftflow_form_products_251f7a') AS lines_of_both GROUP BY line HAVING COUNT(*) % 2 <> 0) AS differing)
-- refuse if: SELECT (SELECT COUNT(*) FROM information_schema.TRIGGERS WHERE EVENT_OBJECT_SCHEMA = 'shop' AND EVENT_OBJECT_TABLE = 'products' AND TRIGGER_NAME NOT IN ('zzz_driftflow_copy_products_251f7a_delete', 'zzz_driftflow_copy_products_251f7a_update', 'zzz_driftflow_copy_products_251f7a_insert')) + (SELECT COUNT(*) FROM information_schema.KEY_COLUMN_USAGE WHERE REFERENCED_TABLE_NAME IS NOT NULL AND (TABLE_SCHEMA = 'shop' AND TABLE_NAME = 'products' OR REFERENCED_TABLE_SCHEMA = 'shop' AND REFERENCED_TABLE_NAME = 'products'))
-- refuse if: SELECT COUNT(*) - 3 FROM information_schema.TRIGGERS WHERE EVENT_OBJECT_SCHEMA = 'shop' AND EVENT_OBJECT_TABLE = 'products' AND TRIGGER_NAME IN ('zzz_driftflow_copy_products_251f7a_delete', 'zzz_driftflow_copy_products_251f7a_update', 'zzz_driftflow_copy_products_251f7a_insert')
-- refuse if: SELECT COUNT(*) FROM ((SELECT id FROM shop.zzz_driftflow_new_products_251f7a ORDER BY id LIMIT 1000) UNION (SELECT id FROM shop.zzz_driftflow_new_products_251f7a ORDER BY id DESC LIMIT 1000)) AS ends LEFT JOIN shop.products ON shop.products.id = ends.id WHERE shop.products.id IS NULL
-- refuse if: SELECT COUNT(*) FROM (SELECT noted.driftflow_k1 FROM (SELECT DISTINCT driftflow_k1 FROM shop.zzz_driftflow_log_products_251f7a) AS noted LEFT JOIN (SELECT id AS driftflow_k1, id AS driftflow_v1, sku AS driftflow_v2, name AS driftflow_v3, price_cents AS driftflow_v4, updated_at AS driftflow_v5, inventory_count AS driftflow_v6 FROM shop.products) AS now_there ON now_there.driftflow_k1 = noted.driftflow_k1 LEFT JOIN shop.zzz_driftflow_new_products_251f7a AS other ON other.id = noted.driftflow_k1 WHERE ((now_there.driftflow_k1 IS NULL) <> (other.id IS NULL) OR NOT (now_there.driftflow_k1 IS NULL) AND NOT (now_there.driftflow_v1 <=> other.id) OR NOT (now_there.driftflow_k1 IS NULL) AND NOT (now_there.driftflow_v2 <=> other.sku) OR NOT (now_there.driftflow_k1 IS NULL) AND NOT (now_there.driftflow_v3 <=> other.name) OR NOT (now_there.driftflow_k1 IS NULL) AND NOT (now_there.driftflow_v4 <=> other.price_cents) OR NOT (now_there.driftflow_k1 IS NULL) AND NOT (now_there.driftflow_v5 <=> other.updated_at) OR NOT (now_there.driftflow_k1 IS NULL) AND NOT (now_there.driftflow_v6 <=> other.inventory_count))) AS rejected
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
RENAME TABLE shop.products TO shop.zzz_driftflow_old_products_251f7a, shop.zzz_driftflow_new_products_251f7a TO shop.products;
-- undo: DROP TRIGGER IF EXISTS shop.zzz_driftflow_copy_products_251f7a_delete
-- undo: DROP TRIGGER IF EXISTS shop.zzz_driftflow_copy_products_251f7a_update
-- undo: DROP TRIGGER IF EXISTS shop.zzz_driftflow_copy_products_251f7a_insert
-- undo: Write to the old form of products what was written to the new one
-- undo: CREATE TRIGGER shop.zzz_driftflow_copy_products_251f7a_back_delete AFTER DELETE ON shop.products FOR EACH ROW BEGIN IF 0 THEN INSERT INTO shop.zzz_driftflow_back_products_251f7a VALUES (); INSERT INTO shop.zzz_driftflow_old_products_251f7a VALUES (); END IF; BEGIN DECLARE EXIT HANDLER FOR 1216, 1217, 1451, 1452 RESIGNAL; DECLARE EXIT HANDLER FOR SQLSTATE '22001', SQLSTATE '22003', SQLSTATE '22004', SQLSTATE '22007', SQLSTATE '22008', SQLSTATE '22012', SQLSTATE '22018', SQLSTATE '22023', SQLSTATE '22032', SQLSTATE '23000', 1264, 1265, 1292, 1300, 1364, 1366, 1367, 1406, 1411, 1416, 1526, 1690, 1748, 1977, 3819, 3854, 4025 INSERT INTO shop.zzz_driftflow_back_products_251f7a (driftflow_k1) VALUES (OLD.id); DELETE FROM shop.zzz_driftflow_old_products_251f7a WHERE shop.zzz_driftflow_old_products_251f7a.id = OLD.id; END; END
-- undo: CREATE TRIGGER shop.zzz_driftflow_copy_products_251f7a_back_update AFTER UPDATE ON shop.products FOR EACH ROW BEGIN IF 0 THEN INSERT INTO shop.zzz_driftflow_back_products_251f7a VALUES (); INSERT INTO shop.zzz_driftflow_old_products_251f7a VALUES (); END IF; BEGIN DECLARE EXIT HANDLER FOR 1216, 1217, 1451, 1452 RESIGNAL; DECLARE EXIT HANDLER FOR SQLSTATE '22001', SQLSTATE '22003', SQLSTATE '22004', SQLSTATE '22007', SQLSTATE '22008', SQLSTATE '22012', SQLSTATE '22018', SQLSTATE '22023', SQLSTATE '22032', SQLSTATE '23000', 1264, 1265, 1292, 1300, 1364, 1366, 1367, 1406, 1411, 1416, 1526, 1690, 1748, 1977, 3819, 3854, 4025 INSERT INTO shop.zzz_driftflow_back_products_251f7a (driftflow_k1) VALUES (OLD.id), (NEW.id); IF NOT (OLD.id <=> NEW.id) THEN UPDATE shop.zzz_driftflow_old_products_251f7a SET id = NEW.id, sku = NEW.sku, name = NEW.name, price_cents = NEW.price_cents, updated_at = NEW.updated_at, inventory_count = NEW.inventory_count WHERE shop.zzz_driftflow_old_products_251f7a.id = OLD.id; IF ROW_COUNT() = 0 THEN INSERT INTO shop.zzz_driftflow_old_products_251f7a (id, sku, name, price_cents, updated_at, inventory_count) VALUES (NEW.id, NEW.sku, NEW.name, NEW.price_cents, NEW.updated_at, NEW.inventory_count); END IF; ELSE UPDATE shop.zzz_driftflow_old_products_251f7a SET id = NEW.id, sku = NEW.sku, name = NEW.name, price_cents = NEW.price_cents, updated_at = NEW.updated_at, inventory_count = NEW.inventory_count WHERE shop.zzz_driftflow_old_products_251f7a.id = OLD.id; END IF; END; END
-- undo: CREATE TRIGGER shop.zzz_driftflow_copy_products_251f7a_back_insert AFTER INSERT ON shop.products FOR EACH ROW BEGIN IF 0 THEN INSERT INTO shop.zzz_driftflow_back_products_251f7a VALUES (); INSERT INTO shop.zzz_driftflow_old_products_251f7a VALUES (); END IF; BEGIN DECLARE EXIT HANDLER FOR 1216, 1217, 1451, 1452 RESIGNAL; DECLARE EXIT HANDLER FOR SQLSTATE '22001', SQLSTATE '22003', SQLSTATE '22004', SQLSTATE '22007', SQLSTATE '22008', SQLSTATE '22012', SQLSTATE '22018', SQLSTATE '22023', SQLSTATE '22032', SQLSTATE '23000', 1264, 1265, 1292, 1300, 1364, 1366, 1367, 1406, 1411, 1416, 1526, 1690, 1748, 1977, 3819, 3854, 4025 INSERT INTO shop.zzz_driftflow_back_products_251f7a (driftflow_k1) VALUES (NEW.id); INSERT INTO shop.zzz_driftflow_old_products_251f7a (id, sku, name, price_cents, updated_at, inventory_count) VALUES (NEW.id, NEW.sku, NEW.name, NEW.price_cents, NEW.updated_at, NEW.inventory_count); END; END
-- undo: DROP TRIGGER IF EXISTS shop.zzz_driftflow_note_products_251f7a_back_delete
-- undo: DROP TRIGGER IF EXISTS shop.zzz_driftflow_note_products_251f7a_back_update
-- undo: DROP TRIGGER IF EXISTS shop.zzz_driftflow_note_products_251f7a_back_insert
-- undo: Write the last rows of products to its old form
-- undo: SET @driftflow_counted = (SELECT CONCAT('ALTER TABLE shop.zzz_driftflow_old_products_251f7a AUTO_INCREMENT = ', COALESCE(AUTO_INCREMENT, 1)) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'shop' AND TABLE_NAME = 'products')
-- undo: PREPARE driftflow_counted FROM @driftflow_counted
-- undo: EXECUTE driftflow_counted
-- undo: DEALLOCATE PREPARE driftflow_counted
-- undo: CREATE TABLE shop._driftflow_home_products_251f7a (driftflow_id int PRIMARY KEY) ENGINE=InnoDB
-- undo: Wait for transactions that are older than the last row of zzz_driftflow_old_products_251f7a
-- undo: ALTER TABLE shop.orders RENAME INDEX orders_product_id_idx TO orders_product_id_idx, DROP FOREIGN KEY _driftflow_forth_251f7a_orders_product_id_fk, ADD CONSTRAINT _driftflow_back_251f7a_orders_product_id_fk FOREIGN KEY (product_id) REFERENCES shop.zzz_driftflow_old_products_251f7a (id), ALGORITHM=INPLACE, LOCK=NONE
-- undo: RENAME TABLE shop.products TO shop.zzz_driftflow_new_products_251f7a, shop.zzz_driftflow_old_products_251f7a TO shop.products
-- undo: ALTER TABLE shop.orders RENAME INDEX orders_product_id_idx TO orders_product_id_idx, DROP FOREIGN KEY _driftflow_back_251f7a_orders_product_id_fk, ADD CONSTRAINT orders_product_id_fk FOREIGN KEY (product_id) REFERENCES shop.products (id), ALGORITHM=INPLACE, LOCK=NONE
-- undo: DROP TRIGGER IF EXISTS shop.zzz_driftflow_copy_products_251f7a_back_delete
-- undo: DROP TRIGGER IF EXISTS shop.zzz_driftflow_copy_products_251f7a_back_update
-- undo: DROP TRIGGER IF EXISTS shop.zzz_driftflow_copy_products_251f7a_back_insert
-- undo: DROP TABLE IF EXISTS shop._driftflow_home_products_251f7a

-- step 31 (d0fd551a9d.1): Give the foreign keys of orders their names again
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
SET foreign_key_checks = 0;
ALTER TABLE shop.orders RENAME INDEX orders_product_id_idx TO orders_product_id_idx, DROP FOREIGN KEY _driftflow_forth_251f7a_orders_product_id_fk, ADD CONSTRAINT orders_product_id_fk FOREIGN KEY (product_id) REFERENCES shop.products (id), ALGORITHM=INPLACE, LOCK=NONE;
SET foreign_key_checks = DEFAULT;
-- undo: ALTER TABLE shop.orders RENAME INDEX orders_product_id_idx TO orders_product_id_idx, DROP FOREIGN KEY orders_product_id_fk, ADD CONSTRAINT _driftflow_forth_251f7a_orders_product_id_fk FOREIGN KEY (product_id) REFERENCES shop.products (id), ALGORITHM=INPLACE, LOCK=NONE

-- step 32 (5e42324368.1): Verify that no row of products was rejected in the moment of the swap
-- refuse if: SELECT COUNT(*) FROM (SELECT noted.driftflow_k1 FROM (SELECT DISTINCT driftflow_k1 FROM shop.zzz_driftflow_log_products_251f7a) AS noted LEFT JOIN (SELECT id AS driftflow_k1, id AS driftflow_v1, sku AS driftflow_v2, name AS driftflow_v3, price_cents AS driftflow_v4, updated_at AS driftflow_v5, inventory_count AS driftflow_v6 FROM shop.zzz_driftflow_old_products_251f7a) AS now_there ON now_there.driftflow_k1 = noted.driftflow_k1 LEFT JOIN shop.products AS other ON other.id = noted.driftflow_k1 WHERE ((now_there.driftflow_k1 IS NULL) <> (other.id IS NULL) OR NOT (now_there.driftflow_k1 IS NULL) AND NOT (now_there.driftflow_v1 <=> other.id) OR NOT (now_there.driftflow_k1 IS NULL) AND NOT (now_there.driftflow_v2 <=> other.sku) OR NOT (now_there.driftflow_k1 IS NULL) AND NOT (now_there.driftflow_v3 <=> other.name) OR NOT (now_there.driftflow_k1 IS NULL) AND NOT (now_there.driftflow_v4 <=> other.price_cents) OR NOT (now_there.driftflow_k1 IS NULL) AND NOT (now_there.driftflow_v5 <=> other.updated_at) OR NOT (now_there.driftflow_k1 IS NULL) AND NOT (now_there.driftflow_v6 <=> other.inventory_count)) AND NOT EXISTS (SELECT 1 FROM shop.zzz_driftflow_back_products_251f7a AS later WHERE later.driftflow_k1 = noted.driftflow_k1)) AS rejected
-- undo: nothing to do, it changes nothing

-- step 33 (ba11392ee6.1): Take away the trigger zzz_driftflow_copy_products_251f7a_delete
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
DROP TRIGGER IF EXISTS shop.zzz_driftflow_copy_products_251f7a_delete;
-- undo: nothing to do, it is not needed on the way back

-- step 34 (f535c44c71.1): Take away the trigger zzz_driftflow_copy_products_251f7a_update
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
DROP TRIGGER IF EXISTS shop.zzz_driftflow_copy_products_251f7a_update;
-- undo: nothing to do, it is not needed on the way back

-- step 35 (6da0bad2c5.1): Take away the trigger zzz_driftflow_copy_products_251f7a_insert
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
DROP TRIGGER IF EXISTS shop.zzz_driftflow_copy_products_251f7a_insert;
-- undo: nothing to do, it is not needed on the way back

-- step 36 (e37bbee64f.1): Remove zzz_driftflow_log_products_251f7a: the keys that were noted
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
DROP TABLE IF EXISTS shop.zzz_driftflow_log_products_251f7a, shop.zzz_driftflow_log_products_251f7a_now;
-- undo: nothing to do, it is not needed on the way back

-- step 37 (3d9cd4fd0b.1): Remove _driftflow_form_products_251f7a: the form that was compared with
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
DROP TABLE IF EXISTS shop._driftflow_form_products_251f7a;
-- undo: nothing to do, it is not needed on the way back

-- step 38 (a6000990cb.1): Remove _driftflow_ready_products_251f7a: the moment that was noted
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
DROP TABLE IF EXISTS shop._driftflow_ready_products_251f7a;
-- undo: nothing to do, it is not needed on the way back

-- step 39 (9e37445fb3.1): ALTER TABLE shop.products ADD KEY products_inventory_count_idx (inventory_count) (ALGORITHM=NOCOPY, LOCK=NONE, or the server refuses)
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
ALTER TABLE shop.products ADD KEY products_inventory_count_idx (inventory_count), ALGORITHM=NOCOPY, LOCK=NONE;
-- undo: ALTER TABLE shop.products DROP INDEX products_inventory_count_idx, ALGORITHM=NOCOPY, LOCK=NONE

-- ===== contract: after the old application is gone =====

-- step 40 (f724e0368f.1): Wait until somebody says yes: Is the new version of the application running everywhere, and the old one nowhere?
-- GATE: stop here until the answer is yes. Is the new version of the application running everywhere, and the old one nowhere?
--   [ ] the old form of shop.products is removed: until then it can take its place again with every row
-- undo: nothing to do, waiting changes nothing

-- step 41 (130c17e31c.1): Take away the trigger zzz_driftflow_note_products_251f7a_back_delete
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
DROP TRIGGER IF EXISTS shop.zzz_driftflow_note_products_251f7a_back_delete;
-- undo: CREATE TRIGGER shop.zzz_driftflow_note_products_251f7a_back_delete AFTER DELETE ON shop.products FOR EACH ROW BEGIN IF 0 THEN INSERT INTO shop.zzz_driftflow_back_products_251f7a VALUES (); INSERT INTO shop.zzz_driftflow_old_products_251f7a VALUES (); END IF; INSERT INTO shop.zzz_driftflow_back_products_251f7a (driftflow_k1) VALUES (OLD.id); END
-- undo: Copy products into its old form in chunks

-- step 42 (249e78acd2.1): Take away the trigger zzz_driftflow_note_products_251f7a_back_update
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
DROP TRIGGER IF EXISTS shop.zzz_driftflow_note_products_251f7a_back_update;
-- undo: CREATE TRIGGER shop.zzz_driftflow_note_products_251f7a_back_update AFTER UPDATE ON shop.products FOR EACH ROW BEGIN IF 0 THEN INSERT INTO shop.zzz_driftflow_back_products_251f7a VALUES (); INSERT INTO shop.zzz_driftflow_old_products_251f7a VALUES (); END IF; IF NOT (OLD.id <=> NEW.id) THEN INSERT INTO shop.zzz_driftflow_back_products_251f7a (driftflow_k1) VALUES (OLD.id), (NEW.id); ELSE INSERT INTO shop.zzz_driftflow_back_products_251f7a (driftflow_k1) VALUES (OLD.id); END IF; END

-- step 43 (1eb8670963.1): Take away the trigger zzz_driftflow_note_products_251f7a_back_insert
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
DROP TRIGGER IF EXISTS shop.zzz_driftflow_note_products_251f7a_back_insert;
-- undo: CREATE TRIGGER shop.zzz_driftflow_note_products_251f7a_back_insert AFTER INSERT ON shop.products FOR EACH ROW BEGIN IF 0 THEN INSERT INTO shop.zzz_driftflow_back_products_251f7a VALUES (); INSERT INTO shop.zzz_driftflow_old_products_251f7a VALUES (); END IF; INSERT INTO shop.zzz_driftflow_back_products_251f7a (driftflow_k1) VALUES (NEW.id); END

-- step 44 (db1d1b1ce0.1): Remove zzz_driftflow_old_products_251f7a: the old form of products
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
DROP TABLE IF EXISTS shop.zzz_driftflow_old_products_251f7a;
-- undo: CREATE TABLE shop._driftflow_making_products_251f7a LIKE shop.products
-- undo: ALTER TABLE shop._driftflow_making_products_251f7a DROP INDEX IF EXISTS products_inventory_count_idx
-- undo: ALTER TABLE shop._driftflow_making_products_251f7a DROP CONSTRAINT products_inventory_count_check
-- undo: RENAME TABLE shop._driftflow_making_products_251f7a TO shop.zzz_driftflow_old_products_251f7a

-- step 45 (6011a0a59d.1): Remove zzz_driftflow_back_products_251f7a: the keys that were noted
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
DROP TABLE IF EXISTS shop.zzz_driftflow_back_products_251f7a, shop.zzz_driftflow_back_products_251f7a_now;
-- undo: CREATE TABLE IF NOT EXISTS shop.zzz_driftflow_back_products_251f7a_now (driftflow_id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY, driftflow_seq bigint unsigned NULL, driftflow_out tinyint NOT NULL DEFAULT 0, driftflow_k1 bigint NULL) ENGINE=InnoDB
-- undo: CREATE TABLE shop.zzz_driftflow_back_products_251f7a (driftflow_seq bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY, driftflow_k1 bigint NULL) ENGINE=InnoDB
