"""What a rollback makes again on PostgreSQL has its owner, its rights and its comment: anybody may call a function that is only made. What it changes
back is as it was."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from recipes.rig import Database, Place, accepted, apply, changed_and_back, gates, take_back

pytestmark = pytest.mark.on("postgresql")
SCHEMA = """
CREATE FUNCTION secret(a integer, b text DEFAULT 'x') RETURNS integer LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog AS 'SELECT a';
COMMENT ON FUNCTION secret(integer, text) IS 'it''s mine';
REVOKE ALL ON FUNCTION secret(integer, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secret(integer, text) TO caller WITH GRANT OPTION;
ALTER FUNCTION secret(integer, text) OWNER TO keeper;
CREATE FUNCTION secret(a integer) RETURNS integer LANGUAGE sql AS 'SELECT a';
CREATE FUNCTION many(at timestamptz, ratio double precision, list integer[], name varchar(20), VARIADIC rest numeric(10, 2)[]) RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION several(IN a integer, OUT b integer, INOUT c text) LANGUAGE sql AS 'SELECT 1, ''x''::text';
CREATE PROCEDURE "Put"(INOUT a integer) LANGUAGE sql AS 'SELECT 1';
GRANT EXECUTE ON PROCEDURE "Put"(integer) TO caller;
ALTER PROCEDURE "Put"(integer) OWNER TO keeper;
CREATE AGGREGATE total (integer) (sfunc = int4pl, stype = integer, initcond = '0');
"""
STATE = """
SELECT p.oid::regprocedure::text, pg_get_userbyid(p.proowner), (SELECT array_agg(a::text ORDER BY a::text) FROM unnest(p.proacl) AS a),
  obj_description(p.oid, 'pg_proc'), CASE WHEN p.prokind <> 'a' THEN pg_get_functiondef(p.oid) END
FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace ORDER BY 1
"""


@pytest.fixture
def code(place: Place) -> Iterator[Database]:
    database = place.fresh()
    for role in ("keeper", "caller"):
        if not database.query(f"SELECT 1 FROM pg_roles WHERE rolname = '{role}'"):
            database.run(f"CREATE ROLE {role};")
    database.run("GRANT CREATE ON SCHEMA public TO keeper; GRANT CREATE ON SCHEMA public TO caller;")
    database.run(SCHEMA)
    yield database
    database.run("DROP OWNED BY keeper, caller; DROP ROLE keeper, caller;")


@pytest.mark.parametrize(
    "change",
    [
        "DROP FUNCTION secret(integer, text);",
        "DROP FUNCTION secret(int);",
        "DROP FUNCTION secret(a int, b text);",
        "DROP FUNCTION many(timestamptz, float8, int[], varchar, numeric[]);",
        "DROP FUNCTION many(at timestamp with time zone, double precision, integer[], character varying(20), VARIADIC rest numeric[]);",
        "DROP FUNCTION IF EXISTS several(integer, text);",
        "DROP ROUTINE several;",
        'DROP PROCEDURE "Put";',
        "CREATE OR REPLACE FUNCTION secret(a int, b text DEFAULT 'y') RETURNS int LANGUAGE sql AS 'SELECT 2';",
        "CREATE OR REPLACE FUNCTION many(at timestamptz, ratio float8, list int[], name varchar, VARIADIC rest numeric[]) RETURNS int LANGUAGE sql AS 'SELECT 2';",
        "CREATE OR REPLACE FUNCTION several(IN a integer, OUT b integer, INOUT c text) LANGUAGE sql AS 'SELECT 2, ''y''::text';",
        "CREATE OR REPLACE PROCEDURE \"Put\"(INOUT a int) LANGUAGE sql AS 'SELECT 2';",
        "ALTER FUNCTION several IMMUTABLE STRICT SECURITY DEFINER SET work_mem = '8MB' COST 7;",
        'ALTER PROCEDURE public."Put"(int) SECURITY DEFINER SET search_path = pg_catalog;',
        'ALTER PROCEDURE "Put" RENAME TO "Give";',
        "ALTER ROUTINE several(integer, text) RENAME TO others;",
        "ALTER FUNCTION several(integer, text) OWNER TO caller;",
        'ALTER PROCEDURE "Put"(int) OWNER TO caller;',
        "ALTER FUNCTION secret(int) COST 7;",
        "ALTER FUNCTION secret(integer, b text) SECURITY INVOKER RESET search_path;",
        "ALTER FUNCTION secret(a integer) RENAME TO open;",
        "ALTER ROUTINE secret(int) OWNER TO caller;",
    ],
)
def test_with_owner_rights_and_comment(code: Database, change: str) -> None:
    changed_and_back(code, change, lambda: code.query(STATE))


def test_which_of_several_is_not_known_and_the_plan_says_so(code: Database) -> None:
    assert accepted(code.plan("ALTER FUNCTION secret COST 7;")) != ()


MORE = """
CREATE TYPE mood AS ENUM ('sad', 'ok');
COMMENT ON TYPE mood IS 'm';
REVOKE USAGE ON TYPE mood FROM PUBLIC;
GRANT USAGE ON TYPE mood TO caller;
ALTER TYPE mood OWNER TO keeper;
CREATE DOMAIN cents AS integer CHECK (VALUE > 0);
COMMENT ON DOMAIN cents IS 'c';
ALTER DOMAIN cents OWNER TO keeper;
CREATE TABLE t (id integer PRIMARY KEY, v integer) WITH (fillfactor = 80);
CREATE INDEX i ON t (v) WITH (fillfactor = 70);
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER trg BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION f();
COMMENT ON TRIGGER trg ON t IS 'tt';
ALTER TABLE t ENABLE ALWAYS TRIGGER trg;
CREATE VIEW w WITH (security_barrier) AS SELECT id FROM t;
ALTER VIEW w OWNER TO keeper;
CREATE TRIGGER written INSTEAD OF INSERT ON w FOR EACH ROW EXECUTE FUNCTION f();
"""
COMMENTS = "SELECT (pg_identify_object(classoid, objoid, objsubid)).identity, description FROM pg_description WHERE objoid >= 16384 ORDER BY 1"


@pytest.mark.parametrize(
    "change",
    [
        "DROP TYPE mood;",
        "DROP DOMAIN cents;",
        "DROP TRIGGER trg ON t;",
        "CREATE OR REPLACE TRIGGER trg BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f();",
        "DROP TRIGGER written ON w;",
        "DROP VIEW w;",
        "DROP TRIGGER trg ON t; CREATE TRIGGER trg AFTER DELETE ON t FOR EACH ROW EXECUTE FUNCTION f();",
        "ALTER VIEW w SET (security_barrier = false, check_option = local);",
        "ALTER VIEW w RESET (security_barrier);",
        "ALTER VIEW w OWNER TO caller;",
        "ALTER TABLE t RESET (fillfactor);",
        "ALTER TABLE t SET (fillfactor = 90, autovacuum_enabled = off);",
        "ALTER INDEX i SET (fillfactor = 50);",
        "ALTER INDEX i RESET (fillfactor);",
    ],
)
def test_what_is_dropped_or_set_is_as_it_was(code: Database, change: str) -> None:
    code.run(MORE)
    comments = code.query(COMMENTS)
    changed_and_back(code, change, code.seen)
    assert code.query(COMMENTS) == comments


STATISTICS = """
CREATE SCHEMA other;
CREATE TABLE other.t (a integer, b integer);
CREATE TABLE s (a integer, b integer);
CREATE STATISTICS st ON a, b FROM s;
CREATE STATISTICS other.st ON a, b FROM other.t;
ALTER STATISTICS st SET STATISTICS 66;
"""
SEEN = "SELECT stxnamespace::regnamespace::text, stxname, stxstattarget, pg_get_userbyid(stxowner), pg_get_statisticsobjdef(oid) FROM pg_statistic_ext ORDER BY 1, 2"


@pytest.mark.parametrize(
    ("change", "changes"),
    [
        ("DROP STATISTICS st;", True),
        ("DROP STATISTICS st; DROP STATISTICS other.st;", True),
        ("DROP STATISTICS IF EXISTS nothing;", False),
        ("CREATE STATISTICS IF NOT EXISTS st ON a, b FROM s;", False),
        ("ALTER STATISTICS st SET STATISTICS 7; ALTER STATISTICS st SET STATISTICS 8;", True),
        ("ALTER STATISTICS other.st SET STATISTICS 7;", True),
        ("ALTER STATISTICS st RENAME TO named; ALTER STATISTICS named SET STATISTICS 9;", True),
        ("ALTER STATISTICS st OWNER TO caller;", True),
    ],
)
def test_extended_statistics_are_as_they_were(code: Database, change: str, changes: bool) -> None:
    """Those that are meant, and no others of the name in another schema."""
    code.run(STATISTICS)
    before = code.query(SEEN)
    plan = code.plan(change)
    assert accepted(plan) == ()
    report = apply(plan, code, open_gates=gates(plan))
    assert (code.query(SEEN) != before) is changes
    assert take_back(report.run, code, open_gates=gates(plan)).state == "rolled_back"
    assert code.query(SEEN) == before
