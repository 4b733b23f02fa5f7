-- scene postgresql 16.4
-- given
CREATE FUNCTION tf() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER orders_t BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION tf();
-- speaks DF709 breaks
UPDATE orders SET status = 'x';
-- silent
UPDATE orders SET status = 'x' WHERE id = 7;
-- scene mysql 8.4.0
-- given
CREATE TRIGGER orders_t BEFORE UPDATE ON orders FOR EACH ROW SET NEW.note = 'x';
-- speaks DF709 breaks
UPDATE orders SET status = 'x';
-- silent
UPDATE orders SET status = 'x' WHERE id = 7;
-- scene mariadb 10.11.6
-- given
CREATE TRIGGER orders_t BEFORE UPDATE ON orders FOR EACH ROW SET NEW.note = 'x';
-- speaks DF709 breaks
UPDATE orders SET status = 'x';
-- silent
UPDATE orders SET status = 'x' WHERE id = 7;
-- scene sqlite 3.40.1
-- given
CREATE TRIGGER orders_t AFTER UPDATE ON orders BEGIN UPDATE users SET age = 1; END;
-- speaks DF709 breaks
UPDATE orders SET status = 'x';
-- silent
UPDATE orders SET status = 'x' WHERE id = 7;
