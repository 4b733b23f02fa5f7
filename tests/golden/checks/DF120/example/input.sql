-- postgresql version=17
-- given
CREATE TABLE orders (id bigint PRIMARY KEY, net integer, total integer GENERATED ALWAYS AS (net * 2) STORED);
-- migration
ALTER TABLE orders ALTER COLUMN total SET EXPRESSION AS (net * 3);
