-- scene postgresql 16.4
-- given
CREATE DOMAIN posint AS integer;
ALTER TABLE orders ADD COLUMN qty posint;
-- speaks DF504 blocks
ALTER DOMAIN posint SET NOT NULL;
-- silent
ALTER DOMAIN posint ADD CONSTRAINT pos CHECK (VALUE > 0) NOT VALID;
