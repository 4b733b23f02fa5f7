-- Plan: 1 migration, 8 steps (1 gate) for mysql 9.7 (shop)
-- digest 91264772501f58957864205ca9904940818b997e99bf3bee24b17de952284108
-- What this script does not do: keep a journal, try again after a lock timeout, go on after a crash.

-- ===== expand: before the new application is deployed; the old one does not notice =====

-- step 1 (d081e90b11.1): ALTER TABLE shop.orders ADD COLUMN tenant_id char(36) CHARACTER SET ascii COLLATE ascii_bin (ALGORITHM=INSTANT, or the server refuses)
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
ALTER TABLE shop.orders ADD COLUMN tenant_id char(36) CHARACTER SET ascii COLLATE ascii_bin, ALGORITHM=INSTANT;
-- undo: ALTER TABLE shop.orders DROP COLUMN tenant_id, ALGORITHM=INSTANT

-- ===== migrate: values are moved and proved while both applications may run =====

-- step 2 (698a635f30.1): Update orders.tenant_id in chunks
-- driftflow runs this in chunks of about 150 ms along (id), each in a transaction with its cursor:
--   UPDATE shop.orders SET tenant_id = (SELECT u.tenant_id FROM users u WHERE u.id = orders.user_id) WHERE ((id) > (:low) AND (id) <= (:high));
-- As plain SQL it is one statement, which locks every row until it ends:
UPDATE shop.orders SET tenant_id = (SELECT u.tenant_id FROM users u WHERE u.id = orders.user_id) WHERE ;
-- undo: nothing to do, the values go with the columns that this release adds

-- ===== contract: after the old application is gone =====

-- step 3 (9b007a6426.1): Wait until somebody says yes: Is the new version of the application running everywhere, and the old one nowhere?
-- GATE: stop here until the answer is yes. Is the new version of the application running everywhere, and the old one nowhere?
--   [ ] INSERTs of the old application leave out orders.tenant_id
-- undo: nothing to do, waiting changes nothing

-- step 4 (02be04cbae.1): Set orders.tenant_id NOT NULL (ALGORITHM=INPLACE, LOCK=NONE: the table is written anew while writers go on, or the server refuses)
-- refuse if: SELECT count(*) FROM (SELECT 1 FROM shop.orders WHERE tenant_id IS NULL LIMIT 1000) AS offenders
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
ALTER TABLE shop.orders MODIFY COLUMN tenant_id char(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, ALGORITHM=INPLACE, LOCK=NONE;
-- undo: ALTER TABLE shop.orders MODIFY COLUMN tenant_id char(36) CHARACTER SET ascii COLLATE ascii_bin, ALGORITHM=INPLACE, LOCK=NONE

-- step 5 (16f7f36de7.1): Build the index for orders (tenant_id) → tenants (ALGORITHM=INPLACE, LOCK=NONE, or the server refuses)
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
ALTER TABLE shop.orders ADD KEY orders_tenant_id_fk (tenant_id), ALGORITHM=INPLACE, LOCK=NONE;
-- undo: ALTER TABLE shop.orders DROP INDEX orders_tenant_id_fk, ALGORITHM=INPLACE, LOCK=NONE

-- step 6 (daf92002a4.1): Bind new rows: orders (tenant_id) → tenants, old rows on trust (foreign_key_checks=0) (ALGORITHM=INPLACE, LOCK=NONE, or the server refuses)
-- refuse if: SELECT count(*) FROM (SELECT 1 FROM shop.orders AS c WHERE c.tenant_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM shop.tenants AS p WHERE p.id = c.tenant_id) LIMIT 1000) AS offenders
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
SET foreign_key_checks = 0;
ALTER TABLE shop.orders ADD CONSTRAINT orders_tenant_id_fk FOREIGN KEY (tenant_id) REFERENCES shop.tenants (id), ALGORITHM=INPLACE, LOCK=NONE;
SET foreign_key_checks = DEFAULT;
-- undo: ALTER TABLE shop.orders DROP FOREIGN KEY orders_tenant_id_fk, ALGORITHM=INPLACE, LOCK=NONE

-- step 7 (ee50dc326d.1): Prove old rows: orders (tenant_id) → tenants
-- every row of the table keeps to orders (tenant_id) → tenants: gives 0
SELECT count(*) FROM shop.orders WHERE 1 = 1 AND (orders.tenant_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM shop.tenants AS parent WHERE parent.id = orders.tenant_id));
-- undo: nothing to do, it changes nothing

-- step 8 (78f9fdb5b6.1): Build the index orders_tenant_id_created_at_idx, in the place of orders_tenant_id_fk (ALGORITHM=INPLACE, LOCK=NONE, or the server refuses)
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
ALTER TABLE shop.orders DROP INDEX orders_tenant_id_fk, ADD KEY orders_tenant_id_created_at_idx (tenant_id, created_at), ALGORITHM=INPLACE, LOCK=NONE;
-- undo: ALTER TABLE shop.orders DROP INDEX orders_tenant_id_created_at_idx, ADD KEY orders_tenant_id_fk (tenant_id), ALGORITHM=INPLACE, LOCK=NONE
