-- scene postgresql 16.4
-- given
CREATE MATERIALIZED VIEW mv AS SELECT id FROM users;
CREATE UNIQUE INDEX mv_id ON mv (id);
-- speaks DF601 blocks
REFRESH MATERIALIZED VIEW mv;
-- silent
REFRESH MATERIALIZED VIEW CONCURRENTLY mv;
-- scene postgresql 16.4
-- given
CREATE VIEW v (id, name) AS SELECT id, name FROM users;
CREATE VIEW w AS SELECT id FROM v;
-- speaks DF001 breaks
DROP VIEW v;
-- speaks DF409 loses
DROP VIEW v CASCADE;
-- speaks DF001 breaks
CREATE OR REPLACE VIEW v (name) AS SELECT name FROM users;
-- silent
DROP VIEW w;
DROP VIEW v;
CREATE VIEW v AS SELECT name, id FROM users;
CREATE VIEW w AS SELECT id FROM v;
-- scene postgresql 16.4
-- given
CREATE VIEW v AS SELECT id, name FROM users;
CREATE FUNCTION tf() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER v_insert INSTEAD OF INSERT ON v FOR EACH ROW EXECUTE FUNCTION tf();
-- speaks DF602 loses
DROP VIEW v;
CREATE VIEW v AS SELECT name, id FROM users;
-- silent
DROP VIEW v;
CREATE VIEW v AS SELECT name, id FROM users;
CREATE TRIGGER v_insert INSTEAD OF INSERT ON v FOR EACH ROW EXECUTE FUNCTION tf();
-- scene sqlite 3.40.1
-- given
CREATE VIEW v AS SELECT id, name FROM users;
CREATE TRIGGER v_insert INSTEAD OF INSERT ON v BEGIN INSERT INTO users (name, email) VALUES (NEW.name, ''); END;
-- speaks DF602 loses
DROP VIEW v;
CREATE VIEW v AS SELECT name, id FROM users;
-- silent
DROP VIEW v;
CREATE VIEW v AS SELECT name, id FROM users;
CREATE TRIGGER v_insert INSTEAD OF INSERT ON v BEGIN INSERT INTO users (name, email) VALUES (NEW.name, ''); END;
