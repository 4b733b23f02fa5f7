-- What the writers write, they write here too, in the same transaction: the truth that a rollback is held against.

CREATE TABLE mirror_orders AS SELECT id, user_id, product_id, quantity, total_cents, status FROM orders;

ALTER TABLE mirror_orders ADD PRIMARY KEY (id);

CREATE TABLE mirror_products AS SELECT id, sku, price_cents FROM products;

ALTER TABLE mirror_products ADD PRIMARY KEY (id);

CREATE TABLE mirror_users AS SELECT id, email, name FROM users;

ALTER TABLE mirror_users ADD PRIMARY KEY (id);
