"""What pg_dump writes is read and written back, statement by statement; the schema that comes of it is the one that the dump itself makes."""

from __future__ import annotations

import difflib
import subprocess
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from driftflow.dialects.postgresql import PostgreSQL
from driftflow.dialects.source_text import SourceText
from driftflow.model.operations import RawSql

DIALECT = PostgreSQL()

SCHEMA = """
CREATE SCHEMA app;
CREATE TYPE app.mood AS ENUM ('sad', 'it''s ok');
CREATE DOMAIN positive AS int CHECK (value > 0) DEFAULT 1;
CREATE SEQUENCE counter AS int INCREMENT BY 2 MINVALUE 2 MAXVALUE 100 CYCLE;
CREATE TABLE tenants (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name varchar(80) NOT NULL CHECK (name <> ''), UNIQUE (name) INCLUDE (id));
CREATE TABLE app.orders (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, tenant uuid REFERENCES tenants ON DELETE CASCADE, no serial NOT NULL,
    "Mixed Case" text COLLATE "C", price numeric(10,2) DEFAULT 0 CHECK (price >= 0 AND price < 1000000), mood app.mood DEFAULT 'sad',
    tags text[] DEFAULT '{}', doc jsonb, doubled numeric GENERATED ALWAYS AS (price * 2) STORED, p positive, during tstzrange,
    created_at timestamptz DEFAULT now() NOT NULL, CHECK (mood IN ('sad', 'it''s ok') OR tags[1] LIKE 'a%'),
    EXCLUDE USING gist (during WITH &&) WHERE (NOT isempty(during)) DEFERRABLE INITIALLY DEFERRED
) WITH (fillfactor=80);
CREATE INDEX ON app.orders (lower("Mixed Case") text_pattern_ops, created_at DESC NULLS LAST) WHERE mood = 'sad' AND price > 1;
CREATE INDEX docs ON app.orders USING gin (doc jsonb_path_ops) WITH (fastupdate=off);
CREATE UNIQUE INDEX identity ON app.orders (no) INCLUDE (price);
ALTER TABLE app.orders REPLICA IDENTITY USING INDEX identity;
ALTER TABLE tenants CLUSTER ON tenants_pkey;
ALTER TABLE app.orders ADD FOREIGN KEY (tenant) REFERENCES tenants DEFERRABLE NOT VALID;
CREATE TABLE events (id int, at date NOT NULL, kind text, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE events_2024 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE events_rest PARTITION OF events DEFAULT;
CREATE TABLE kinds (kind text) PARTITION BY LIST (lower(kind));
CREATE TABLE kinds_ab PARTITION OF kinds FOR VALUES IN ('a', 'b', NULL);
CREATE INDEX ON events (kind);
CREATE UNLOGGED TABLE child (extra int) INHERITS (tenants);
CREATE VIEW app.cheap WITH (security_barrier) AS
    SELECT o.id, t.name, count(*) OVER (PARTITION BY t.id ORDER BY o.created_at DESC ROWS 3 PRECEDING) AS n,
        CASE WHEN o.price > 5 THEN 'a' ELSE (SELECT max(kind) FROM events e WHERE e.id = o.id) END
    FROM app.orders o LEFT JOIN tenants t ON t.id = o.tenant WHERE o.price IS DISTINCT FROM 3 AND o.tags && ARRAY['x'];
CREATE VIEW app.plain AS SELECT id, price FROM app.orders WHERE price > 1 WITH CASCADED CHECK OPTION;
CREATE MATERIALIZED VIEW totals AS WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 5)
    SELECT n, sum(price) FILTER (WHERE mood = 'sad') AS s FROM r, app.orders GROUP BY ROLLUP (n) HAVING count(*) > 1 ORDER BY 1 NULLS FIRST LIMIT 5;
CREATE FUNCTION app.touch(a int DEFAULT 3, OUT b text) LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = app AS $$ BEGIN b := 'x;'; END $$;
CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE FUNCTION added(a int, b int) RETURNS int LANGUAGE sql IMMUTABLE BEGIN ATOMIC SELECT CASE WHEN a > 0 THEN a + b END; END;
CREATE TRIGGER stamp BEFORE INSERT OR UPDATE OF price ON app.orders FOR EACH ROW WHEN (NEW.price > 0) EXECUTE FUNCTION stamp('a', 'it''s');
CREATE CONSTRAINT TRIGGER late AFTER DELETE ON tenants DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION stamp();
ALTER TABLE app.orders DISABLE TRIGGER stamp;
ALTER TABLE app.orders ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON app.orders AS RESTRICTIVE FOR UPDATE USING (tenant = current_setting('app.tenant', true)::uuid) WITH CHECK (price > 0);
CREATE RULE quiet AS ON DELETE TO events WHERE old.id = 0 DO INSTEAD NOTHING;
CREATE STATISTICS app.st (dependencies) ON price, no FROM app.orders;
COMMENT ON TABLE app.orders IS 'it''s';
COMMENT ON COLUMN app.orders."Mixed Case" IS 'x';
COMMENT ON FUNCTION app.touch(int) IS 'y';
GRANT SELECT, UPDATE (price) ON app.orders TO PUBLIC;
ALTER TABLE app.orders ALTER COLUMN price SET STATISTICS 200, ALTER COLUMN doc SET STORAGE EXTERNAL;
"""


@pytest.fixture
def databases(postgresql_server) -> list[str]:
    urls = [postgresql_server.create_database() for _ in range(3)]
    yield urls
    for url in urls:
        postgresql_server.drop_database(url)


def test_a_dump_written_back_makes_the_same_schema(databases: list[str], postgresql_program: Callable[[str], Path]) -> None:
    origin, as_it_is, written_back = databases
    apply(origin, [statement.sql for statement in DIALECT.split(SourceText(SCHEMA, "schema.sql"))])
    dump = dumped(origin, postgresql_program("pg_dump"))
    statements = DIALECT.split(SourceText(dump, "dump.sql"))
    assert len(statements) > 80
    operations = [operation for statement in statements for operation in DIALECT.parse(statement).operations]
    assert [operation.sql for operation in operations if isinstance(operation, RawSql)] == []
    apply(as_it_is, [statement.sql for statement in statements])
    apply(written_back, [DIALECT.render(operation) for operation in operations])
    program = postgresql_program("pg_dump")
    difference = difflib.unified_diff(
        dumped(as_it_is, program).splitlines(), dumped(written_back, program).splitlines(), n=0, lineterm=""
    )
    assert "\n".join(difference) == ""


def apply(url: str, statements: list[str]) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for sql in statements:
            connection.execute(sql.encode())


def dumped(url: str, program: Path) -> str:
    done = subprocess.run([program, "--schema-only", "-d", url], capture_output=True, text=True, check=True, timeout=60)
    return "\n".join(line for line in done.stdout.splitlines() if not line.startswith(("\\", "SET transaction_timeout")))
