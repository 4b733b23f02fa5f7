-- postgresql
-- migration
CREATE UNLOGGED TABLE carts (id bigint PRIMARY KEY);
