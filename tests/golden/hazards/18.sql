-- scene postgresql 16.4
-- given
CREATE TABLE items (id bigint PRIMARY KEY, order_id bigint, user_id bigint);
CREATE INDEX items_o ON items (order_id);
CREATE INDEX items_u ON items (user_id);
-- speaks DF206 blocks
ALTER TABLE items ADD CONSTRAINT items_order_fk FOREIGN KEY (order_id) REFERENCES orders (id) NOT VALID;
ALTER TABLE items ADD CONSTRAINT items_user_fk FOREIGN KEY (user_id) REFERENCES users (id) NOT VALID;
-- silent
ALTER TABLE items ADD CONSTRAINT items_order_fk FOREIGN KEY (order_id) REFERENCES orders (id) NOT VALID;
-- next migration
ALTER TABLE items ADD CONSTRAINT items_user_fk FOREIGN KEY (user_id) REFERENCES users (id) NOT VALID;
-- scene postgresql 16.4
-- given
CREATE TABLE items (id bigint PRIMARY KEY, order_id bigint REFERENCES orders (id), user_id bigint REFERENCES users (id));
-- speaks DF406 blocks
DROP TABLE items;
-- silent
ALTER TABLE items DROP CONSTRAINT items_order_id_fkey;
-- next migration
ALTER TABLE items DROP CONSTRAINT items_user_id_fkey;
-- next migration
DROP TABLE items;
