-- Plan: 1 migration, 8 steps (1 gate) for sqlite 3.40.1 (shop)
-- digest 85bd4a742ddb2320707a1daf70a782381fe8eddd616743f17e6215bf51c372df
-- What this script does not do: keep a journal, try again after a lock timeout, go on after a crash.

-- ===== expand: before the new application is deployed; the old one does not notice =====

-- step 1 (e92a7f4559.1): Add orders.tenant_id, nullable
BEGIN;
-- busy timeout 250 ms
ALTER TABLE orders ADD COLUMN tenant_id TEXT REFERENCES tenants (id);
COMMIT;
-- undo: ALTER TABLE orders DROP COLUMN tenant_id

-- step 2 (542d8ab27b.1): Fill orders.tenant_id for rows that the old application writes (trigger)
BEGIN;
-- busy timeout 250 ms
CREATE TRIGGER main.zzz_driftflow_fill_orders_tenant_id_insert AFTER INSERT ON orders FOR EACH ROW WHEN NEW.tenant_id IS NULL
BEGIN
  UPDATE orders SET tenant_id = (SELECT u.tenant_id FROM users u WHERE u.id = NEW.user_id) WHERE id = NEW.id;
END;
CREATE TRIGGER main.zzz_driftflow_fill_orders_tenant_id_update AFTER UPDATE OF user_id ON orders FOR EACH ROW
WHEN NOT (NEW.tenant_id IS NOT OLD.tenant_id) AND (NEW.user_id IS NOT OLD.user_id COLLATE BINARY)
BEGIN
  UPDATE orders SET tenant_id = (SELECT u.tenant_id FROM users u WHERE u.id = NEW.user_id) WHERE id = NEW.id;
END;
COMMIT;
-- undo: DROP TRIGGER main.zzz_driftflow_fill_orders_tenant_id_update
-- undo: DROP TRIGGER main.zzz_driftflow_fill_orders_tenant_id_insert

-- ===== migrate: values are moved and proved while both applications may run =====

-- step 3 (1c9002b836.1): Fill orders.tenant_id in chunks
-- driftflow runs this in chunks of about 35 ms along (id), each in a transaction with its cursor:
--   UPDATE main.orders SET tenant_id = u.tenant_id FROM users u WHERE ((id) > (:low) AND (id) <= (:high)) AND (u.id = orders.user_id) AND (orders.tenant_id IS NULL AND (u.tenant_id) IS NOT NULL);
-- As plain SQL it is one statement, which locks every row until it ends:
UPDATE main.orders SET tenant_id = u.tenant_id FROM users u WHERE (u.id = orders.user_id) AND (orders.tenant_id IS NULL AND (u.tenant_id) IS NOT NULL);
-- undo: nothing to do, the values go with the column: the undo that drops orders.tenant_id

-- ===== contract: after the old application is gone =====

-- step 4 (918672effb.1): Wait until somebody says yes: Is the new version of the application running everywhere, and the old one nowhere?
-- GATE: stop here until the answer is yes. Is the new version of the application running everywhere, and the old one nowhere?
--   [ ] orders.tenant_id is written by the new application itself
--   [ ] INSERTs of the old application leave out orders.tenant_id
-- undo: nothing to do, waiting changes nothing

-- step 5 (05346a8fac.1): Take away the trigger that fills orders.tenant_id: the new application writes it
BEGIN;
-- busy timeout 250 ms
DROP TRIGGER main.zzz_driftflow_fill_orders_tenant_id_update;
DROP TRIGGER main.zzz_driftflow_fill_orders_tenant_id_insert;
COMMIT;
-- undo: CREATE TRIGGER main.zzz_driftflow_fill_orders_tenant_id_insert AFTER INSERT ON orders FOR EACH ROW WHEN NEW.tenant_id IS NULL BEGIN UPDATE orders SET tenant_id = (SELECT u.tenant_id FROM users u WHERE u.id = NEW.user_id) WHERE id = NEW.id; END
-- undo: CREATE TRIGGER main.zzz_driftflow_fill_orders_tenant_id_update AFTER UPDATE OF user_id ON orders FOR EACH ROW WHEN NOT (NEW.tenant_id IS NOT OLD.tenant_id) AND (NEW.user_id IS NOT OLD.user_id COLLATE BINARY) BEGIN UPDATE orders SET tenant_id = (SELECT u.tenant_id FROM users u WHERE u.id = NEW.user_id) WHERE id = NEW.id; END

-- step 6 (f0c35fa71c.1): Fill what is still missing in orders.tenant_id
-- driftflow runs this in chunks of about 35 ms along (id), each in a transaction with its cursor:
--   UPDATE main.orders SET tenant_id = u.tenant_id FROM users u WHERE ((id) > (:low) AND (id) <= (:high)) AND (u.id = orders.user_id) AND (orders.tenant_id IS NULL AND (u.tenant_id) IS NOT NULL);
-- As plain SQL it is one statement, which locks every row until it ends:
UPDATE main.orders SET tenant_id = u.tenant_id FROM users u WHERE (u.id = orders.user_id) AND (orders.tenant_id IS NULL AND (u.tenant_id) IS NOT NULL);
-- undo: nothing to do, the values go with the column: the undo that drops orders.tenant_id

-- step 7 (6ea3b51583.1): Rebuild orders: tenant_id NOT NULL
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

-- step 8 (af00d9e87f.1): CREATE INDEX orders_tenant_id_created_at_idx ON orders (tenant_id, created_at)
BEGIN;
-- busy timeout 250 ms
CREATE INDEX orders_tenant_id_created_at_idx ON orders (tenant_id, created_at);
COMMIT;
-- undo: DROP INDEX orders_tenant_id_created_at_idx
