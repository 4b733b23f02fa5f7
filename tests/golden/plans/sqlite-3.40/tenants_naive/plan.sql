-- Plan: 1 migration, 6 steps (1 gate) for sqlite 3.40.1 (shop)
-- digest 6df8feb44e57347bca3045b83e1feb1048675d6809e8c512bdf821d345bba0ad
-- What this script does not do: keep a journal, try again after a lock timeout, go on after a crash.

-- ===== expand: before the new application is deployed; the old one does not notice =====

-- step 1 (d15e20b1a2.1): ALTER TABLE orders ADD COLUMN tenant_id TEXT REFERENCES tenants(id)
BEGIN;
-- busy timeout 250 ms
ALTER TABLE orders ADD COLUMN tenant_id TEXT REFERENCES tenants(id);
COMMIT;
-- undo: ALTER TABLE orders DROP COLUMN tenant_id

-- ===== migrate: values are moved and proved while both applications may run =====

-- step 2 (1df09284f2.1): Update orders.tenant_id in chunks
-- driftflow runs this in chunks of about 35 ms along (id), each in a transaction with its cursor:
--   UPDATE main.orders SET tenant_id = (SELECT u.tenant_id FROM users u WHERE u.id = orders.user_id) WHERE ((id) > (:low) AND (id) <= (:high));
-- As plain SQL it is one statement, which locks every row until it ends:
UPDATE main.orders SET tenant_id = (SELECT u.tenant_id FROM users u WHERE u.id = orders.user_id) WHERE ;
-- undo: nothing to do, the values go with the columns that this release adds

-- ===== contract: after the old application is gone =====

-- step 3 (9b007a6426.1): Wait until somebody says yes: Is the new version of the application running everywhere, and the old one nowhere?
-- GATE: stop here until the answer is yes. Is the new version of the application running everywhere, and the old one nowhere?
--   [ ] INSERTs of the old application leave out orders.tenant_id
-- undo: nothing to do, waiting changes nothing

-- step 4 (3c39966b28.1): Fill what is still missing in orders.tenant_id
-- driftflow runs this in chunks of about 35 ms along (id), each in a transaction with its cursor:
--   UPDATE main.orders SET tenant_id = (SELECT u.tenant_id FROM users u WHERE u.id = orders.user_id) WHERE ((id) > (:low) AND (id) <= (:high)) AND (orders.tenant_id IS NULL AND ((SELECT u.tenant_id FROM users u WHERE u.id = orders.user_id)) IS NOT NULL);
-- As plain SQL it is one statement, which locks every row until it ends:
UPDATE main.orders SET tenant_id = (SELECT u.tenant_id FROM users u WHERE u.id = orders.user_id) WHERE (orders.tenant_id IS NULL AND ((SELECT u.tenant_id FROM users u WHERE u.id = orders.user_id)) IS NOT NULL);
-- undo: nothing to do, the values go with the column: the undo that drops orders.tenant_id

-- step 5 (6ea3b51583.1): Rebuild orders: tenant_id NOT NULL
-- refuse if: SELECT count(*) FROM (SELECT 1 FROM orders WHERE tenant_id IS NULL LIMIT 1000) AS offenders
-- driftflow does this while the application writes. As plain SQL, with the application stopped:
PRAGMA foreign_keys = OFF;
BEGIN IMMEDIATE;
CREATE TABLE _driftflow_new_orders (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  user_id INTEGER NOT NULL REFERENCES users (id),
  product_id INTEGER NOT NULL REFERENCES products (id),
  quantity INTEGER NOT NULL DEFAULT 1 CHECK (quantity > 0),
  total_cents INTEGER NOT NULL,
  status TEXT NOT NULL DEFAULT 'new',
  created_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
  tenant_id TEXT NOT NULL REFERENCES tenants (id)
);
INSERT INTO _driftflow_new_orders (id, user_id, product_id, quantity, total_cents, status, created_at, tenant_id) SELECT id, user_id, product_id, quantity, total_cents, status, created_at, tenant_id FROM orders;
DROP TABLE orders;
ALTER TABLE _driftflow_new_orders RENAME TO orders;
CREATE INDEX orders_user_id_idx ON orders (user_id);
CREATE INDEX orders_product_id_idx ON orders (product_id);
PRAGMA foreign_key_check;
COMMIT;
-- What driftflow runs instead:
-- 1. prepare, in one short transaction: from here on every changed row leaves the copy and its key is noted
-- CREATE TABLE _driftflow_new_orders (
--   id INTEGER PRIMARY KEY AUTOINCREMENT,
--   user_id INTEGER NOT NULL REFERENCES users (id),
--   product_id INTEGER NOT NULL REFERENCES products (id),
--   quantity INTEGER NOT NULL DEFAULT 1 CHECK (quantity > 0),
--   total_cents INTEGER NOT NULL,
--   status TEXT NOT NULL DEFAULT 'new',
--   created_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
--   tenant_id TEXT NOT NULL REFERENCES tenants (id)
-- );
-- CREATE TABLE _driftflow_missing_orders (seq INTEGER PRIMARY KEY, key_1);
-- CREATE TRIGGER _driftflow_capture_insert_orders AFTER INSERT ON orders BEGIN DELETE FROM _driftflow_new_orders WHERE id = NEW.id; INSERT INTO _driftflow_missing_orders (key_1) VALUES (NEW.id); END;
-- CREATE TRIGGER _driftflow_capture_update_orders AFTER UPDATE ON orders BEGIN DELETE FROM _driftflow_new_orders WHERE id = OLD.id; DELETE FROM _driftflow_new_orders WHERE id = NEW.id; INSERT INTO _driftflow_missing_orders (key_1) VALUES (NEW.id); END;
-- CREATE TRIGGER _driftflow_capture_delete_orders AFTER DELETE ON orders BEGIN DELETE FROM _driftflow_new_orders WHERE id = OLD.id; END;
-- 2. copy in chunks of 35 ms along (id), then the noted keys again; writers wait for one chunk at most
-- INSERT INTO _driftflow_new_orders (id, user_id, product_id, quantity, total_cents, status, created_at, tenant_id) SELECT id, user_id, product_id, quantity, total_cents, status, created_at, tenant_id FROM orders WHERE (id) > (:low) AND (id) <= (:high);
-- 3. swap, in one transaction: writers wait while the indexes are built; the last noted keys and the count of rows come first
-- DROP TRIGGER _driftflow_capture_insert_orders;
-- DROP TRIGGER _driftflow_capture_update_orders;
-- DROP TRIGGER _driftflow_capture_delete_orders;
-- ALTER TABLE orders RENAME TO _driftflow_replaced_orders;
-- ALTER TABLE _driftflow_new_orders RENAME TO orders;
-- DROP TABLE _driftflow_missing_orders;
-- CREATE INDEX orders_user_id_idx ON orders (user_id);
-- CREATE INDEX orders_product_id_idx ON orders (product_id);
-- CREATE TRIGGER _driftflow_shield_insert_orders AFTER INSERT ON orders BEGIN DELETE FROM _driftflow_replaced_orders WHERE id = NEW.id; END;
-- CREATE TRIGGER _driftflow_shield_update_orders AFTER UPDATE ON orders BEGIN DELETE FROM _driftflow_replaced_orders WHERE id = OLD.id; DELETE FROM _driftflow_replaced_orders WHERE id = NEW.id; END;
-- CREATE TRIGGER _driftflow_shield_delete_orders AFTER DELETE ON orders BEGIN DELETE FROM _driftflow_replaced_orders WHERE id = OLD.id; END;
-- 4. remove the old table, in chunks
-- DROP TABLE _driftflow_replaced_orders;
-- undo: Rebuild orders as it was

-- step 6 (c1ae48e07c.1): CREATE INDEX orders_tenant_id_idx ON orders (tenant_id)
BEGIN;
-- busy timeout 250 ms
CREATE INDEX orders_tenant_id_idx ON orders (tenant_id);
COMMIT;
-- undo: DROP INDEX orders_tenant_id_idx
