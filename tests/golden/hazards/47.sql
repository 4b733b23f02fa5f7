-- scene postgresql 16.4
-- given
CREATE TABLE secrets (id bigint PRIMARY KEY);
ALTER TABLE secrets ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON secrets USING (true);
-- speaks DF611 breaks
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
-- speaks DF615 breaks
ALTER TABLE secrets DISABLE ROW LEVEL SECURITY;
-- speaks DF616 note
GRANT ALL ON orders TO PUBLIC;
-- silent
CREATE POLICY own ON orders USING (true);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON orders TO app;
-- scene postgresql 16.4
-- speaks DF617 breaks
REVOKE ALL ON orders FROM app;
-- silent
REVOKE ALL ON orders FROM app;
GRANT SELECT ON orders TO app;
-- scene mysql 8.4.0
-- speaks DF617 breaks
REVOKE INSERT ON shop.orders FROM 'app'@'%';
-- silent
GRANT INSERT ON shop.orders TO 'app'@'%';
-- scene mariadb 10.11.6
-- speaks DF617 breaks
REVOKE INSERT ON shop.orders FROM 'app'@'%';
-- silent
GRANT INSERT ON shop.orders TO 'app'@'%';
