-- scene postgresql 16.4
-- given
ALTER TABLE orders ADD COLUMN seller_id bigint;
-- speaks DF204 blocks
ALTER TABLE orders ADD CONSTRAINT orders_seller_fk FOREIGN KEY (seller_id) REFERENCES users (id) NOT VALID;
-- silent
ALTER TABLE orders ADD CONSTRAINT orders_user_fk FOREIGN KEY (user_id) REFERENCES users (id) NOT VALID;
-- scene sqlite 3.40.1
-- speaks DF204 blocks
ALTER TABLE orders ADD COLUMN seller_id INTEGER REFERENCES users (id);
-- silent
ALTER TABLE orders ADD COLUMN seller_id INTEGER REFERENCES users (id);
CREATE INDEX orders_seller_idx ON orders (seller_id);
