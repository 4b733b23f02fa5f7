"""What is said of an object of PostgreSQL that is no table: another comment is taken back, and a later statement of the release finds the new one."""

from __future__ import annotations

import pytest
from recipes.rig import Database, Place, accepted, apply, changed_and_back, gates

pytestmark = pytest.mark.on("postgresql")
SCHEMA = """
CREATE SCHEMA app;
CREATE TABLE a (id integer PRIMARY KEY, v integer CONSTRAINT above CHECK (v > 0), w integer);
CREATE INDEX "A v" ON a (v);
CREATE SEQUENCE app.counter;
CREATE VIEW seen AS SELECT id, v FROM a;
CREATE MATERIALIZED VIEW kept AS SELECT id, v FROM a;
CREATE INDEX kept_v ON kept (v);
CREATE FUNCTION app.f(n integer) RETURNS integer LANGUAGE sql AS 'SELECT n';
CREATE FUNCTION app.f(n text) RETURNS text LANGUAGE sql AS 'SELECT n';
CREATE PROCEDURE pr(n integer) LANGUAGE sql AS 'SELECT n';
CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER stamped BEFORE INSERT ON a FOR EACH ROW EXECUTE FUNCTION stamp();
CREATE POLICY mine ON a USING (v > 1);
CREATE RULE quiet AS ON DELETE TO a DO INSTEAD NOTHING;
CREATE STATISTICS st ON id, v FROM a;
CREATE TYPE mood AS ENUM ('x');
CREATE TYPE pair AS (x integer);
CREATE DOMAIN app.dom AS integer;
CREATE PUBLICATION all_of_a FOR TABLE a;
INSERT INTO a VALUES (1, 2, 3);
"""
SAID = (
    'INDEX "A v"',
    "INDEX kept_v",
    "CONSTRAINT above ON a",
    "CONSTRAINT a_pkey ON public.a",
    "SEQUENCE app.counter",
    "VIEW seen",
    "COLUMN seen.v",
    "MATERIALIZED VIEW kept",
    "FUNCTION app.f(integer)",
    "FUNCTION app.f(text)",
    "PROCEDURE pr",
    "ROUTINE pr(integer)",
    "TRIGGER stamped ON a",
    "POLICY mine ON a",
    "RULE quiet ON a",
    "STATISTICS st",
    "TYPE mood",
    "TYPE pair",
    "COLUMN pair.x",
    "DOMAIN app.dom",
    "SCHEMA app",
    "PUBLICATION all_of_a",
    "EXTENSION plpgsql",
)
COMMENTS = """SELECT io.identity, d.description FROM pg_description d, pg_identify_object(d.classoid, d.objoid, d.objsubid) io
WHERE (d.objoid >= 16384 OR d.classoid = 'pg_extension'::regclass) AND io.identity !~ 'driftflow' ORDER BY 1, 2"""


def said(database: Database) -> object:
    return database.structure(), database.query(COMMENTS)


@pytest.mark.parametrize("what", SAID)
def test_it_comes_back(place: Place, what: str) -> None:
    database = place.fresh(f"{SCHEMA}COMMENT ON {what} IS 'it''s old';")
    changed_and_back(database, f"COMMENT ON {what} IS 'new'; COMMENT ON {what} IS 'newer';", lambda: said(database))
    changed_and_back(database, f"COMMENT ON {what} IS NULL;", lambda: said(database))


@pytest.mark.parametrize("what", ['INDEX "A v"', "FUNCTION app.f(text)", "SCHEMA app"])
def test_nothing_comes_back_too(place: Place, what: str) -> None:
    database = place.fresh(SCHEMA)
    changed_and_back(database, f"COMMENT ON {what} IS 'new';", lambda: said(database))


@pytest.mark.parametrize(
    "change",
    [
        """COMMENT ON INDEX "A v" IS 'new'; COMMENT ON CONSTRAINT above ON a IS 'newer'; ALTER TABLE a ALTER COLUMN v TYPE bigint;""",
        "COMMENT ON TRIGGER stamped ON a IS 'new'; COMMENT ON VIEW seen IS 'newer'; ALTER TABLE a ALTER COLUMN v TYPE bigint;",
        "COMMENT ON INDEX kept_v IS 'new'; COMMENT ON COLUMN seen.v IS 'newer'; ALTER TABLE a ALTER COLUMN v TYPE bigint;",
    ],
)
def test_it_is_kept_where_a_later_statement_makes_the_object_again(place: Place, change: str) -> None:
    """Of a large table: the column is made again beside itself, with all that hangs on it."""
    schema = f"{SCHEMA} DROP POLICY mine ON a; DROP RULE quiet ON a;"
    schema += """COMMENT ON CONSTRAINT above ON a IS 'old'; COMMENT ON INDEX "A v" IS 'old';"""
    planned = place.fresh(schema)
    plan = planned.plan(change)
    assert apply(plan, planned, open_gates=gates(plan)).state == "done"
    assert accepted(plan) == ()
    said = {text for _, text in planned.query(COMMENTS)}
    assert {"new", "newer"} <= said, said


def test_or_replace_leaves_what_was_said(place: Place) -> None:
    database = place.fresh(f"{SCHEMA}COMMENT ON FUNCTION app.f(integer) IS 'old';")
    change = """
    CREATE OR REPLACE FUNCTION app.f(n integer) RETURNS integer LANGUAGE sql AS 'SELECT n + 1';
    COMMENT ON FUNCTION app.f(integer) IS 'new';
    """
    changed_and_back(database, change, lambda: said(database))


def test_a_schema_comes_back_with_what_was_said(place: Place) -> None:
    database = place.fresh(
        "CREATE SCHEMA empty; COMMENT ON SCHEMA empty IS 'old'; GRANT USAGE, CREATE ON SCHEMA empty TO pg_monitor;"
    )
    changed_and_back(database, "DROP SCHEMA empty;", lambda: (database.seen().details, database.query(COMMENTS)))
