-- postgresql
-- given
CREATE TABLE orders (id bigint PRIMARY KEY);
CREATE TABLE lines (id bigint PRIMARY KEY, order_id bigint REFERENCES orders (id) DEFERRABLE INITIALLY DEFERRED);
CREATE INDEX lines_order_id_idx ON lines (order_id);
-- migration
INSERT INTO lines (id, order_id) VALUES (1, 1);
ALTER TABLE lines ADD COLUMN note text;
