CREATE SCHEMA :SCHEMA;
CREATE TABLE :SCHEMA.:"TABLE" (a int[], note text DEFAULT :'TABLE', at timestamptz DEFAULT now()::timestamptz);
SELECT a[1:2], ':SCHEMA' FROM :SCHEMA.:"TABLE"; -- :SCHEMA stays
CREATE FUNCTION :SCHEMA.f() RETURNS int LANGUAGE sql AS $$ SELECT count(*)::int FROM :SCHEMA.t; $$;
