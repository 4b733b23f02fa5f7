-- scene mysql 8.4.0
-- speaks DF661 blocks
ALTER TABLE orders ADD CONSTRAINT orders_user_fk FOREIGN KEY (user_id) REFERENCES users (id);
-- speaks DF661 blocks
ALTER TABLE orders ADD CONSTRAINT orders_total_ck CHECK (total >= 0);
-- speaks DF661 blocks
ALTER TABLE orders ADD COLUMN code varchar(20) DEFAULT (concat('a', 'b'));
-- silent
ALTER TABLE orders ADD COLUMN code varchar(20) DEFAULT 'ab';
-- scene mariadb 10.11.6
-- speaks DF668 breaks
SET SESSION foreign_key_checks=0;
ALTER TABLE orders ADD CONSTRAINT orders_user_fk FOREIGN KEY (user_id) REFERENCES users (id);
-- speaks DF661 blocks
ALTER TABLE orders ADD CONSTRAINT orders_total_ck CHECK (total >= 0);
-- silent
ALTER TABLE orders ADD COLUMN code varchar(20) DEFAULT 'ab';
-- scene mysql 8.4.0
-- speaks DF668 breaks
SET SESSION foreign_key_checks=0;
ALTER TABLE orders ADD CONSTRAINT orders_user_fk FOREIGN KEY (user_id) REFERENCES users (id);
-- silent
ALTER TABLE orders ADD COLUMN code varchar(20) DEFAULT 'ab';
