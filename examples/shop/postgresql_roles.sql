-- Not a migration: what the shop's administrator did beforehand. The isolation tests of 002 speak as this role.
CREATE ROLE shop_app NOLOGIN;
GRANT SELECT ON tenants, users, products TO shop_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON orders TO shop_app;
