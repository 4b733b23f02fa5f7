-- Plan: 1 migration, 48 steps (1 gate) for mariadb 10.11 (shop)
-- digest 4cc550553484dab9945880f09f2721e626cd4644647b0eb62175d8ed204bbe43
-- What this script does not do: keep a journal, try again after a lock timeout, go on after a crash.

-- ===== expand: before the new application is deployed; the old one does not notice =====

-- step 1 (6655271407.1): ALTER TABLE shop.users ADD COLUMN two_factor_ciphertext varbinary(512) (ALGORITHM=INSTANT, or the server refuses)
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
ALTER TABLE shop.users ADD COLUMN two_factor_ciphertext varbinary(512), ALGORITHM=INSTANT;
-- undo: ALTER TABLE shop.users DROP COLUMN two_factor_ciphertext, ALGORITHM=INSTANT

-- step 2 (9bb01a4658.1): Add users.two_factor_key_id, nullable (ALGORITHM=INSTANT, or the server refuses)
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
ALTER TABLE shop.users ADD COLUMN two_factor_key_id varchar(64), ALGORITHM=INSTANT;
-- undo: ALTER TABLE shop.users DROP COLUMN two_factor_key_id, ALGORITHM=INSTANT

-- step 3 (857f62cbd0.1): Add users.two_factor_enabled with the default FALSE: one catalog entry, no row is written (ALGORITHM=INSTANT, or the server refuses)
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
ALTER TABLE shop.users ADD COLUMN two_factor_enabled tinyint(1) NOT NULL DEFAULT FALSE, ALGORITHM=INSTANT;
-- undo: ALTER TABLE shop.users DROP COLUMN two_factor_enabled, ALGORITHM=INSTANT

-- ===== migrate: values are moved and proved while both applications may run =====

-- step 4 (ebac86db00.1): Fill two_factor_ciphertext, two_factor_key_id of users with two_factor_keys:encrypt, in chunks
-- driftflow runs this in chunks of about 150 ms along (id), each in a transaction with its cursor:
--   UPDATE shop.users SET two_factor_ciphertext = two_factor_keys:encrypt(…), two_factor_key_id = two_factor_keys:encrypt(…) WHERE ((id) > (:low) AND (id) <= (:high)) AND (users.two_factor_ciphertext IS NULL AND (totp_seed IS NOT NULL));
-- two_factor_keys:encrypt is Python and runs in driftflow only.
-- undo: nothing to do, the values go with the columns that they fill

-- step 5 (b336399d28.1): Make a copy of users without rows, in the new form: ADD CONSTRAINT users_two_factor_check CHECK (NOT two_factor_enabled OR two_fact…
-- refuse if: SELECT count(*) FROM (SELECT 1 FROM shop.users WHERE NOT (NOT two_factor_enabled OR two_factor_ciphertext IS NOT NULL AND two_factor_key_id IS NOT NULL) LIMIT 1000) AS offenders
-- refuse if: SELECT COUNT(DISTINCT TABLE_SCHEMA, TABLE_NAME) FROM information_schema.KEY_COLUMN_USAGE WHERE REFERENCED_TABLE_SCHEMA = 'shop' AND REFERENCED_TABLE_NAME = 'users' AND NOT (TABLE_SCHEMA = 'shop' AND TABLE_NAME = 'users' OR TABLE_SCHEMA = 'shop' AND TABLE_NAME = 'orders')
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
CREATE TABLE shop._driftflow_making_users_613332 LIKE shop.users;
ALTER TABLE shop._driftflow_making_users_613332 DROP INDEX users_tenant_id_idx, ADD KEY users_tenant_id_idx (tenant_id);
ALTER TABLE shop._driftflow_making_users_613332 ADD CONSTRAINT users_two_factor_check CHECK (NOT two_factor_enabled OR two_factor_ciphertext IS NOT NULL AND two_factor_key_id IS NOT NULL);
RENAME TABLE shop._driftflow_making_users_613332 TO shop.zzz_driftflow_new_users_613332;
-- undo: DROP TABLE IF EXISTS shop.zzz_driftflow_new_users_613332

-- step 6 (45e2a2c769.1): Keep the form of users, to see whether it stays the same
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
CREATE TABLE shop._driftflow_form_users_613332 LIKE shop.users;
-- undo: DROP TABLE IF EXISTS shop._driftflow_form_users_613332

-- step 7 (57ee9d98f1.1): Make a table for the keys of rows of users that are written meanwhile
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
CREATE TABLE IF NOT EXISTS shop.zzz_driftflow_log_users_613332_now (driftflow_id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY, driftflow_seq bigint unsigned NULL, driftflow_out tinyint NOT NULL DEFAULT 0, driftflow_k1 bigint NULL) ENGINE=InnoDB;
CREATE TABLE shop.zzz_driftflow_log_users_613332 (driftflow_seq bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY, driftflow_k1 bigint NULL) ENGINE=InnoDB;
-- undo: DROP TABLE IF EXISTS shop.zzz_driftflow_log_users_613332, shop.zzz_driftflow_log_users_613332_now

-- step 8 (2d53dfa026.1): Make a table for the keys of rows of users that are written meanwhile
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
CREATE TABLE IF NOT EXISTS shop.zzz_driftflow_back_users_613332_now (driftflow_id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY, driftflow_seq bigint unsigned NULL, driftflow_out tinyint NOT NULL DEFAULT 0, driftflow_k1 bigint NULL) ENGINE=InnoDB;
CREATE TABLE shop.zzz_driftflow_back_users_613332 (driftflow_seq bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY, driftflow_k1 bigint NULL) ENGINE=InnoDB;
-- undo: DROP TABLE IF EXISTS shop.zzz_driftflow_back_users_613332, shop.zzz_driftflow_back_users_613332_now

-- step 9 (9c96a0cdb1.1): Note the keys of rows of users (trigger on DELETE)
-- refuse if: SELECT count(*) FROM (SELECT 1 AS one) AS asked WHERE @@GLOBAL.log_bin = 1 AND @@GLOBAL.log_bin_trust_function_creators = 0 AND COALESCE(CURRENT_ROLE(), 'NONE') = 'NONE' AND NOT EXISTS (SELECT 1 FROM information_schema.USER_PRIVILEGES WHERE GRANTEE = CONCAT('''', REPLACE(CURRENT_USER(), '@', '''@'''), '''') AND PRIVILEGE_TYPE = 'SUPER')
-- refuse if: SELECT count(*) FROM (SELECT 1 AS one) AS asked WHERE COALESCE(CURRENT_ROLE(), 'NONE') = 'NONE' AND NOT EXISTS (SELECT 1 FROM information_schema.USER_PRIVILEGES WHERE GRANTEE = CONCAT('''', REPLACE(CURRENT_USER(), '@', '''@'''), '''') AND PRIVILEGE_TYPE = 'TRIGGER') AND NOT EXISTS (SELECT 1 FROM information_schema.SCHEMA_PRIVILEGES WHERE GRANTEE = CONCAT('''', REPLACE(CURRENT_USER(), '@', '''@'''), '''') AND PRIVILEGE_TYPE = 'TRIGGER' AND 'shop' LIKE TABLE_SCHEMA) AND NOT EXISTS (SELECT 1 FROM information_schema.TABLE_PRIVILEGES WHERE GRANTEE = CONCAT('''', REPLACE(CURRENT_USER(), '@', '''@'''), '''') AND PRIVILEGE_TYPE = 'TRIGGER' AND TABLE_SCHEMA = 'shop' AND TABLE_NAME = 'users')
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
SET sql_mode = 'STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES';
CREATE TRIGGER shop.zzz_driftflow_note_users_613332_delete AFTER DELETE ON shop.users FOR EACH ROW BEGIN IF 0 THEN INSERT INTO shop.zzz_driftflow_log_users_613332 VALUES (); INSERT INTO shop.zzz_driftflow_new_users_613332 VALUES (); INSERT INTO shop.zzz_driftflow_back_users_613332 VALUES (); END IF; INSERT INTO shop.zzz_driftflow_log_users_613332 (driftflow_k1) VALUES (OLD.id); END;
SET sql_mode = DEFAULT;
-- undo: DROP TRIGGER IF EXISTS shop.zzz_driftflow_note_users_613332_delete

-- step 10 (e7aceeaf85.1): Note the keys of rows of users (trigger on UPDATE)
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
SET sql_mode = 'STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES';
CREATE TRIGGER shop.zzz_driftflow_note_users_613332_update AFTER UPDATE ON shop.users FOR EACH ROW BEGIN IF 0 THEN INSERT INTO shop.zzz_driftflow_log_users_613332 VALUES (); INSERT INTO shop.zzz_driftflow_new_users_613332 VALUES (); INSERT INTO shop.zzz_driftflow_back_users_613332 VALUES (); END IF; IF NOT (OLD.id <=> NEW.id) THEN INSERT INTO shop.zzz_driftflow_log_users_613332 (driftflow_k1) VALUES (OLD.id), (NEW.id); ELSE INSERT INTO shop.zzz_driftflow_log_users_613332 (driftflow_k1) VALUES (OLD.id); END IF; END;
SET sql_mode = DEFAULT;
-- undo: DROP TRIGGER IF EXISTS shop.zzz_driftflow_note_users_613332_update

-- step 11 (b3f4b3beb1.1): Note the keys of rows of users (trigger on INSERT)
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
SET sql_mode = 'STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES';
CREATE TRIGGER shop.zzz_driftflow_note_users_613332_insert AFTER INSERT ON shop.users FOR EACH ROW BEGIN IF 0 THEN INSERT INTO shop.zzz_driftflow_log_users_613332 VALUES (); INSERT INTO shop.zzz_driftflow_new_users_613332 VALUES (); INSERT INTO shop.zzz_driftflow_back_users_613332 VALUES (); END IF; INSERT INTO shop.zzz_driftflow_log_users_613332 (driftflow_k1) VALUES (NEW.id); END;
SET sql_mode = DEFAULT;
-- undo: DROP TRIGGER IF EXISTS shop.zzz_driftflow_note_users_613332_insert

-- step 12 (6566aeed58.1): Copy users into its new form in chunks
-- driftflow runs this in chunks of about 150 ms along (id), each in a transaction with its cursor:
--   INSERT INTO shop.zzz_driftflow_new_users_613332 (id, tenant_id, email, totp_seed, created_at, two_factor_ciphertext, two_factor_key_id, two_factor_enabled) SELECT id, tenant_id, email, totp_seed, created_at, two_factor_ciphertext, two_factor_key_id, two_factor_enabled FROM shop.users WHERE ((id) > (:low) AND (id) <= (:high));
-- As plain SQL it is one statement, which locks every row until it ends:
INSERT INTO shop.zzz_driftflow_new_users_613332 (id, tenant_id, email, totp_seed, created_at, two_factor_ciphertext, two_factor_key_id, two_factor_enabled) SELECT id, tenant_id, email, totp_seed, created_at, two_factor_ciphertext, two_factor_key_id, two_factor_enabled FROM shop.users WHERE true;
-- undo: nothing to do, the rows go with zzz_driftflow_new_users_613332

-- step 13 (0689fa03c6.1): Copy again the rows of users that were written meanwhile
-- driftflow runs this in chunks of about 150 ms along (driftflow_seq), each in a transaction with its cursor:
--   INSERT INTO shop.zzz_driftflow_log_users_613332_now (driftflow_seq, driftflow_k1) SELECT driftflow_seq, driftflow_k1 FROM shop.zzz_driftflow_log_users_613332 WHERE ((driftflow_seq) > (:low) AND (driftflow_seq) <= (:high)) AND (1 = 1); SELECT COUNT(*) FROM (SELECT DISTINCT driftflow_k1 FROM shop.zzz_driftflow_log_users_613332_now WHERE driftflow_out = 0) AS moved STRAIGHT_JOIN shop.users FORCE INDEX (`PRIMARY`) ON shop.users.id = moved.driftflow_k1 LOCK IN SHARE MODE NOWAIT; SELECT COUNT(*) FROM shop.zzz_driftflow_log_users_613332_now STRAIGHT_JOIN shop.zzz_driftflow_new_users_613332 FORCE INDEX (`PRIMARY`) ON shop.zzz_driftflow_new_users_613332.id = shop.zzz_driftflow_log_users_613332_now.driftflow_k1 WHERE shop.zzz_driftflow_log_users_613332_now.driftflow_out = 0 FOR UPDATE NOWAIT; DELETE shop.zzz_driftflow_new_users_613332 FROM shop.zzz_driftflow_log_users_613332_now STRAIGHT_JOIN shop.zzz_driftflow_new_users_613332 FORCE INDEX (`PRIMARY`) ON shop.zzz_driftflow_new_users_613332.id = shop.zzz_driftflow_log_users_613332_now.driftflow_k1 WHERE shop.zzz_driftflow_log_users_613332_now.driftflow_out = 0; INSERT INTO shop.zzz_driftflow_log_users_613332_now (driftflow_out, driftflow_k1) SELECT DISTINCT 1, shop.zzz_driftflow_new_users_613332.id FROM (SELECT DISTINCT driftflow_k1 FROM shop.zzz_driftflow_log_users_613332_now WHERE driftflow_out = 0) AS moved STRAIGHT_JOIN shop.users FORCE INDEX (`PRIMARY`) ON shop.users.id = moved.driftflow_k1 STRAIGHT_JOIN shop.zzz_driftflow_new_users_613332 ON shop.zzz_driftflow_new_users_613332.email = shop.users.email AND NOT (shop.zzz_driftflow_new_users_613332.id = moved.driftflow_k1); SELECT COUNT(*) FROM shop.zzz_driftflow_log_users_613332_now STRAIGHT_JOIN shop.zzz_driftflow_new_users_613332 FORCE INDEX (`PRIMARY`) ON shop.zzz_driftflow_new_users_613332.id = shop.zzz_driftflow_log_users_613332_now.driftflow_k1 WHERE shop.zzz_driftflow_log_users_613332_now.driftflow_out = 1 FOR UPDATE NOWAIT; DELETE shop.zzz_driftflow_new_users_613332 FROM shop.zzz_driftflow_log_users_613332_now STRAIGHT_JOIN shop.zzz_driftflow_new_users_613332 FORCE INDEX (`PRIMARY`) ON shop.zzz_driftflow_new_users_613332.id = shop.zzz_driftflow_log_users_613332_now.driftflow_k1 WHERE shop.zzz_driftflow_log_users_613332_now.driftflow_out = 1; INSERT INTO shop.zzz_driftflow_log_users_613332 (driftflow_k1) SELECT driftflow_k1 FROM shop.zzz_driftflow_log_users_613332_now WHERE driftflow_out = 1; DELETE FROM shop.zzz_driftflow_log_users_613332_now WHERE driftflow_out = 1; INSERT INTO shop.zzz_driftflow_new_users_613332 (id, tenant_id, email, totp_seed, created_at, two_factor_ciphertext, two_factor_key_id, two_factor_enabled) SELECT id, tenant_id, email, totp_seed, created_at, two_factor_ciphertext, two_factor_key_id, two_factor_enabled FROM (SELECT DISTINCT driftflow_k1 FROM shop.zzz_driftflow_log_users_613332_now WHERE driftflow_out = 0) AS moved STRAIGHT_JOIN shop.users FORCE INDEX (`PRIMARY`) ON shop.users.id = moved.driftflow_k1 LOCK IN SHARE MODE NOWAIT; DELETE shop.zzz_driftflow_log_users_613332 FROM shop.zzz_driftflow_log_users_613332_now STRAIGHT_JOIN shop.zzz_driftflow_log_users_613332 ON shop.zzz_driftflow_log_users_613332.driftflow_seq = shop.zzz_driftflow_log_users_613332_now.driftflow_seq; DELETE FROM shop.zzz_driftflow_log_users_613332_now;
-- As plain SQL it is one statement, which locks every row until it ends:
INSERT INTO shop.zzz_driftflow_log_users_613332_now (driftflow_seq, driftflow_k1) SELECT driftflow_seq, driftflow_k1 FROM shop.zzz_driftflow_log_users_613332 WHERE (1 = 1);
SELECT COUNT(*) FROM (SELECT DISTINCT driftflow_k1 FROM shop.zzz_driftflow_log_users_613332_now WHERE driftflow_out = 0) AS moved STRAIGHT_JOIN shop.users FORCE INDEX (`PRIMARY`) ON shop.users.id = moved.driftflow_k1 LOCK IN SHARE MODE NOWAIT;
SELECT COUNT(*) FROM shop.zzz_driftflow_log_users_613332_now STRAIGHT_JOIN shop.zzz_driftflow_new_users_613332 FORCE INDEX (`PRIMARY`) ON shop.zzz_driftflow_new_users_613332.id = shop.zzz_driftflow_log_users_613332_now.driftflow_k1 WHERE shop.zzz_driftflow_log_users_613332_now.driftflow_out = 0 FOR UPDATE NOWAIT;
DELETE shop.zzz_driftflow_new_users_613332 FROM shop.zzz_driftflow_log_users_613332_now STRAIGHT_JOIN shop.zzz_driftflow_new_users_613332 FORCE INDEX (`PRIMARY`) ON shop.zzz_driftflow_new_users_613332.id = shop.zzz_driftflow_log_users_613332_now.driftflow_k1 WHERE shop.zzz_driftflow_log_users_613332_now.driftflow_out = 0;
INSERT INTO shop.zzz_driftflow_log_users_613332_now (driftflow_out, driftflow_k1) SELECT DISTINCT 1, shop.zzz_driftflow_new_users_613332.id FROM (SELECT DISTINCT driftflow_k1 FROM shop.zzz_driftflow_log_users_613332_now WHERE driftflow_out = 0) AS moved STRAIGHT_JOIN shop.users FORCE INDEX (`PRIMARY`) ON shop.users.id = moved.driftflow_k1 STRAIGHT_JOIN shop.zzz_driftflow_new_users_613332 ON shop.zzz_driftflow_new_users_613332.email = shop.users.email AND NOT (shop.zzz_driftflow_new_users_613332.id = moved.driftflow_k1);
SELECT COUNT(*) FROM shop.zzz_driftflow_log_users_613332_now STRAIGHT_JOIN shop.zzz_driftflow_new_users_613332 FORCE INDEX (`PRIMARY`) ON shop.zzz_driftflow_new_users_613332.id = shop.zzz_driftflow_log_users_613332_now.driftflow_k1 WHERE shop.zzz_driftflow_log_users_613332_now.driftflow_out = 1 FOR UPDATE NOWAIT;
DELETE shop.zzz_driftflow_new_users_613332 FROM shop.zzz_driftflow_log_users_613332_now STRAIGHT_JOIN shop.zzz_driftflow_new_users_613332 FORCE INDEX (`PRIMARY`) ON shop.zzz_driftflow_new_users_613332.id = shop.zzz_driftflow_log_users_613332_now.driftflow_k1 WHERE shop.zzz_driftflow_log_users_613332_now.driftflow_out = 1;
INSERT INTO shop.zzz_driftflow_log_users_613332 (driftflow_k1) SELECT driftflow_k1 FROM shop.zzz_driftflow_log_users_613332_now WHERE driftflow_out = 1;
DELETE FROM shop.zzz_driftflow_log_users_613332_now WHERE driftflow_out = 1;
INSERT INTO shop.zzz_driftflow_new_users_613332 (id, tenant_id, email, totp_seed, created_at, two_factor_ciphertext, two_factor_key_id, two_factor_enabled) SELECT id, tenant_id, email, totp_seed, created_at, two_factor_ciphertext, two_factor_key_id, two_factor_enabled FROM (SELECT DISTINCT driftflow_k1 FROM shop.zzz_driftflow_log_users_613332_now WHERE driftflow_out = 0) AS moved STRAIGHT_JOIN shop.users FORCE INDEX (`PRIMARY`) ON shop.users.id = moved.driftflow_k1 LOCK IN SHARE MODE NOWAIT;
DELETE shop.zzz_driftflow_log_users_613332 FROM shop.zzz_driftflow_log_users_613332_now STRAIGHT_JOIN shop.zzz_driftflow_log_users_613332 ON shop.zzz_driftflow_log_users_613332.driftflow_seq = shop.zzz_driftflow_log_users_613332_now.driftflow_seq;
DELETE FROM shop.zzz_driftflow_log_users_613332_now;
-- undo: nothing to do, the rows go with zzz_driftflow_new_users_613332

-- step 14 (9ca9e2a363.1): Write rows of users to zzz_driftflow_new_users_613332 too (trigger on DELETE)
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
SET sql_mode = 'STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES';
CREATE TRIGGER shop.zzz_driftflow_copy_users_613332_delete AFTER DELETE ON shop.users FOR EACH ROW BEGIN IF 0 THEN INSERT INTO shop.zzz_driftflow_log_users_613332 VALUES (); INSERT INTO shop.zzz_driftflow_new_users_613332 VALUES (); INSERT INTO shop.zzz_driftflow_back_users_613332 VALUES (); END IF; BEGIN DECLARE EXIT HANDLER FOR 1216, 1217, 1451, 1452 RESIGNAL; DECLARE EXIT HANDLER FOR SQLSTATE '22001', SQLSTATE '22003', SQLSTATE '22004', SQLSTATE '22007', SQLSTATE '22008', SQLSTATE '22012', SQLSTATE '22018', SQLSTATE '22023', SQLSTATE '22032', SQLSTATE '23000', 1264, 1265, 1292, 1300, 1364, 1366, 1367, 1406, 1411, 1416, 1526, 1690, 1748, 1977, 3819, 3854, 4025 INSERT INTO shop.zzz_driftflow_log_users_613332 (driftflow_k1) VALUES (OLD.id); DELETE FROM shop.zzz_driftflow_new_users_613332 WHERE shop.zzz_driftflow_new_users_613332.id = OLD.id; END; END;
SET sql_mode = DEFAULT;
-- undo: DROP TRIGGER IF EXISTS shop.zzz_driftflow_copy_users_613332_delete

-- step 15 (3ab8191f0d.1): Write rows of users to zzz_driftflow_new_users_613332 too (trigger on UPDATE)
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
SET sql_mode = 'STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES';
CREATE TRIGGER shop.zzz_driftflow_copy_users_613332_update AFTER UPDATE ON shop.users FOR EACH ROW BEGIN IF 0 THEN INSERT INTO shop.zzz_driftflow_log_users_613332 VALUES (); INSERT INTO shop.zzz_driftflow_new_users_613332 VALUES (); INSERT INTO shop.zzz_driftflow_back_users_613332 VALUES (); END IF; BEGIN DECLARE EXIT HANDLER FOR 1216, 1217, 1451, 1452 RESIGNAL; DECLARE EXIT HANDLER FOR SQLSTATE '22001', SQLSTATE '22003', SQLSTATE '22004', SQLSTATE '22007', SQLSTATE '22008', SQLSTATE '22012', SQLSTATE '22018', SQLSTATE '22023', SQLSTATE '22032', SQLSTATE '23000', 1264, 1265, 1292, 1300, 1364, 1366, 1367, 1406, 1411, 1416, 1526, 1690, 1748, 1977, 3819, 3854, 4025 INSERT INTO shop.zzz_driftflow_log_users_613332 (driftflow_k1) VALUES (OLD.id), (NEW.id); IF NOT (OLD.id <=> NEW.id) THEN UPDATE shop.zzz_driftflow_new_users_613332 SET id = NEW.id, tenant_id = NEW.tenant_id, email = NEW.email, totp_seed = NEW.totp_seed, created_at = NEW.created_at, two_factor_ciphertext = NEW.two_factor_ciphertext, two_factor_key_id = NEW.two_factor_key_id, two_factor_enabled = NEW.two_factor_enabled WHERE shop.zzz_driftflow_new_users_613332.id = OLD.id; IF ROW_COUNT() = 0 THEN INSERT INTO shop.zzz_driftflow_new_users_613332 (id, tenant_id, email, totp_seed, created_at, two_factor_ciphertext, two_factor_key_id, two_factor_enabled) VALUES (NEW.id, NEW.tenant_id, NEW.email, NEW.totp_seed, NEW.created_at, NEW.two_factor_ciphertext, NEW.two_factor_key_id, NEW.two_factor_enabled); END IF; ELSE UPDATE shop.zzz_driftflow_new_users_613332 SET id = NEW.id, tenant_id = NEW.tenant_id, email = NEW.email, totp_seed = NEW.totp_seed, created_at = NEW.created_at, two_factor_ciphertext = NEW.two_factor_ciphertext, two_factor_key_id = NEW.two_factor_key_id, two_factor_enabled = NEW.two_factor_enabled WHERE shop.zzz_driftflow_new_users_613332.id = OLD.id; END IF; END; END;
SET sql_mode = DEFAULT;
-- undo: DROP TRIGGER IF EXISTS shop.zzz_driftflow_copy_users_613332_update

-- step 16 (2dd42d92f0.1): Write rows of users to zzz_driftflow_new_users_613332 too (trigger on INSERT)
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
SET sql_mode = 'STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES';
CREATE TRIGGER shop.zzz_driftflow_copy_users_613332_insert AFTER INSERT ON shop.users FOR EACH ROW BEGIN IF 0 THEN INSERT INTO shop.zzz_driftflow_log_users_613332 VALUES (); INSERT INTO shop.zzz_driftflow_new_users_613332 VALUES (); INSERT INTO shop.zzz_driftflow_back_users_613332 VALUES (); END IF; BEGIN DECLARE EXIT HANDLER FOR 1216, 1217, 1451, 1452 RESIGNAL; DECLARE EXIT HANDLER FOR SQLSTATE '22001', SQLSTATE '22003', SQLSTATE '22004', SQLSTATE '22007', SQLSTATE '22008', SQLSTATE '22012', SQLSTATE '22018', SQLSTATE '22023', SQLSTATE '22032', SQLSTATE '23000', 1264, 1265, 1292, 1300, 1364, 1366, 1367, 1406, 1411, 1416, 1526, 1690, 1748, 1977, 3819, 3854, 4025 INSERT INTO shop.zzz_driftflow_log_users_613332 (driftflow_k1) VALUES (NEW.id); INSERT INTO shop.zzz_driftflow_new_users_613332 (id, tenant_id, email, totp_seed, created_at, two_factor_ciphertext, two_factor_key_id, two_factor_enabled) VALUES (NEW.id, NEW.tenant_id, NEW.email, NEW.totp_seed, NEW.created_at, NEW.two_factor_ciphertext, NEW.two_factor_key_id, NEW.two_factor_enabled); END; END;
SET sql_mode = DEFAULT;
-- undo: DROP TRIGGER IF EXISTS shop.zzz_driftflow_copy_users_613332_insert

-- step 17 (72318aa1dd.1): Take away the trigger zzz_driftflow_note_users_613332_delete
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
DROP TRIGGER IF EXISTS shop.zzz_driftflow_note_users_613332_delete;
-- undo: nothing to do, it goes with what it belongs to

-- step 18 (4e4c8ca179.1): Take away the trigger zzz_driftflow_note_users_613332_update
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
DROP TRIGGER IF EXISTS shop.zzz_driftflow_note_users_613332_update;
-- undo: nothing to do, it goes with what it belongs to

-- step 19 (2ff85a71e5.1): Take away the trigger zzz_driftflow_note_users_613332_insert
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
DROP TRIGGER IF EXISTS shop.zzz_driftflow_note_users_613332_insert;
-- undo: nothing to do, it goes with what it belongs to

-- step 20 (ed6fb07239.1): Copy again the last rows of users that were noted
-- driftflow runs this in chunks of about 150 ms along (driftflow_seq), each in a transaction with its cursor:
--   INSERT INTO shop.zzz_driftflow_log_users_613332_now (driftflow_seq, driftflow_k1) SELECT driftflow_seq, driftflow_k1 FROM shop.zzz_driftflow_log_users_613332 WHERE ((driftflow_seq) > (:low) AND (driftflow_seq) <= (:high)) AND (1 = 1); SELECT COUNT(*) FROM (SELECT DISTINCT driftflow_k1 FROM shop.zzz_driftflow_log_users_613332_now WHERE driftflow_out = 0) AS moved STRAIGHT_JOIN shop.users FORCE INDEX (`PRIMARY`) ON shop.users.id = moved.driftflow_k1 LOCK IN SHARE MODE NOWAIT; SELECT COUNT(*) FROM shop.zzz_driftflow_log_users_613332_now STRAIGHT_JOIN shop.zzz_driftflow_new_users_613332 FORCE INDEX (`PRIMARY`) ON shop.zzz_driftflow_new_users_613332.id = shop.zzz_driftflow_log_users_613332_now.driftflow_k1 WHERE shop.zzz_driftflow_log_users_613332_now.driftflow_out = 0 FOR UPDATE NOWAIT; DELETE shop.zzz_driftflow_new_users_613332 FROM shop.zzz_driftflow_log_users_613332_now STRAIGHT_JOIN shop.zzz_driftflow_new_users_613332 FORCE INDEX (`PRIMARY`) ON shop.zzz_driftflow_new_users_613332.id = shop.zzz_driftflow_log_users_613332_now.driftflow_k1 WHERE shop.zzz_driftflow_log_users_613332_now.driftflow_out = 0; INSERT INTO shop.zzz_driftflow_log_users_613332_now (driftflow_out, driftflow_k1) SELECT DISTINCT 1, shop.zzz_driftflow_new_users_613332.id FROM (SELECT DISTINCT driftflow_k1 FROM shop.zzz_driftflow_log_users_613332_now WHERE driftflow_out = 0) AS moved STRAIGHT_JOIN shop.users FORCE INDEX (`PRIMARY`) ON shop.users.id = moved.driftflow_k1 STRAIGHT_JOIN shop.zzz_driftflow_new_users_613332 ON shop.zzz_driftflow_new_users_613332.email = shop.users.email AND NOT (shop.zzz_driftflow_new_users_613332.id = moved.driftflow_k1); SELECT COUNT(*) FROM shop.zzz_driftflow_log_users_613332_now STRAIGHT_JOIN shop.zzz_driftflow_new_users_613332 FORCE INDEX (`PRIMARY`) ON shop.zzz_driftflow_new_users_613332.id = shop.zzz_driftflow_log_users_613332_now.driftflow_k1 WHERE shop.zzz_driftflow_log_users_613332_now.driftflow_out = 1 FOR UPDATE NOWAIT; DELETE shop.zzz_driftflow_new_users_613332 FROM shop.zzz_driftflow_log_users_613332_now STRAIGHT_JOIN shop.zzz_driftflow_new_users_613332 FORCE INDEX (`PRIMARY`) ON shop.zzz_driftflow_new_users_613332.id = shop.zzz_driftflow_log_users_613332_now.driftflow_k1 WHERE shop.zzz_driftflow_log_users_613332_now.driftflow_out = 1; INSERT INTO shop.zzz_driftflow_log_users_613332 (driftflow_k1) SELECT driftflow_k1 FROM shop.zzz_driftflow_log_users_613332_now WHERE driftflow_out = 1; DELETE FROM shop.zzz_driftflow_log_users_613332_now WHERE driftflow_out = 1; INSERT INTO shop.zzz_driftflow_new_users_613332 (id, tenant_id, email, totp_seed, created_at, two_factor_ciphertext, two_factor_key_id, two_factor_enabled) SELECT id, tenant_id, email, totp_seed, created_at, two_factor_ciphertext, two_factor_key_id, two_factor_enabled FROM (SELECT DISTINCT driftflow_k1 FROM shop.zzz_driftflow_log_users_613332_now WHERE driftflow_out = 0) AS moved STRAIGHT_JOIN shop.users FORCE INDEX (`PRIMARY`) ON shop.users.id = moved.driftflow_k1 LOCK IN SHARE MODE NOWAIT; DELETE shop.zzz_driftflow_log_users_613332 FROM shop.zzz_driftflow_log_users_613332_now STRAIGHT_JOIN shop.zzz_driftflow_log_users_613332 ON shop.zzz_driftflow_log_users_613332.driftflow_seq = shop.zzz_driftflow_log_users_613332_now.driftflow_seq; DELETE FROM shop.zzz_driftflow_log_users_613332_now;
-- As plain SQL it is one statement, which locks every row until it ends:
INSERT INTO shop.zzz_driftflow_log_users_613332_now (driftflow_seq, driftflow_k1) SELECT driftflow_seq, driftflow_k1 FROM shop.zzz_driftflow_log_users_613332 WHERE (1 = 1);
SELECT COUNT(*) FROM (SELECT DISTINCT driftflow_k1 FROM shop.zzz_driftflow_log_users_613332_now WHERE driftflow_out = 0) AS moved STRAIGHT_JOIN shop.users FORCE INDEX (`PRIMARY`) ON shop.users.id = moved.driftflow_k1 LOCK IN SHARE MODE NOWAIT;
SELECT COUNT(*) FROM shop.zzz_driftflow_log_users_613332_now STRAIGHT_JOIN shop.zzz_driftflow_new_users_613332 FORCE INDEX (`PRIMARY`) ON shop.zzz_driftflow_new_users_613332.id = shop.zzz_driftflow_log_users_613332_now.driftflow_k1 WHERE shop.zzz_driftflow_log_users_613332_now.driftflow_out = 0 FOR UPDATE NOWAIT;
DELETE shop.zzz_driftflow_new_users_613332 FROM shop.zzz_driftflow_log_users_613332_now STRAIGHT_JOIN shop.zzz_driftflow_new_users_613332 FORCE INDEX (`PRIMARY`) ON shop.zzz_driftflow_new_users_613332.id = shop.zzz_driftflow_log_users_613332_now.driftflow_k1 WHERE shop.zzz_driftflow_log_users_613332_now.driftflow_out = 0;
INSERT INTO shop.zzz_driftflow_log_users_613332_now (driftflow_out, driftflow_k1) SELECT DISTINCT 1, shop.zzz_driftflow_new_users_613332.id FROM (SELECT DISTINCT driftflow_k1 FROM shop.zzz_driftflow_log_users_613332_now WHERE driftflow_out = 0) AS moved STRAIGHT_JOIN shop.users FORCE INDEX (`PRIMARY`) ON shop.users.id = moved.driftflow_k1 STRAIGHT_JOIN shop.zzz_driftflow_new_users_613332 ON shop.zzz_driftflow_new_users_613332.email = shop.users.email AND NOT (shop.zzz_driftflow_new_users_613332.id = moved.driftflow_k1);
SELECT COUNT(*) FROM shop.zzz_driftflow_log_users_613332_now STRAIGHT_JOIN shop.zzz_driftflow_new_users_613332 FORCE INDEX (`PRIMARY`) ON shop.zzz_driftflow_new_users_613332.id = shop.zzz_driftflow_log_users_613332_now.driftflow_k1 WHERE shop.zzz_driftflow_log_users_613332_now.driftflow_out = 1 FOR UPDATE NOWAIT;
DELETE shop.zzz_driftflow_new_users_613332 FROM shop.zzz_driftflow_log_users_613332_now STRAIGHT_JOIN shop.zzz_driftflow_new_users_613332 FORCE INDEX (`PRIMARY`) ON shop.zzz_driftflow_new_users_613332.id = shop.zzz_driftflow_log_users_613332_now.driftflow_k1 WHERE shop.zzz_driftflow_log_users_613332_now.driftflow_out = 1;
INSERT INTO shop.zzz_driftflow_log_users_613332 (driftflow_k1) SELECT driftflow_k1 FROM shop.zzz_driftflow_log_users_613332_now WHERE driftflow_out = 1;
DELETE FROM shop.zzz_driftflow_log_users_613332_now WHERE driftflow_out = 1;
INSERT INTO shop.zzz_driftflow_new_users_613332 (id, tenant_id, email, totp_seed, created_at, two_factor_ciphertext, two_factor_key_id, two_factor_enabled) SELECT id, tenant_id, email, totp_seed, created_at, two_factor_ciphertext, two_factor_key_id, two_factor_enabled FROM (SELECT DISTINCT driftflow_k1 FROM shop.zzz_driftflow_log_users_613332_now WHERE driftflow_out = 0) AS moved STRAIGHT_JOIN shop.users FORCE INDEX (`PRIMARY`) ON shop.users.id = moved.driftflow_k1 LOCK IN SHARE MODE NOWAIT;
DELETE shop.zzz_driftflow_log_users_613332 FROM shop.zzz_driftflow_log_users_613332_now STRAIGHT_JOIN shop.zzz_driftflow_log_users_613332 ON shop.zzz_driftflow_log_users_613332.driftflow_seq = shop.zzz_driftflow_log_users_613332_now.driftflow_seq;
DELETE FROM shop.zzz_driftflow_log_users_613332_now;
-- undo: nothing to do, the rows go with zzz_driftflow_new_users_613332

-- step 21 (7f74fb5b58.1): Verify that zzz_driftflow_new_users_613332 holds every row of users, and no other
-- zzz_driftflow_new_users_613332 holds every row of users, and no other: gives 0
SELECT (SELECT COUNT(*) FROM (SELECT id AS driftflow_k1, id AS driftflow_v1, tenant_id AS driftflow_v2, email AS driftflow_v3, totp_seed AS driftflow_v4, created_at AS driftflow_v5, two_factor_ciphertext AS driftflow_v6, two_factor_key_id AS driftflow_v7, two_factor_enabled AS driftflow_v8 FROM shop.users) AS now_there LEFT JOIN shop.zzz_driftflow_new_users_613332 ON shop.zzz_driftflow_new_users_613332.id = now_there.driftflow_k1 WHERE shop.zzz_driftflow_new_users_613332.id IS NULL OR NOT (now_there.driftflow_v1 <=> shop.zzz_driftflow_new_users_613332.id) OR NOT (CAST(now_there.driftflow_v2 AS BINARY) <=> CAST(shop.zzz_driftflow_new_users_613332.tenant_id AS BINARY)) OR NOT (now_there.driftflow_v3 <=> shop.zzz_driftflow_new_users_613332.email) OR NOT (now_there.driftflow_v4 <=> shop.zzz_driftflow_new_users_613332.totp_seed) OR NOT (now_there.driftflow_v5 <=> shop.zzz_driftflow_new_users_613332.created_at) OR NOT (now_there.driftflow_v6 <=> shop.zzz_driftflow_new_users_613332.two_factor_ciphertext) OR NOT (now_there.driftflow_v7 <=> shop.zzz_driftflow_new_users_613332.two_factor_key_id) OR NOT (now_there.driftflow_v8 <=> shop.zzz_driftflow_new_users_613332.two_factor_enabled)) + (SELECT COUNT(*) FROM shop.zzz_driftflow_new_users_613332 LEFT JOIN shop.users ON shop.zzz_driftflow_new_users_613332.id = shop.users.id WHERE shop.users.id IS NULL);
-- undo: nothing to do, it changes nothing

-- step 22 (ff9850d192.1): Note the keys of rows of zzz_driftflow_new_users_613332 (trigger on DELETE)
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
SET sql_mode = 'STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES';
CREATE TRIGGER shop.zzz_driftflow_note_users_613332_back_delete AFTER DELETE ON shop.zzz_driftflow_new_users_613332 FOR EACH ROW BEGIN IF 0 THEN INSERT INTO shop.zzz_driftflow_back_users_613332 VALUES (); INSERT INTO shop.zzz_driftflow_old_users_613332 VALUES (); END IF; INSERT INTO shop.zzz_driftflow_back_users_613332 (driftflow_k1) VALUES (OLD.id); END;
SET sql_mode = DEFAULT;
-- undo: DROP TRIGGER IF EXISTS shop.zzz_driftflow_note_users_613332_back_delete

-- step 23 (6ea0be1004.1): Note the keys of rows of zzz_driftflow_new_users_613332 (trigger on UPDATE)
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
SET sql_mode = 'STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES';
CREATE TRIGGER shop.zzz_driftflow_note_users_613332_back_update AFTER UPDATE ON shop.zzz_driftflow_new_users_613332 FOR EACH ROW BEGIN IF 0 THEN INSERT INTO shop.zzz_driftflow_back_users_613332 VALUES (); INSERT INTO shop.zzz_driftflow_old_users_613332 VALUES (); END IF; IF NOT (OLD.id <=> NEW.id) THEN INSERT INTO shop.zzz_driftflow_back_users_613332 (driftflow_k1) VALUES (OLD.id), (NEW.id); ELSE INSERT INTO shop.zzz_driftflow_back_users_613332 (driftflow_k1) VALUES (OLD.id); END IF; END;
SET sql_mode = DEFAULT;
-- undo: DROP TRIGGER IF EXISTS shop.zzz_driftflow_note_users_613332_back_update

-- step 24 (070d1decf0.1): Note the keys of rows of zzz_driftflow_new_users_613332 (trigger on INSERT)
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
SET sql_mode = 'STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES';
CREATE TRIGGER shop.zzz_driftflow_note_users_613332_back_insert AFTER INSERT ON shop.zzz_driftflow_new_users_613332 FOR EACH ROW BEGIN IF 0 THEN INSERT INTO shop.zzz_driftflow_back_users_613332 VALUES (); INSERT INTO shop.zzz_driftflow_old_users_613332 VALUES (); END IF; INSERT INTO shop.zzz_driftflow_back_users_613332 (driftflow_k1) VALUES (NEW.id); END;
SET sql_mode = DEFAULT;
-- undo: DROP TRIGGER IF EXISTS shop.zzz_driftflow_note_users_613332_back_insert

-- step 25 (81640bca26.1): Copy again what was noted of users since
-- driftflow runs this in chunks of about 150 ms along (driftflow_seq), each in a transaction with its cursor:
--   INSERT INTO shop.zzz_driftflow_log_users_613332_now (driftflow_seq, driftflow_k1) SELECT driftflow_seq, driftflow_k1 FROM shop.zzz_driftflow_log_users_613332 WHERE ((driftflow_seq) > (:low) AND (driftflow_seq) <= (:high)) AND (1 = 1); SELECT COUNT(*) FROM (SELECT DISTINCT driftflow_k1 FROM shop.zzz_driftflow_log_users_613332_now WHERE driftflow_out = 0) AS moved STRAIGHT_JOIN shop.users FORCE INDEX (`PRIMARY`) ON shop.users.id = moved.driftflow_k1 LOCK IN SHARE MODE NOWAIT; SELECT COUNT(*) FROM shop.zzz_driftflow_log_users_613332_now STRAIGHT_JOIN shop.zzz_driftflow_new_users_613332 FORCE INDEX (`PRIMARY`) ON shop.zzz_driftflow_new_users_613332.id = shop.zzz_driftflow_log_users_613332_now.driftflow_k1 WHERE shop.zzz_driftflow_log_users_613332_now.driftflow_out = 0 FOR UPDATE NOWAIT; DELETE shop.zzz_driftflow_new_users_613332 FROM shop.zzz_driftflow_log_users_613332_now STRAIGHT_JOIN shop.zzz_driftflow_new_users_613332 FORCE INDEX (`PRIMARY`) ON shop.zzz_driftflow_new_users_613332.id = shop.zzz_driftflow_log_users_613332_now.driftflow_k1 WHERE shop.zzz_driftflow_log_users_613332_now.driftflow_out = 0; INSERT INTO shop.zzz_driftflow_log_users_613332_now (driftflow_out, driftflow_k1) SELECT DISTINCT 1, shop.zzz_driftflow_new_users_613332.id FROM (SELECT DISTINCT driftflow_k1 FROM shop.zzz_driftflow_log_users_613332_now WHERE driftflow_out = 0) AS moved STRAIGHT_JOIN shop.users FORCE INDEX (`PRIMARY`) ON shop.users.id = moved.driftflow_k1 STRAIGHT_JOIN shop.zzz_driftflow_new_users_613332 ON shop.zzz_driftflow_new_users_613332.email = shop.users.email AND NOT (shop.zzz_driftflow_new_users_613332.id = moved.driftflow_k1); SELECT COUNT(*) FROM shop.zzz_driftflow_log_users_613332_now STRAIGHT_JOIN shop.zzz_driftflow_new_users_613332 FORCE INDEX (`PRIMARY`) ON shop.zzz_driftflow_new_users_613332.id = shop.zzz_driftflow_log_users_613332_now.driftflow_k1 WHERE shop.zzz_driftflow_log_users_613332_now.driftflow_out = 1 FOR UPDATE NOWAIT; DELETE shop.zzz_driftflow_new_users_613332 FROM shop.zzz_driftflow_log_users_613332_now STRAIGHT_JOIN shop.zzz_driftflow_new_users_613332 FORCE INDEX (`PRIMARY`) ON shop.zzz_driftflow_new_users_613332.id = shop.zzz_driftflow_log_users_613332_now.driftflow_k1 WHERE shop.zzz_driftflow_log_users_613332_now.driftflow_out = 1; INSERT INTO shop.zzz_driftflow_log_users_613332 (driftflow_k1) SELECT driftflow_k1 FROM shop.zzz_driftflow_log_users_613332_now WHERE driftflow_out = 1; DELETE FROM shop.zzz_driftflow_log_users_613332_now WHERE driftflow_out = 1; INSERT INTO shop.zzz_driftflow_new_users_613332 (id, tenant_id, email, totp_seed, created_at, two_factor_ciphertext, two_factor_key_id, two_factor_enabled) SELECT id, tenant_id, email, totp_seed, created_at, two_factor_ciphertext, two_factor_key_id, two_factor_enabled FROM (SELECT DISTINCT driftflow_k1 FROM shop.zzz_driftflow_log_users_613332_now WHERE driftflow_out = 0) AS moved STRAIGHT_JOIN shop.users FORCE INDEX (`PRIMARY`) ON shop.users.id = moved.driftflow_k1 LOCK IN SHARE MODE NOWAIT; DELETE shop.zzz_driftflow_log_users_613332 FROM shop.zzz_driftflow_log_users_613332_now STRAIGHT_JOIN shop.zzz_driftflow_log_users_613332 ON shop.zzz_driftflow_log_users_613332.driftflow_seq = shop.zzz_driftflow_log_users_613332_now.driftflow_seq; DELETE FROM shop.zzz_driftflow_log_users_613332_now;
-- As plain SQL it is one statement, which locks every row until it ends:
INSERT INTO shop.zzz_driftflow_log_users_613332_now (driftflow_seq, driftflow_k1) SELECT driftflow_seq, driftflow_k1 FROM shop.zzz_driftflow_log_users_613332 WHERE (1 = 1);
SELECT COUNT(*) FROM (SELECT DISTINCT driftflow_k1 FROM shop.zzz_driftflow_log_users_613332_now WHERE driftflow_out = 0) AS moved STRAIGHT_JOIN shop.users FORCE INDEX (`PRIMARY`) ON shop.users.id = moved.driftflow_k1 LOCK IN SHARE MODE NOWAIT;
SELECT COUNT(*) FROM shop.zzz_driftflow_log_users_613332_now STRAIGHT_JOIN shop.zzz_driftflow_new_users_613332 FORCE INDEX (`PRIMARY`) ON shop.zzz_driftflow_new_users_613332.id = shop.zzz_driftflow_log_users_613332_now.driftflow_k1 WHERE shop.zzz_driftflow_log_users_613332_now.driftflow_out = 0 FOR UPDATE NOWAIT;
DELETE shop.zzz_driftflow_new_users_613332 FROM shop.zzz_driftflow_log_users_613332_now STRAIGHT_JOIN shop.zzz_driftflow_new_users_613332 FORCE INDEX (`PRIMARY`) ON shop.zzz_driftflow_new_users_613332.id = shop.zzz_driftflow_log_users_613332_now.driftflow_k1 WHERE shop.zzz_driftflow_log_users_613332_now.driftflow_out = 0;
INSERT INTO shop.zzz_driftflow_log_users_613332_now (driftflow_out, driftflow_k1) SELECT DISTINCT 1, shop.zzz_driftflow_new_users_613332.id FROM (SELECT DISTINCT driftflow_k1 FROM shop.zzz_driftflow_log_users_613332_now WHERE driftflow_out = 0) AS moved STRAIGHT_JOIN shop.users FORCE INDEX (`PRIMARY`) ON shop.users.id = moved.driftflow_k1 STRAIGHT_JOIN shop.zzz_driftflow_new_users_613332 ON shop.zzz_driftflow_new_users_613332.email = shop.users.email AND NOT (shop.zzz_driftflow_new_users_613332.id = moved.driftflow_k1);
SELECT COUNT(*) FROM shop.zzz_driftflow_log_users_613332_now STRAIGHT_JOIN shop.zzz_driftflow_new_users_613332 FORCE INDEX (`PRIMARY`) ON shop.zzz_driftflow_new_users_613332.id = shop.zzz_driftflow_log_users_613332_now.driftflow_k1 WHERE shop.zzz_driftflow_log_users_613332_now.driftflow_out = 1 FOR UPDATE NOWAIT;
DELETE shop.zzz_driftflow_new_users_613332 FROM shop.zzz_driftflow_log_users_613332_now STRAIGHT_JOIN shop.zzz_driftflow_new_users_613332 FORCE INDEX (`PRIMARY`) ON shop.zzz_driftflow_new_users_613332.id = shop.zzz_driftflow_log_users_613332_now.driftflow_k1 WHERE shop.zzz_driftflow_log_users_613332_now.driftflow_out = 1;
INSERT INTO shop.zzz_driftflow_log_users_613332 (driftflow_k1) SELECT driftflow_k1 FROM shop.zzz_driftflow_log_users_613332_now WHERE driftflow_out = 1;
DELETE FROM shop.zzz_driftflow_log_users_613332_now WHERE driftflow_out = 1;
INSERT INTO shop.zzz_driftflow_new_users_613332 (id, tenant_id, email, totp_seed, created_at, two_factor_ciphertext, two_factor_key_id, two_factor_enabled) SELECT id, tenant_id, email, totp_seed, created_at, two_factor_ciphertext, two_factor_key_id, two_factor_enabled FROM (SELECT DISTINCT driftflow_k1 FROM shop.zzz_driftflow_log_users_613332_now WHERE driftflow_out = 0) AS moved STRAIGHT_JOIN shop.users FORCE INDEX (`PRIMARY`) ON shop.users.id = moved.driftflow_k1 LOCK IN SHARE MODE NOWAIT;
DELETE shop.zzz_driftflow_log_users_613332 FROM shop.zzz_driftflow_log_users_613332_now STRAIGHT_JOIN shop.zzz_driftflow_log_users_613332 ON shop.zzz_driftflow_log_users_613332.driftflow_seq = shop.zzz_driftflow_log_users_613332_now.driftflow_seq;
DELETE FROM shop.zzz_driftflow_log_users_613332_now;
-- undo: nothing to do, the rows go with zzz_driftflow_new_users_613332

-- step 26 (a949d0a099.1): zzz_driftflow_new_users_613332 goes on counting where users stands
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
SET @driftflow_counted = (SELECT CONCAT('ALTER TABLE shop.zzz_driftflow_new_users_613332 AUTO_INCREMENT = ', COALESCE(AUTO_INCREMENT, 1)) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'shop' AND TABLE_NAME = 'users');
PREPARE driftflow_counted FROM @driftflow_counted;
EXECUTE driftflow_counted;
DEALLOCATE PREPARE driftflow_counted;
-- undo: nothing to do, it goes with what it belongs to

-- step 27 (c471ec4714.1): Note the moment from which zzz_driftflow_new_users_613332 holds every row
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
CREATE TABLE shop._driftflow_ready_users_613332 (driftflow_id int PRIMARY KEY) ENGINE=InnoDB;
-- undo: DROP TABLE IF EXISTS shop._driftflow_ready_users_613332

-- step 28 (11034f1456.1): Wait for transactions that are older than the last row of zzz_driftflow_new_users_613332
-- refuse if: SELECT COUNT(*) FROM information_schema.INNODB_TRX WHERE trx_isolation_level IN ('REPEATABLE READ', 'SERIALIZABLE') AND trx_mysql_thread_id NOT IN (0, CONNECTION_ID()) AND trx_started <= (SELECT CONVERT_TZ(CREATE_TIME, @@SESSION.time_zone, 'SYSTEM') FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'shop' AND TABLE_NAME = '_driftflow_ready_users_613332')
-- undo: nothing to do, it changes nothing

-- step 29 (71b567afef.1): Give the copy of users its foreign keys, under names for now
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
SET foreign_key_checks = 0;
ALTER TABLE shop.zzz_driftflow_new_users_613332 ADD CONSTRAINT _driftflow_forth_613332_users_tenant_id_fk FOREIGN KEY (tenant_id) REFERENCES shop.tenants (id), ALGORITHM=INPLACE, LOCK=NONE;
SET foreign_key_checks = DEFAULT;
-- undo: SET @driftflow_keys = IF(EXISTS (SELECT 1 FROM information_schema.TABLE_CONSTRAINTS WHERE TABLE_SCHEMA = 'shop' AND TABLE_NAME = 'zzz_driftflow_new_users_613332' AND CONSTRAINT_NAME = '_driftflow_forth_613332_users_tenant_id_fk'), 'ALTER TABLE shop.zzz_driftflow_new_users_613332 DROP FOREIGN KEY _driftflow_forth_613332_users_tenant_id_fk', 'DO 0')
-- undo: PREPARE driftflow_keys FROM @driftflow_keys
-- undo: EXECUTE driftflow_keys
-- undo: DEALLOCATE PREPARE driftflow_keys

-- step 30 (9f7251c7c7.1): Take the foreign keys from users: from now on those of the copy hold
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
SET foreign_key_checks = 0;
ALTER TABLE shop.users DROP FOREIGN KEY users_tenant_id_fk, ALGORITHM=INPLACE, LOCK=NONE;
SET foreign_key_checks = DEFAULT;
-- undo: SET @driftflow_keys = IF(NOT EXISTS (SELECT 1 FROM information_schema.TABLE_CONSTRAINTS WHERE TABLE_SCHEMA = 'shop' AND TABLE_NAME = 'users' AND CONSTRAINT_NAME = 'users_tenant_id_fk'), 'ALTER TABLE shop.users ADD CONSTRAINT users_tenant_id_fk FOREIGN KEY (tenant_id) REFERENCES shop.tenants (id)', 'DO 0')
-- undo: PREPARE driftflow_keys FROM @driftflow_keys
-- undo: EXECUTE driftflow_keys
-- undo: DEALLOCATE PREPARE driftflow_keys
-- undo: SET @driftflow_keys = IF(NOT EXISTS (SELECT 1 FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = 'shop' AND TABLE_NAME = 'users' AND INDEX_NAME = 'users_tenant_id_idx') AND EXISTS (SELECT 1 FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = 'shop' AND TABLE_NAME = 'users' AND INDEX_NAME = 'users_tenant_id_fk'), 'ALTER TABLE shop.users RENAME INDEX users_tenant_id_fk TO users_tenant_id_idx', 'DO 0')
-- undo: PREPARE driftflow_keys FROM @driftflow_keys
-- undo: EXECUTE driftflow_keys
-- undo: DEALLOCATE PREPARE driftflow_keys

-- step 31 (02f9d2c8d8.1): The foreign keys of orders point at the copy of users, under names for now
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
SET foreign_key_checks = 0;
ALTER TABLE shop.orders RENAME INDEX orders_user_id_idx TO orders_user_id_idx, DROP FOREIGN KEY orders_user_id_fk, ADD CONSTRAINT _driftflow_forth_613332_orders_user_id_fk FOREIGN KEY (user_id) REFERENCES shop.zzz_driftflow_new_users_613332 (id), ALGORITHM=INPLACE, LOCK=NONE;
SET foreign_key_checks = DEFAULT;
-- undo: SET @driftflow_keys = IF(EXISTS (SELECT 1 FROM information_schema.TABLE_CONSTRAINTS WHERE TABLE_SCHEMA = 'shop' AND TABLE_NAME = 'orders' AND CONSTRAINT_NAME = '_driftflow_forth_613332_orders_user_id_fk'), 'ALTER TABLE shop.orders RENAME INDEX orders_user_id_idx TO orders_user_id_idx, DROP FOREIGN KEY _driftflow_forth_613332_orders_user_id_fk, ADD CONSTRAINT orders_user_id_fk FOREIGN KEY (user_id) REFERENCES shop.users (id)', 'DO 0')
-- undo: PREPARE driftflow_keys FROM @driftflow_keys
-- undo: EXECUTE driftflow_keys
-- undo: DEALLOCATE PREPARE driftflow_keys

-- step 32 (81929c1408.1): Swap: the copy is users from now on, the old form is kept as zzz_driftflow_old_users_613332
-- refuse if: SELECT COUNT(*) FROM information_schema.INNODB_TRX WHERE trx_isolation_level IN ('REPEATABLE READ', 'SERIALIZABLE') AND trx_mysql_thread_id NOT IN (0, CONNECTION_ID()) AND trx_started <= (SELECT CONVERT_TZ(CREATE_TIME, @@SESSION.time_zone, 'SYSTEM') FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'shop' AND TABLE_NAME = '_driftflow_ready_users_613332')
-- refuse if: SELECT (SELECT COUNT(*) FROM (SELECT line FROM (SELECT SHA2(CONCAT_WS('|', COALESCE(COLUMN_NAME, CHAR(0)), COALESCE(ORDINAL_POSITION, CHAR(0)), COALESCE(COLUMN_TYPE, CHAR(0)), COALESCE(IS_NULLABLE, CHAR(0)), COALESCE(COLUMN_DEFAULT, CHAR(0)), COALESCE(COLLATION_NAME, CHAR(0)), COALESCE(EXTRA, CHAR(0))), 256) AS line FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = 'shop' AND TABLE_NAME = 'users' UNION ALL SELECT SHA2(CONCAT_WS('|', COALESCE(COLUMN_NAME, CHAR(0)), COALESCE(ORDINAL_POSITION, CHAR(0)), COALESCE(COLUMN_TYPE, CHAR(0)), COALESCE(IS_NULLABLE, CHAR(0)), COALESCE(COLUMN_DEFAULT, CHAR(0)), COALESCE(COLLATION_NAME, CHAR(0)), COALESCE(EXTRA, CHAR(0))), 256) AS line FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = 'shop' AND TABLE_NAME = '_driftflow_form_users_613332') AS lines_of_both GROUP BY line HAVING COUNT(*) % 2 <> 0) AS differing) + (SELECT COUNT(*) FROM (SELECT line FROM (SELECT SHA2(CONCAT_WS('|', COALESCE(INDEX_NAME, CHAR(0)), COALESCE(SEQ_IN_INDEX, CHAR(0)), COALESCE(COLUMN_NAME, CHAR(0)), COALESCE(NON_UNIQUE, CHAR(0)), COALESCE(SUB_PART, CHAR(0)), COALESCE(INDEX_TYPE, CHAR(0))), 256) AS line FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = 'shop' AND TABLE_NAME = 'users' UNION ALL SELECT SHA2(CONCAT_WS('|', COALESCE(INDEX_NAME, CHAR(0)), COALESCE(SEQ_IN_INDEX, CHAR(0)), COALESCE(COLUMN_NAME, CHAR(0)), COALESCE(NON_UNIQUE, CHAR(0)), COALESCE(SUB_PART, CHAR(0)), COALESCE(INDEX_TYPE, CHAR(0))), 256) AS line FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = 'shop' AND TABLE_NAME = '_driftflow_form_users_613332') AS lines_of_both GROUP BY line HAVING COUNT(*) % 2 <> 0) AS differing) + (SELECT COUNT(*) FROM (SELECT line FROM (SELECT SHA2(CONCAT_WS('|', COALESCE(CONSTRAINT_NAME, CHAR(0)), COALESCE(CONSTRAINT_TYPE, CHAR(0))), 256) AS line FROM information_schema.TABLE_CONSTRAINTS WHERE TABLE_SCHEMA = 'shop' AND TABLE_NAME = 'users' UNION ALL SELECT SHA2(CONCAT_WS('|', COALESCE(CONSTRAINT_NAME, CHAR(0)), COALESCE(CONSTRAINT_TYPE, CHAR(0))), 256) AS line FROM information_schema.TABLE_CONSTRAINTS WHERE TABLE_SCHEMA = 'shop' AND TABLE_NAME = '_driftflow_form_users_613332') AS lines_of_both GROUP BY line HAVING COUNT(*) % 2 <> 0) AS differing)
-- refuse if: SELECT (SELECT COUNT(*) FROM information_schema.TRIGGERS WHERE EVENT_OBJECT_SCHEMA = 'shop' AND EVENT_OBJECT_TABLE = 'users' AND TRIGGER_NAME NOT IN ('zzz_driftflow_copy_users_613332_delete', 'zzz_driftflow_copy_users_613332_update', 'zzz_driftflow_copy_users_613332_insert')) + (SELECT COUNT(*) FROM information_schema.KEY_COLUMN_USAGE WHERE REFERENCED_TABLE_NAME IS NOT NULL AND (TABLE_SCHEMA = 'shop' AND TABLE_NAME = 'users' OR REFERENCED_TABLE_SCHEMA = 'shop' AND REFERENCED_TABLE_NAME = 'users'))
-- refuse if: SELECT COUNT(*) - 3 FROM information_schema.TRIGGERS WHERE EVENT_OBJECT_SCHEMA = 'shop' AND EVENT_OBJECT_TABLE = 'users' AND TRIGGER_NAME IN ('zzz_driftflow_copy_users_613332_delete', 'zzz_driftflow_copy_users_613332_update', 'zzz_driftflow_copy_users_613332_insert')
-- refuse if: SELECT COUNT(*) FROM ((SELECT id FROM shop.zzz_driftflow_new_users_613332 ORDER BY id LIMIT 1000) UNION (SELECT id FROM shop.zzz_driftflow_new_users_613332 ORDER BY id DESC LIMIT 1000)) AS ends LEFT JOIN shop.users ON shop.users.id = ends.id WHERE shop.users.id IS NULL
-- refuse if: SELECT COUNT(*) FROM (SELECT noted.driftflow_k1 FROM (SELECT DISTINCT driftflow_k1 FROM shop.zzz_driftflow_log_users_613332) AS noted LEFT JOIN (SELECT id AS driftflow_k1, id AS driftflow_v1, tenant_id AS driftflow_v2, email AS driftflow_v3, totp_seed AS driftflow_v4, created_at AS driftflow_v5, two_factor_ciphertext AS driftflow_v6, two_factor_key_id AS driftflow_v7, two_factor_enabled AS driftflow_v8 FROM shop.users) AS now_there ON now_there.driftflow_k1 = noted.driftflow_k1 LEFT JOIN shop.zzz_driftflow_new_users_613332 AS other ON other.id = noted.driftflow_k1 WHERE ((now_there.driftflow_k1 IS NULL) <> (other.id IS NULL) OR NOT (now_there.driftflow_k1 IS NULL) AND NOT (now_there.driftflow_v1 <=> other.id) OR NOT (now_there.driftflow_k1 IS NULL) AND NOT (CAST(now_there.driftflow_v2 AS BINARY) <=> CAST(other.tenant_id AS BINARY)) OR NOT (now_there.driftflow_k1 IS NULL) AND NOT (now_there.driftflow_v3 <=> other.email) OR NOT (now_there.driftflow_k1 IS NULL) AND NOT (now_there.driftflow_v4 <=> other.totp_seed) OR NOT (now_there.driftflow_k1 IS NULL) AND NOT (now_there.driftflow_v5 <=> other.created_at) OR NOT (now_there.driftflow_k1 IS NULL) AND NOT (now_there.driftflow_v6 <=> other.two_factor_ciphertext) OR NOT (now_there.driftflow_k1 IS NULL) AND NOT (now_there.driftflow_v7 <=> other.two_factor_key_id) OR NOT (now_there.driftflow_k1 IS NULL) AND NOT (now_there.driftflow_v8 <=> other.two_factor_enabled))) AS rejected
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
RENAME TABLE shop.users TO shop.zzz_driftflow_old_users_613332, shop.zzz_driftflow_new_users_613332 TO shop.users;
-- undo: DROP TRIGGER IF EXISTS shop.zzz_driftflow_copy_users_613332_delete
-- undo: DROP TRIGGER IF EXISTS shop.zzz_driftflow_copy_users_613332_update
-- undo: DROP TRIGGER IF EXISTS shop.zzz_driftflow_copy_users_613332_insert
-- undo: Write to the old form of users what was written to the new one
-- undo: CREATE TRIGGER shop.zzz_driftflow_copy_users_613332_back_delete AFTER DELETE ON shop.users FOR EACH ROW BEGIN IF 0 THEN INSERT INTO shop.zzz_driftflow_back_users_613332 VALUES (); INSERT INTO shop.zzz_driftflow_old_users_613332 VALUES (); END IF; BEGIN DECLARE EXIT HANDLER FOR 1216, 1217, 1451, 1452 RESIGNAL; DECLARE EXIT HANDLER FOR SQLSTATE '22001', SQLSTATE '22003', SQLSTATE '22004', SQLSTATE '22007', SQLSTATE '22008', SQLSTATE '22012', SQLSTATE '22018', SQLSTATE '22023', SQLSTATE '22032', SQLSTATE '23000', 1264, 1265, 1292, 1300, 1364, 1366, 1367, 1406, 1411, 1416, 1526, 1690, 1748, 1977, 3819, 3854, 4025 INSERT INTO shop.zzz_driftflow_back_users_613332 (driftflow_k1) VALUES (OLD.id); DELETE FROM shop.zzz_driftflow_old_users_613332 WHERE shop.zzz_driftflow_old_users_613332.id = OLD.id; END; END
-- undo: CREATE TRIGGER shop.zzz_driftflow_copy_users_613332_back_update AFTER UPDATE ON shop.users FOR EACH ROW BEGIN IF 0 THEN INSERT INTO shop.zzz_driftflow_back_users_613332 VALUES (); INSERT INTO shop.zzz_driftflow_old_users_613332 VALUES (); END IF; BEGIN DECLARE EXIT HANDLER FOR 1216, 1217, 1451, 1452 RESIGNAL; DECLARE EXIT HANDLER FOR SQLSTATE '22001', SQLSTATE '22003', SQLSTATE '22004', SQLSTATE '22007', SQLSTATE '22008', SQLSTATE '22012', SQLSTATE '22018', SQLSTATE '22023', SQLSTATE '22032', SQLSTATE '23000', 1264, 1265, 1292, 1300, 1364, 1366, 1367, 1406, 1411, 1416, 1526, 1690, 1748, 1977, 3819, 3854, 4025 INSERT INTO shop.zzz_driftflow_back_users_613332 (driftflow_k1) VALUES (OLD.id), (NEW.id); IF NOT (OLD.id <=> NEW.id) THEN UPDATE shop.zzz_driftflow_old_users_613332 SET id = NEW.id, tenant_id = NEW.tenant_id, email = NEW.email, totp_seed = NEW.totp_seed, created_at = NEW.created_at, two_factor_ciphertext = NEW.two_factor_ciphertext, two_factor_key_id = NEW.two_factor_key_id, two_factor_enabled = NEW.two_factor_enabled WHERE shop.zzz_driftflow_old_users_613332.id = OLD.id; IF ROW_COUNT() = 0 THEN INSERT INTO shop.zzz_driftflow_old_users_613332 (id, tenant_id, email, totp_seed, created_at, two_factor_ciphertext, two_factor_key_id, two_factor_enabled) VALUES (NEW.id, NEW.tenant_id, NEW.email, NEW.totp_seed, NEW.created_at, NEW.two_factor_ciphertext, NEW.two_factor_key_id, NEW.two_factor_enabled); END IF; ELSE UPDATE shop.zzz_driftflow_old_users_613332 SET id = NEW.id, tenant_id = NEW.tenant_id, email = NEW.email, totp_seed = NEW.totp_seed, created_at = NEW.created_at, two_factor_ciphertext = NEW.two_factor_ciphertext, two_factor_key_id = NEW.two_factor_key_id, two_factor_enabled = NEW.two_factor_enabled WHERE shop.zzz_driftflow_old_users_613332.id = OLD.id; END IF; END; END
-- undo: CREATE TRIGGER shop.zzz_driftflow_copy_users_613332_back_insert AFTER INSERT ON shop.users FOR EACH ROW BEGIN IF 0 THEN INSERT INTO shop.zzz_driftflow_back_users_613332 VALUES (); INSERT INTO shop.zzz_driftflow_old_users_613332 VALUES (); END IF; BEGIN DECLARE EXIT HANDLER FOR 1216, 1217, 1451, 1452 RESIGNAL; DECLARE EXIT HANDLER FOR SQLSTATE '22001', SQLSTATE '22003', SQLSTATE '22004', SQLSTATE '22007', SQLSTATE '22008', SQLSTATE '22012', SQLSTATE '22018', SQLSTATE '22023', SQLSTATE '22032', SQLSTATE '23000', 1264, 1265, 1292, 1300, 1364, 1366, 1367, 1406, 1411, 1416, 1526, 1690, 1748, 1977, 3819, 3854, 4025 INSERT INTO shop.zzz_driftflow_back_users_613332 (driftflow_k1) VALUES (NEW.id); INSERT INTO shop.zzz_driftflow_old_users_613332 (id, tenant_id, email, totp_seed, created_at, two_factor_ciphertext, two_factor_key_id, two_factor_enabled) VALUES (NEW.id, NEW.tenant_id, NEW.email, NEW.totp_seed, NEW.created_at, NEW.two_factor_ciphertext, NEW.two_factor_key_id, NEW.two_factor_enabled); END; END
-- undo: DROP TRIGGER IF EXISTS shop.zzz_driftflow_note_users_613332_back_delete
-- undo: DROP TRIGGER IF EXISTS shop.zzz_driftflow_note_users_613332_back_update
-- undo: DROP TRIGGER IF EXISTS shop.zzz_driftflow_note_users_613332_back_insert
-- undo: Write the last rows of users to its old form
-- undo: SET @driftflow_counted = (SELECT CONCAT('ALTER TABLE shop.zzz_driftflow_old_users_613332 AUTO_INCREMENT = ', COALESCE(AUTO_INCREMENT, 1)) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'shop' AND TABLE_NAME = 'users')
-- undo: PREPARE driftflow_counted FROM @driftflow_counted
-- undo: EXECUTE driftflow_counted
-- undo: DEALLOCATE PREPARE driftflow_counted
-- undo: CREATE TABLE shop._driftflow_home_users_613332 (driftflow_id int PRIMARY KEY) ENGINE=InnoDB
-- undo: Wait for transactions that are older than the last row of zzz_driftflow_old_users_613332
-- undo: ALTER TABLE shop.zzz_driftflow_old_users_613332 ADD CONSTRAINT _driftflow_back_613332_users_tenant_id_fk FOREIGN KEY (tenant_id) REFERENCES shop.tenants (id), ALGORITHM=INPLACE, LOCK=NONE
-- undo: ALTER TABLE shop.users DROP FOREIGN KEY _driftflow_forth_613332_users_tenant_id_fk, ALGORITHM=INPLACE, LOCK=NONE
-- undo: ALTER TABLE shop.orders RENAME INDEX orders_user_id_idx TO orders_user_id_idx, DROP FOREIGN KEY _driftflow_forth_613332_orders_user_id_fk, ADD CONSTRAINT _driftflow_back_613332_orders_user_id_fk FOREIGN KEY (user_id) REFERENCES shop.zzz_driftflow_old_users_613332 (id), ALGORITHM=INPLACE, LOCK=NONE
-- undo: RENAME TABLE shop.users TO shop.zzz_driftflow_new_users_613332, shop.zzz_driftflow_old_users_613332 TO shop.users
-- undo: ALTER TABLE shop.orders RENAME INDEX orders_user_id_idx TO orders_user_id_idx, DROP FOREIGN KEY _driftflow_back_613332_orders_user_id_fk, ADD CONSTRAINT orders_user_id_fk FOREIGN KEY (user_id) REFERENCES shop.users (id), ALGORITHM=INPLACE, LOCK=NONE
-- undo: ALTER TABLE shop.users DROP FOREIGN KEY _driftflow_back_613332_users_tenant_id_fk, ADD CONSTRAINT users_tenant_id_fk FOREIGN KEY (tenant_id) REFERENCES shop.tenants (id), ALGORITHM=INPLACE, LOCK=NONE
-- undo: SET @driftflow_keys = IF(NOT EXISTS (SELECT 1 FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = 'shop' AND TABLE_NAME = 'users' AND INDEX_NAME = 'users_tenant_id_idx') AND EXISTS (SELECT 1 FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = 'shop' AND TABLE_NAME = 'users' AND INDEX_NAME = 'users_tenant_id_fk'), 'ALTER TABLE shop.users RENAME INDEX users_tenant_id_fk TO users_tenant_id_idx', 'DO 0')
-- undo: PREPARE driftflow_keys FROM @driftflow_keys
-- undo: EXECUTE driftflow_keys
-- undo: DEALLOCATE PREPARE driftflow_keys
-- undo: DROP TRIGGER IF EXISTS shop.zzz_driftflow_copy_users_613332_back_delete
-- undo: DROP TRIGGER IF EXISTS shop.zzz_driftflow_copy_users_613332_back_update
-- undo: DROP TRIGGER IF EXISTS shop.zzz_driftflow_copy_users_613332_back_insert
-- undo: DROP TABLE IF EXISTS shop._driftflow_home_users_613332

-- step 33 (fe2b643190.1): Give the foreign keys of orders their names again
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
SET foreign_key_checks = 0;
ALTER TABLE shop.orders RENAME INDEX orders_user_id_idx TO orders_user_id_idx, DROP FOREIGN KEY _driftflow_forth_613332_orders_user_id_fk, ADD CONSTRAINT orders_user_id_fk FOREIGN KEY (user_id) REFERENCES shop.users (id), ALGORITHM=INPLACE, LOCK=NONE;
SET foreign_key_checks = DEFAULT;
-- undo: ALTER TABLE shop.orders RENAME INDEX orders_user_id_idx TO orders_user_id_idx, DROP FOREIGN KEY orders_user_id_fk, ADD CONSTRAINT _driftflow_forth_613332_orders_user_id_fk FOREIGN KEY (user_id) REFERENCES shop.users (id), ALGORITHM=INPLACE, LOCK=NONE

-- step 34 (799af5c984.1): Give the foreign keys of users their names again
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
SET foreign_key_checks = 0;
ALTER TABLE shop.users DROP FOREIGN KEY _driftflow_forth_613332_users_tenant_id_fk, ADD CONSTRAINT users_tenant_id_fk FOREIGN KEY (tenant_id) REFERENCES shop.tenants (id), ALGORITHM=INPLACE, LOCK=NONE;
SET foreign_key_checks = DEFAULT;
-- undo: ALTER TABLE shop.users DROP FOREIGN KEY users_tenant_id_fk, ADD CONSTRAINT _driftflow_forth_613332_users_tenant_id_fk FOREIGN KEY (tenant_id) REFERENCES shop.tenants (id), ALGORITHM=INPLACE, LOCK=NONE

-- step 35 (9c492bbb46.1): Verify that no row of users was rejected in the moment of the swap
-- refuse if: SELECT COUNT(*) FROM (SELECT noted.driftflow_k1 FROM (SELECT DISTINCT driftflow_k1 FROM shop.zzz_driftflow_log_users_613332) AS noted LEFT JOIN (SELECT id AS driftflow_k1, id AS driftflow_v1, tenant_id AS driftflow_v2, email AS driftflow_v3, totp_seed AS driftflow_v4, created_at AS driftflow_v5, two_factor_ciphertext AS driftflow_v6, two_factor_key_id AS driftflow_v7, two_factor_enabled AS driftflow_v8 FROM shop.zzz_driftflow_old_users_613332) AS now_there ON now_there.driftflow_k1 = noted.driftflow_k1 LEFT JOIN shop.users AS other ON other.id = noted.driftflow_k1 WHERE ((now_there.driftflow_k1 IS NULL) <> (other.id IS NULL) OR NOT (now_there.driftflow_k1 IS NULL) AND NOT (now_there.driftflow_v1 <=> other.id) OR NOT (now_there.driftflow_k1 IS NULL) AND NOT (CAST(now_there.driftflow_v2 AS BINARY) <=> CAST(other.tenant_id AS BINARY)) OR NOT (now_there.driftflow_k1 IS NULL) AND NOT (now_there.driftflow_v3 <=> other.email) OR NOT (now_there.driftflow_k1 IS NULL) AND NOT (now_there.driftflow_v4 <=> other.totp_seed) OR NOT (now_there.driftflow_k1 IS NULL) AND NOT (now_there.driftflow_v5 <=> other.created_at) OR NOT (now_there.driftflow_k1 IS NULL) AND NOT (now_there.driftflow_v6 <=> other.two_factor_ciphertext) OR NOT (now_there.driftflow_k1 IS NULL) AND NOT (now_there.driftflow_v7 <=> other.two_factor_key_id) OR NOT (now_there.driftflow_k1 IS NULL) AND NOT (now_there.driftflow_v8 <=> other.two_factor_enabled)) AND NOT EXISTS (SELECT 1 FROM shop.zzz_driftflow_back_users_613332 AS later WHERE later.driftflow_k1 = noted.driftflow_k1)) AS rejected
-- undo: nothing to do, it changes nothing

-- step 36 (4475078f16.1): Take away the trigger zzz_driftflow_copy_users_613332_delete
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
DROP TRIGGER IF EXISTS shop.zzz_driftflow_copy_users_613332_delete;
-- undo: nothing to do, it is not needed on the way back

-- step 37 (c2df4a7598.1): Take away the trigger zzz_driftflow_copy_users_613332_update
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
DROP TRIGGER IF EXISTS shop.zzz_driftflow_copy_users_613332_update;
-- undo: nothing to do, it is not needed on the way back

-- step 38 (85bbbe008d.1): Take away the trigger zzz_driftflow_copy_users_613332_insert
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
DROP TRIGGER IF EXISTS shop.zzz_driftflow_copy_users_613332_insert;
-- undo: nothing to do, it is not needed on the way back

-- step 39 (5a93e8dd2f.1): Remove zzz_driftflow_log_users_613332: the keys that were noted
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
DROP TABLE IF EXISTS shop.zzz_driftflow_log_users_613332, shop.zzz_driftflow_log_users_613332_now;
-- undo: nothing to do, it is not needed on the way back

-- step 40 (b61d34de01.1): Remove _driftflow_form_users_613332: the form that was compared with
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
DROP TABLE IF EXISTS shop._driftflow_form_users_613332;
-- undo: nothing to do, it is not needed on the way back

-- step 41 (de92023458.1): Remove _driftflow_ready_users_613332: the moment that was noted
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
DROP TABLE IF EXISTS shop._driftflow_ready_users_613332;
-- undo: nothing to do, it is not needed on the way back

-- ===== contract: after the old application is gone =====

-- step 42 (cd5dbc4712.1): Wait until somebody says yes: Is the new version of the application running everywhere, and the old one nowhere?
-- GATE: stop here until the answer is yes. Is the new version of the application running everywhere, and the old one nowhere?
--   [ ] the old form of shop.users is removed: until then it can take its place again with every row
-- undo: nothing to do, waiting changes nothing

-- step 43 (337675a56d.1): Take away the trigger zzz_driftflow_note_users_613332_back_delete
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
DROP TRIGGER IF EXISTS shop.zzz_driftflow_note_users_613332_back_delete;
-- undo: CREATE TRIGGER shop.zzz_driftflow_note_users_613332_back_delete AFTER DELETE ON shop.users FOR EACH ROW BEGIN IF 0 THEN INSERT INTO shop.zzz_driftflow_back_users_613332 VALUES (); INSERT INTO shop.zzz_driftflow_old_users_613332 VALUES (); END IF; INSERT INTO shop.zzz_driftflow_back_users_613332 (driftflow_k1) VALUES (OLD.id); END
-- undo: Copy users into its old form in chunks

-- step 44 (9d2124b509.1): Take away the trigger zzz_driftflow_note_users_613332_back_update
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
DROP TRIGGER IF EXISTS shop.zzz_driftflow_note_users_613332_back_update;
-- undo: CREATE TRIGGER shop.zzz_driftflow_note_users_613332_back_update AFTER UPDATE ON shop.users FOR EACH ROW BEGIN IF 0 THEN INSERT INTO shop.zzz_driftflow_back_users_613332 VALUES (); INSERT INTO shop.zzz_driftflow_old_users_613332 VALUES (); END IF; IF NOT (OLD.id <=> NEW.id) THEN INSERT INTO shop.zzz_driftflow_back_users_613332 (driftflow_k1) VALUES (OLD.id), (NEW.id); ELSE INSERT INTO shop.zzz_driftflow_back_users_613332 (driftflow_k1) VALUES (OLD.id); END IF; END

-- step 45 (ecd51ae5c8.1): Take away the trigger zzz_driftflow_note_users_613332_back_insert
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
DROP TRIGGER IF EXISTS shop.zzz_driftflow_note_users_613332_back_insert;
-- undo: CREATE TRIGGER shop.zzz_driftflow_note_users_613332_back_insert AFTER INSERT ON shop.users FOR EACH ROW BEGIN IF 0 THEN INSERT INTO shop.zzz_driftflow_back_users_613332 VALUES (); INSERT INTO shop.zzz_driftflow_old_users_613332 VALUES (); END IF; INSERT INTO shop.zzz_driftflow_back_users_613332 (driftflow_k1) VALUES (NEW.id); END

-- step 46 (435ec608a3.1): Remove zzz_driftflow_old_users_613332: the old form of users
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
DROP TABLE IF EXISTS shop.zzz_driftflow_old_users_613332;
-- undo: CREATE TABLE shop._driftflow_making_users_613332 LIKE shop.users
-- undo: ALTER TABLE shop._driftflow_making_users_613332 DROP INDEX users_tenant_id_idx, ADD KEY users_tenant_id_idx (tenant_id)
-- undo: ALTER TABLE shop._driftflow_making_users_613332 DROP CONSTRAINT users_two_factor_check
-- undo: RENAME TABLE shop._driftflow_making_users_613332 TO shop.zzz_driftflow_old_users_613332

-- step 47 (67e88c7074.1): Remove zzz_driftflow_back_users_613332: the keys that were noted
-- driftflow waits 250 ms for the lock at most; the server counts in seconds
SET lock_wait_timeout = 1;
DROP TABLE IF EXISTS shop.zzz_driftflow_back_users_613332, shop.zzz_driftflow_back_users_613332_now;
-- undo: CREATE TABLE IF NOT EXISTS shop.zzz_driftflow_back_users_613332_now (driftflow_id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY, driftflow_seq bigint unsigned NULL, driftflow_out tinyint NOT NULL DEFAULT 0, driftflow_k1 bigint NULL) ENGINE=InnoDB
-- undo: CREATE TABLE shop.zzz_driftflow_back_users_613332 (driftflow_seq bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY, driftflow_k1 bigint NULL) ENGINE=InnoDB

-- step 48 (b239b3f4b8.1): Verify 2 statements about the result
-- Every pilot user's seed has its ciphertext: gives 0
SELECT count(*) FROM users WHERE totp_seed IS NOT NULL AND two_factor_ciphertext IS NULL;
-- Nobody was switched on: gives 0
SELECT count(*) FROM users WHERE two_factor_enabled;
-- undo: nothing to do, it changes nothing
