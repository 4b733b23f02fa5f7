-- scene postgresql 16.4
-- given
CREATE DOMAIN posint AS integer CHECK (VALUE > 0);
CREATE DOMAIN anyint AS integer;
-- speaks DF101 blocks
ALTER TABLE orders ADD COLUMN qty posint;
-- silent
ALTER TABLE orders ADD COLUMN qty anyint;
