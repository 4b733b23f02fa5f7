-- What the writers write, they write here too, in the same transaction: the truth that a rollback is held against.

CREATE TABLE mirror_orders (id bigint PRIMARY KEY, user_id bigint, product_id bigint, quantity int, total_cents int, status varchar(32));

INSERT INTO mirror_orders SELECT id, user_id, product_id, quantity, total_cents, status FROM orders;

CREATE TABLE mirror_products (id bigint PRIMARY KEY, sku varchar(64), price_cents int);

INSERT INTO mirror_products SELECT id, sku, price_cents FROM products;

CREATE TABLE mirror_users (id bigint PRIMARY KEY, email varchar(190), name varchar(190));

INSERT INTO mirror_users SELECT id, email, name FROM users;
