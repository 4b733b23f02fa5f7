-- scene postgresql 16.4
-- given
ALTER TABLE orders ADD CONSTRAINT orders_total_ck CHECK (total >= 0);
CREATE VIEW v AS SELECT id FROM users;
CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE POLICY p ON orders USING (true);
CREATE SEQUENCE s;
CREATE FUNCTION tf() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER orders_t BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION tf();
-- speaks DF211 loses
ALTER TABLE orders DROP CONSTRAINT orders_total_ck;
-- speaks DF114 breaks
ALTER TABLE orders ALTER COLUMN status DROP DEFAULT;
-- speaks DF116 breaks
ALTER TABLE users ALTER COLUMN email DROP NOT NULL;
-- speaks DF409 loses
DROP VIEW v;
-- speaks DF409 loses
DROP FUNCTION f();
-- speaks DF409 loses
DROP TYPE mood;
-- speaks DF409 loses
DROP POLICY p ON orders;
-- speaks DF409 loses
DROP TRIGGER orders_t ON orders;
-- speaks DF409 loses
DROP EXTENSION pgcrypto;
-- silent
DROP VIEW v;
CREATE VIEW v AS SELECT id FROM users;
-- scene mysql 8.4.0
-- given
ALTER TABLE orders ADD CONSTRAINT orders_total_ck CHECK (total >= 0);
CREATE VIEW v AS SELECT id FROM users;
CREATE TRIGGER orders_t BEFORE UPDATE ON orders FOR EACH ROW SET NEW.note = 'x';
-- speaks DF211 loses
ALTER TABLE orders DROP CONSTRAINT orders_total_ck;
-- speaks DF114 breaks
ALTER TABLE orders ALTER COLUMN status DROP DEFAULT;
-- speaks DF664 breaks
ALTER TABLE users MODIFY email varchar(50) NULL;
-- speaks DF409 loses
DROP VIEW v;
-- speaks DF409 loses
DROP TRIGGER orders_t;
-- silent
ALTER TABLE users MODIFY email varchar(60) NOT NULL DEFAULT 'x' COMMENT 'login';
DROP VIEW v;
CREATE VIEW v AS SELECT id FROM users;
-- scene mariadb 10.11.6
-- given
ALTER TABLE orders ADD CONSTRAINT orders_total_ck CHECK (total >= 0);
CREATE VIEW v AS SELECT id FROM users;
-- speaks DF211 loses
ALTER TABLE orders DROP CONSTRAINT orders_total_ck;
-- speaks DF114 breaks
ALTER TABLE orders ALTER COLUMN status DROP DEFAULT;
-- speaks DF664 breaks
ALTER TABLE users MODIFY email varchar(50) NULL;
-- speaks DF409 loses
DROP VIEW v;
-- silent
ALTER TABLE users MODIFY email varchar(60) NOT NULL DEFAULT 'x' COMMENT 'login';
CREATE OR REPLACE VIEW v AS SELECT id FROM users;
-- scene sqlite 3.40.1
-- given
CREATE VIEW v AS SELECT id FROM users;
CREATE TRIGGER orders_t AFTER UPDATE ON orders BEGIN UPDATE users SET age = 1; END;
-- speaks DF409 loses
DROP VIEW v;
-- speaks DF409 loses
DROP TRIGGER orders_t;
-- silent
DROP VIEW v;
CREATE VIEW v AS SELECT id FROM users;
-- scene postgresql 16.4
-- speaks DF415 loses
ALTER TABLE orders DISABLE TRIGGER ALL;
-- silent
ALTER TABLE orders DISABLE TRIGGER ALL;
ALTER TABLE orders ENABLE TRIGGER ALL;
-- scene mysql 8.4.0
-- speaks DF415 loses
ALTER TABLE users ENGINE=MyISAM;
-- speaks DF415 loses
ALTER TABLE orders DISCARD TABLESPACE;
-- silent
ALTER TABLE users ENGINE=InnoDB;
-- scene mariadb 10.11.6
-- speaks DF415 loses
ALTER TABLE users ENGINE=MyISAM;
-- silent
ALTER TABLE users ENGINE=InnoDB;
