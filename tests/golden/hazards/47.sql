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
