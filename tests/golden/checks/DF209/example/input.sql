-- postgresql
-- given
CREATE TABLE imports (ref text);
CREATE UNIQUE INDEX imports_ref_key ON imports (ref);
-- migration
ALTER TABLE imports ADD CONSTRAINT imports_pkey PRIMARY KEY USING INDEX imports_ref_key;
