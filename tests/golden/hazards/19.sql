-- scene postgresql 16.4
-- speaks DF207 loses
ALTER TABLE orders ADD CONSTRAINT orders_user_fk FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE NOT VALID;
-- silent
ALTER TABLE orders ADD CONSTRAINT orders_user_fk FOREIGN KEY (user_id) REFERENCES users (id) NOT VALID;
-- scene mysql 8.4.0
-- speaks DF207 loses
ALTER TABLE orders ADD CONSTRAINT orders_user_fk FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE;
-- silent
ALTER TABLE orders ADD CONSTRAINT orders_user_fk FOREIGN KEY (user_id) REFERENCES users (id);
-- scene mariadb 10.11.6
-- speaks DF207 loses
ALTER TABLE orders ADD CONSTRAINT orders_user_fk FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE;
-- silent
ALTER TABLE orders ADD CONSTRAINT orders_user_fk FOREIGN KEY (user_id) REFERENCES users (id);
-- scene sqlite 3.40.1
-- speaks DF207 loses
ALTER TABLE orders ADD COLUMN seller_id INTEGER REFERENCES users (id) ON DELETE CASCADE;
-- silent
ALTER TABLE orders ADD COLUMN seller_id INTEGER REFERENCES users (id);
