-- scene postgresql 16.4
-- speaks DF202 blocks
ALTER TABLE orders ADD CONSTRAINT orders_user_fk FOREIGN KEY (user_id) REFERENCES users (id);
-- silent
ALTER TABLE orders ADD CONSTRAINT orders_user_fk FOREIGN KEY (user_id) REFERENCES users (id) NOT VALID;
-- next migration
ALTER TABLE orders VALIDATE CONSTRAINT orders_user_fk;
-- scene mysql 8.4.0
-- speaks DF661 blocks
ALTER TABLE orders ADD CONSTRAINT orders_user_fk FOREIGN KEY (user_id) REFERENCES users (id);
-- silent
SET SESSION foreign_key_checks=0;
ALTER TABLE orders ADD CONSTRAINT orders_user_fk FOREIGN KEY (user_id) REFERENCES users (id), ALGORITHM=INPLACE, LOCK=NONE;
-- scene mariadb 10.11.6
-- speaks DF661 blocks
ALTER TABLE orders ADD CONSTRAINT orders_user_fk FOREIGN KEY (user_id) REFERENCES users (id);
-- silent
SET SESSION foreign_key_checks=0;
ALTER TABLE orders ADD CONSTRAINT orders_user_fk FOREIGN KEY (user_id) REFERENCES users (id), ALGORITHM=INPLACE, LOCK=NONE;
-- scene sqlite 3.40.1
-- speaks DF651 breaks
ALTER TABLE orders ADD CONSTRAINT orders_user_fk FOREIGN KEY (user_id) REFERENCES users (id);
-- silent
CREATE TABLE carts (id INTEGER PRIMARY KEY, age INTEGER NOT NULL CHECK (age > 0), email TEXT UNIQUE, user_id INTEGER REFERENCES users (id));
CREATE INDEX carts_user_idx ON carts (user_id);
