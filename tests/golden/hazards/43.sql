-- scene postgresql 16.4 transaction=none
-- speaks DF708 breaks
ALTER TABLE orders ADD COLUMN marker integer;
CREATE INDEX CONCURRENTLY orders_marker_idx ON orders (marker);
-- silent
ALTER TABLE orders ADD COLUMN marker integer;
-- next migration
CREATE INDEX CONCURRENTLY orders_marker_idx ON orders (marker);
-- scene mysql 8.4.0
-- speaks DF708 breaks
ALTER TABLE orders ADD COLUMN marker int;
ALTER TABLE users ADD COLUMN marker int;
-- silent
ALTER TABLE orders ADD COLUMN marker int;
-- scene mariadb 10.11.6
-- speaks DF708 breaks
ALTER TABLE orders ADD COLUMN marker int;
ALTER TABLE users ADD COLUMN marker int;
-- silent
ALTER TABLE orders ADD COLUMN marker int;
-- scene postgresql 16.4
-- speaks DF124 breaks
ALTER TABLE orders ADD COLUMN IF NOT EXISTS note varchar(5);
-- speaks DF124 breaks
CREATE TABLE IF NOT EXISTS orders (id bigint PRIMARY KEY, extra text);
-- silent
ALTER TABLE orders ADD COLUMN IF NOT EXISTS note text;
-- scene mysql 8.4.0
-- speaks DF124 breaks
CREATE TABLE IF NOT EXISTS orders (id bigint NOT NULL PRIMARY KEY, extra text);
-- silent
CREATE TABLE IF NOT EXISTS fresh (id bigint NOT NULL PRIMARY KEY, extra text);
-- scene mariadb 10.11.6
-- speaks DF124 breaks
ALTER TABLE orders ADD COLUMN IF NOT EXISTS note int;
-- silent
ALTER TABLE orders ADD COLUMN IF NOT EXISTS fresh int;
-- scene sqlite 3.40.1
-- speaks DF124 breaks
CREATE TABLE IF NOT EXISTS orders (id INTEGER PRIMARY KEY, extra TEXT);
-- silent
CREATE TABLE IF NOT EXISTS fresh (id INTEGER PRIMARY KEY, extra TEXT);
