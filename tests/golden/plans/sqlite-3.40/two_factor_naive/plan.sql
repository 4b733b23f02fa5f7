-- Plan: 1 migration, 3 steps for sqlite 3.40.1 (shop)
-- digest f076564d2cdf6f4ddc3c5e0da7b5b7dde5ddef6e08fbc1ae42edd625b7c6d275
-- What this script does not do: keep a journal, try again after a lock timeout, go on after a crash.

-- ===== expand: before the new application is deployed; the old one does not notice =====

-- step 1 (df84c01f80.1): ALTER TABLE users ADD COLUMN two_factor_secret VARCHAR(255)
BEGIN;
-- busy timeout 250 ms
ALTER TABLE users ADD COLUMN two_factor_secret VARCHAR(255);
COMMIT;
-- undo: ALTER TABLE users DROP COLUMN two_factor_secret

-- step 2 (3a80b39804.1): Add users.two_factor_enabled with the default FALSE: one catalog entry, no row is written
BEGIN;
-- busy timeout 250 ms
ALTER TABLE users ADD COLUMN two_factor_enabled BOOLEAN DEFAULT FALSE;
COMMIT;
-- undo: ALTER TABLE users DROP COLUMN two_factor_enabled

-- step 3 (f151c05369.1): Rebuild users: two_factor_enabled NOT NULL
-- refuse if: SELECT count(*) FROM (SELECT 1 FROM users WHERE two_factor_enabled IS NULL LIMIT 1000) AS offenders
-- driftflow does this while the application writes. As plain SQL, with the application stopped:
PRAGMA foreign_keys = OFF;
BEGIN IMMEDIATE;
CREATE TABLE _driftflow_new_users (
  id INTEGER PRIMARY KEY,
  tenant_id TEXT NOT NULL REFERENCES tenants (id),
  email TEXT UNIQUE NOT NULL,
  totp_seed TEXT,
  created_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
  two_factor_secret VARCHAR(255),
  two_factor_enabled BOOLEAN NOT NULL DEFAULT FALSE
);
INSERT INTO _driftflow_new_users (id, tenant_id, email, totp_seed, created_at, two_factor_secret, two_factor_enabled) SELECT id, tenant_id, email, totp_seed, created_at, two_factor_secret, two_factor_enabled FROM users;
DROP TABLE users;
ALTER TABLE _driftflow_new_users RENAME TO users;
CREATE INDEX users_tenant_id_idx ON users (tenant_id);
PRAGMA foreign_key_check;
COMMIT;
-- What driftflow runs instead:
-- 1. prepare, in one short transaction: from here on every changed row leaves the copy and its key is noted
-- CREATE TABLE _driftflow_new_users (
--   id INTEGER PRIMARY KEY,
--   tenant_id TEXT NOT NULL REFERENCES tenants (id),
--   email TEXT UNIQUE NOT NULL,
--   totp_seed TEXT,
--   created_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
--   two_factor_secret VARCHAR(255),
--   two_factor_enabled BOOLEAN NOT NULL DEFAULT FALSE
-- );
-- CREATE TABLE _driftflow_missing_users (seq INTEGER PRIMARY KEY, key_1);
-- CREATE TRIGGER _driftflow_capture_insert_users AFTER INSERT ON users BEGIN DELETE FROM _driftflow_new_users WHERE id = NEW.id; INSERT INTO _driftflow_missing_users (key_1) VALUES (NEW.id); END;
-- CREATE TRIGGER _driftflow_capture_update_users AFTER UPDATE ON users BEGIN DELETE FROM _driftflow_new_users WHERE id = OLD.id; DELETE FROM _driftflow_new_users WHERE id = NEW.id; INSERT INTO _driftflow_missing_users (key_1) VALUES (NEW.id); END;
-- CREATE TRIGGER _driftflow_capture_delete_users AFTER DELETE ON users BEGIN DELETE FROM _driftflow_new_users WHERE id = OLD.id; END;
-- CREATE TRIGGER _driftflow_capture_before_insert_users BEFORE INSERT ON users BEGIN INSERT INTO _driftflow_missing_users (key_1) SELECT id FROM users WHERE email = NEW.email; DELETE FROM _driftflow_new_users WHERE id IN (SELECT id FROM users WHERE email = NEW.email); END;
-- CREATE TRIGGER _driftflow_capture_before_update_users BEFORE UPDATE ON users BEGIN INSERT INTO _driftflow_missing_users (key_1) SELECT id FROM users WHERE email = NEW.email; DELETE FROM _driftflow_new_users WHERE id IN (SELECT id FROM users WHERE email = NEW.email); END;
-- 2. copy in chunks of 35 ms along (id), then the noted keys again; writers wait for one chunk at most
-- INSERT INTO _driftflow_new_users (id, tenant_id, email, totp_seed, created_at, two_factor_secret, two_factor_enabled) SELECT id, tenant_id, email, totp_seed, created_at, two_factor_secret, two_factor_enabled FROM users WHERE (id) > (:low) AND (id) <= (:high);
-- 3. swap, in one transaction: writers wait while the indexes are built; the last noted keys and the count of rows come first
-- DROP TRIGGER _driftflow_capture_insert_users;
-- DROP TRIGGER _driftflow_capture_update_users;
-- DROP TRIGGER _driftflow_capture_delete_users;
-- DROP TRIGGER _driftflow_capture_before_insert_users;
-- DROP TRIGGER _driftflow_capture_before_update_users;
-- ALTER TABLE users RENAME TO _driftflow_replaced_users;
-- ALTER TABLE _driftflow_new_users RENAME TO users;
-- DROP TABLE _driftflow_missing_users;
-- CREATE INDEX users_tenant_id_idx ON users (tenant_id);
-- CREATE TRIGGER _driftflow_shield_insert_users AFTER INSERT ON users BEGIN DELETE FROM _driftflow_replaced_users WHERE id = NEW.id; END;
-- CREATE TRIGGER _driftflow_shield_update_users AFTER UPDATE ON users BEGIN DELETE FROM _driftflow_replaced_users WHERE id = OLD.id; DELETE FROM _driftflow_replaced_users WHERE id = NEW.id; END;
-- CREATE TRIGGER _driftflow_shield_delete_users AFTER DELETE ON users BEGIN DELETE FROM _driftflow_replaced_users WHERE id = OLD.id; END;
-- CREATE TRIGGER _driftflow_shield_before_insert_users BEFORE INSERT ON users BEGIN DELETE FROM _driftflow_replaced_users WHERE id IN (SELECT id FROM users WHERE email = NEW.email); END;
-- CREATE TRIGGER _driftflow_shield_before_update_users BEFORE UPDATE ON users BEGIN DELETE FROM _driftflow_replaced_users WHERE id IN (SELECT id FROM users WHERE email = NEW.email); END;
-- 4. remove the old table, in chunks
-- DROP TABLE _driftflow_replaced_users;
-- undo: Rebuild users as it was
