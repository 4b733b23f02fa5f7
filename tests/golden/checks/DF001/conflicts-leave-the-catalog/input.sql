-- postgresql
-- given
CREATE TABLE orders (id bigint PRIMARY KEY, status text, total_cents integer);
-- migration
ALTER TABLE orders DROP COLUMN nothing;
ALTER TABLE orders ADD COLUMN status text;
ALTER TABLE payments ADD COLUMN note text;
ALTER TABLE orders ADD CONSTRAINT to_nowhere FOREIGN KEY (total_cents) REFERENCES users (id);
