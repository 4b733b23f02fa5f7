-- Plan: 1 migration, 11 steps (1 gate) for mysql 9.7 (shop)
-- digest 2ef913c9db797f9fc17633059596420c687aabef93ea8ee1efaf8f0b66bdd9e1
-- What this script does not do: keep a journal, try again after a lock timeout, go on after a crash.

-- ===== expand: before the new application is deployed; the old one does not notice =====

-- step 1 (a0b0d5cbff.1): Add orders.tenant_id, nullable (ALGORITHM=INSTANT, or the server refuses)
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
ALTER TABLE shop.orders ADD COLUMN tenant_id char(36) CHARACTER SET ascii COLLATE ascii_bin, ALGORITHM=INSTANT;
-- undo: ALTER TABLE shop.orders DROP COLUMN tenant_id, ALGORITHM=INSTANT

-- step 2 (4f032bb92e.1): Fill orders.tenant_id for rows that the old application writes (trigger on UPDATE)
-- refuse if: SELECT count(*) FROM (SELECT 1 AS one) AS asked WHERE @@GLOBAL.log_bin = 1 AND @@GLOBAL.log_bin_trust_function_creators = 0 AND COALESCE(CURRENT_ROLE(), 'NONE') = 'NONE' AND NOT EXISTS (SELECT 1 FROM information_schema.USER_PRIVILEGES WHERE GRANTEE = CONCAT('''', REPLACE(CURRENT_USER(), '@', '''@'''), '''') AND PRIVILEGE_TYPE = 'SUPER')
-- refuse if: SELECT count(*) FROM (SELECT 1 AS one) AS asked WHERE COALESCE(CURRENT_ROLE(), 'NONE') = 'NONE' AND NOT EXISTS (SELECT 1 FROM information_schema.USER_PRIVILEGES WHERE GRANTEE = CONCAT('''', REPLACE(CURRENT_USER(), '@', '''@'''), '''') AND PRIVILEGE_TYPE = 'TRIGGER') AND NOT EXISTS (SELECT 1 FROM information_schema.SCHEMA_PRIVILEGES WHERE GRANTEE = CONCAT('''', REPLACE(CURRENT_USER(), '@', '''@'''), '''') AND PRIVILEGE_TYPE = 'TRIGGER' AND 'shop' LIKE TABLE_SCHEMA) AND NOT EXISTS (SELECT 1 FROM information_schema.TABLE_PRIVILEGES WHERE GRANTEE = CONCAT('''', REPLACE(CURRENT_USER(), '@', '''@'''), '''') AND PRIVILEGE_TYPE = 'TRIGGER' AND TABLE_SCHEMA = 'shop' AND TABLE_NAME = 'orders')
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
CREATE TRIGGER shop.zzz_driftflow_fill_orders_tenant_id_update BEFORE UPDATE ON shop.orders FOR EACH ROW IF NEW.tenant_id IS NULL OR (NOT (NOT (NEW.tenant_id <=> OLD.tenant_id)) AND (NOT (NEW.user_id <=> OLD.user_id))) THEN SET NEW.tenant_id = (SELECT u.tenant_id FROM users u WHERE u.id = NEW.user_id); END IF;
-- undo: DROP TRIGGER shop.zzz_driftflow_fill_orders_tenant_id_update

-- step 3 (1479f91601.1): Fill orders.tenant_id for rows that the old application writes (trigger on INSERT)
-- refuse if: SELECT count(*) FROM (SELECT 1 AS one) AS asked WHERE @@GLOBAL.log_bin = 1 AND @@GLOBAL.log_bin_trust_function_creators = 0 AND COALESCE(CURRENT_ROLE(), 'NONE') = 'NONE' AND NOT EXISTS (SELECT 1 FROM information_schema.USER_PRIVILEGES WHERE GRANTEE = CONCAT('''', REPLACE(CURRENT_USER(), '@', '''@'''), '''') AND PRIVILEGE_TYPE = 'SUPER')
-- refuse if: SELECT count(*) FROM (SELECT 1 AS one) AS asked WHERE COALESCE(CURRENT_ROLE(), 'NONE') = 'NONE' AND NOT EXISTS (SELECT 1 FROM information_schema.USER_PRIVILEGES WHERE GRANTEE = CONCAT('''', REPLACE(CURRENT_USER(), '@', '''@'''), '''') AND PRIVILEGE_TYPE = 'TRIGGER') AND NOT EXISTS (SELECT 1 FROM information_schema.SCHEMA_PRIVILEGES WHERE GRANTEE = CONCAT('''', REPLACE(CURRENT_USER(), '@', '''@'''), '''') AND PRIVILEGE_TYPE = 'TRIGGER' AND 'shop' LIKE TABLE_SCHEMA) AND NOT EXISTS (SELECT 1 FROM information_schema.TABLE_PRIVILEGES WHERE GRANTEE = CONCAT('''', REPLACE(CURRENT_USER(), '@', '''@'''), '''') AND PRIVILEGE_TYPE = 'TRIGGER' AND TABLE_SCHEMA = 'shop' AND TABLE_NAME = 'orders')
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
CREATE TRIGGER shop.zzz_driftflow_fill_orders_tenant_id_insert BEFORE INSERT ON shop.orders FOR EACH ROW IF NEW.tenant_id IS NULL THEN SET NEW.tenant_id = (SELECT u.tenant_id FROM users u WHERE u.id = NEW.user_id); END IF;
-- undo: DROP TRIGGER shop.zzz_driftflow_fill_orders_tenant_id_insert

-- ===== migrate: values are moved and proved while both applications may run =====

-- step 4 (af3ccc7b94.1): Fill orders.tenant_id in chunks
-- driftflow runs this in chunks of about 150 ms along (id), each in a transaction with its cursor:
--   UPDATE shop.orders SET tenant_id = u.tenant_id FROM users u WHERE ((id) > (:low) AND (id) <= (:high)) AND (u.id = orders.user_id) AND (orders.tenant_id IS NULL AND (u.tenant_id) IS NOT NULL);
-- As plain SQL it is one statement, which locks every row until it ends:
UPDATE shop.orders SET tenant_id = u.tenant_id FROM users u WHERE (u.id = orders.user_id) AND (orders.tenant_id IS NULL AND (u.tenant_id) IS NOT NULL);
-- undo: nothing to do, the values go with the column: the undo that drops orders.tenant_id

-- step 5 (127b65e11c.1): Set orders.tenant_id NOT NULL (ALGORITHM=INPLACE, LOCK=NONE: the table is written anew while writers go on, or the server refuses)
-- refuse if: SELECT count(*) FROM (SELECT 1 FROM shop.orders WHERE tenant_id IS NULL LIMIT 1000) AS offenders
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
ALTER TABLE shop.orders MODIFY COLUMN tenant_id char(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, ALGORITHM=INPLACE, LOCK=NONE;
-- undo: ALTER TABLE shop.orders MODIFY COLUMN tenant_id char(36) CHARACTER SET ascii COLLATE ascii_bin, ALGORITHM=INPLACE, LOCK=NONE

-- step 6 (96d67cf933.1): ALTER TABLE shop.orders ADD KEY orders_tenant_id_created_at_idx (tenant_id, created_at) (ALGORITHM=INPLACE, LOCK=NONE, or the server refuses)
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
ALTER TABLE shop.orders ADD KEY orders_tenant_id_created_at_idx (tenant_id, created_at), ALGORITHM=INPLACE, LOCK=NONE;
-- undo: ALTER TABLE shop.orders DROP INDEX orders_tenant_id_created_at_idx, ALGORITHM=INPLACE, LOCK=NONE

-- step 7 (f03fed91f5.1): Bind new rows: orders (tenant_id) → tenants, old rows on trust (foreign_key_checks=0) (ALGORITHM=INPLACE, LOCK=NONE, or the server refuses)
-- refuse if: SELECT count(*) FROM (SELECT 1 FROM shop.orders AS c WHERE c.tenant_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM shop.tenants AS p WHERE p.id = c.tenant_id) LIMIT 1000) AS offenders
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
SET foreign_key_checks = 0;
ALTER TABLE shop.orders ADD CONSTRAINT orders_tenant_id_fk FOREIGN KEY (tenant_id) REFERENCES shop.tenants (id), ALGORITHM=INPLACE, LOCK=NONE;
SET foreign_key_checks = DEFAULT;
-- undo: ALTER TABLE shop.orders DROP FOREIGN KEY orders_tenant_id_fk, ALGORITHM=INPLACE, LOCK=NONE

-- step 8 (b6ff2caa4b.1): Prove old rows: orders (tenant_id) → tenants
-- every row of the table keeps to orders (tenant_id) → tenants: gives 0
SELECT count(*) FROM shop.orders WHERE 1 = 1 AND (orders.tenant_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM shop.tenants AS parent WHERE parent.id = orders.tenant_id));
-- undo: nothing to do, it changes nothing

-- ===== contract: after the old application is gone =====

-- step 9 (a02637fbad.1): Wait until somebody says yes: Is the new version of the application running everywhere, and the old one nowhere?
-- GATE: stop here until the answer is yes. Is the new version of the application running everywhere, and the old one nowhere?
--   [ ] orders.tenant_id is written by the new application itself
-- undo: nothing to do, waiting changes nothing

-- step 10 (c5c176c07b.1): Take away the UPDATE trigger that fills orders.tenant_id: the new application writes it
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
DROP TRIGGER shop.zzz_driftflow_fill_orders_tenant_id_update;
-- undo: CREATE TRIGGER shop.zzz_driftflow_fill_orders_tenant_id_update BEFORE UPDATE ON shop.orders FOR EACH ROW IF NEW.tenant_id IS NULL OR (NOT (NOT (NEW.tenant_id <=> OLD.tenant_id)) AND (NOT (NEW.user_id <=> OLD.user_id))) THEN SET NEW.tenant_id = (SELECT u.tenant_id FROM users u WHERE u.id = NEW.user_id); END IF

-- step 11 (23f4bec529.1): Take away the INSERT trigger that fills orders.tenant_id: the new application writes it
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
DROP TRIGGER shop.zzz_driftflow_fill_orders_tenant_id_insert;
-- undo: CREATE TRIGGER shop.zzz_driftflow_fill_orders_tenant_id_insert BEFORE INSERT ON shop.orders FOR EACH ROW IF NEW.tenant_id IS NULL THEN SET NEW.tenant_id = (SELECT u.tenant_id FROM users u WHERE u.id = NEW.user_id); END IF
