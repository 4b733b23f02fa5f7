-- scene postgresql 16.4
-- given
ALTER TABLE orders ADD COLUMN seller_id integer;
-- speaks DF205 breaks
ALTER TABLE orders ADD CONSTRAINT orders_seller_fk FOREIGN KEY (seller_id) REFERENCES users (id) NOT VALID;
-- silent
ALTER TABLE orders ADD CONSTRAINT orders_user_fk FOREIGN KEY (user_id) REFERENCES users (id) NOT VALID;
-- scene mysql 8.4.0
-- given
ALTER TABLE orders ADD COLUMN seller_id int;
-- speaks DF001 breaks
ALTER TABLE orders ADD CONSTRAINT orders_seller_fk FOREIGN KEY (seller_id) REFERENCES users (id);
-- silent
ALTER TABLE orders ADD CONSTRAINT orders_user_fk FOREIGN KEY (user_id) REFERENCES users (id);
-- scene mariadb 10.11.6
-- given
ALTER TABLE orders ADD COLUMN seller_id int;
-- speaks DF001 breaks
ALTER TABLE orders ADD CONSTRAINT orders_seller_fk FOREIGN KEY (seller_id) REFERENCES users (id);
-- silent
ALTER TABLE orders ADD CONSTRAINT orders_user_fk FOREIGN KEY (user_id) REFERENCES users (id);
