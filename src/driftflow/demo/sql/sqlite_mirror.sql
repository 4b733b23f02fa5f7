-- What the writers write, they write here too, in the same transaction: the truth that a rollback is held against.

CREATE TABLE mirror_orders (id INTEGER PRIMARY KEY, user_id INTEGER, product_id INTEGER, quantity INTEGER, total_cents INTEGER, status TEXT);

INSERT INTO mirror_orders SELECT id, user_id, product_id, quantity, total_cents, status FROM orders;

CREATE TABLE mirror_products (id INTEGER PRIMARY KEY, sku TEXT, price_cents INTEGER);

INSERT INTO mirror_products SELECT id, sku, price_cents FROM products;

CREATE TABLE mirror_users (id INTEGER PRIMARY KEY, email TEXT, name TEXT);

INSERT INTO mirror_users SELECT id, email, name FROM users;
