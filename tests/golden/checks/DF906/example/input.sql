-- postgresql
-- given
CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint NOT NULL, status varchar(20));
-- when the baseline was written
ALTER TABLE orders DROP COLUMN status;
-- migration
ALTER TABLE orders ADD COLUMN note text;
