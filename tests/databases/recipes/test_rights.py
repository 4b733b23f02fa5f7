"""Rights on what is no table come back on PostgreSQL: of functions, procedures, types and schemas, of all that a schema holds, and of what is made from now on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from recipes.rig import Database, Place, apply, changed_and_back, gates, take_back

pytestmark = pytest.mark.on("postgresql")
SCHEMA = """
CREATE SCHEMA "Own app";
GRANT USAGE ON SCHEMA "Own app" TO rights_reader;
CREATE TABLE notes (id integer PRIMARY KEY, name text, secret text);
CREATE TABLE "Own app".orders (id serial PRIMARY KEY, name text);
CREATE VIEW "Own app".seen AS SELECT id FROM "Own app".orders;
GRANT SELECT ON notes TO rights_reader;
GRANT INSERT (id, name) ON notes TO rights_reader;
GRANT UPDATE (name) ON notes TO rights_reader WITH GRANT OPTION;
CREATE FUNCTION "Own app".f(n integer) RETURNS integer LANGUAGE sql AS 'SELECT n';
CREATE FUNCTION "Own app".f(n text) RETURNS text LANGUAGE sql AS 'SELECT n';
CREATE FUNCTION closed() RETURNS integer LANGUAGE sql AS 'SELECT 1';
REVOKE ALL ON FUNCTION closed() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION closed() TO rights_reader WITH GRANT OPTION;
CREATE PROCEDURE pr(n integer) LANGUAGE sql AS 'SELECT n';
CREATE TYPE mood AS ENUM ('x');
CREATE DOMAIN dom AS integer;
ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO rights_reader;
ALTER DEFAULT PRIVILEGES IN SCHEMA "Own app" GRANT EXECUTE ON FUNCTIONS TO "rights Writer" WITH GRANT OPTION;
ALTER DEFAULT PRIVILEGES FOR ROLE rights_reader REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
"""
ROLES = ("rights_reader", '"rights Writer"')
RIGHTS = """
SELECT 'relation', c.oid::regclass::text, '', a::text FROM pg_class c, unnest(coalesce(c.relacl, acldefault(CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", c.relowner))) a
WHERE c.relnamespace::regnamespace::text IN ('public', '"Own app"')
UNION ALL SELECT 'column', c.attrelid::regclass::text, c.attname, a::text FROM pg_attribute c, unnest(c.attacl) a WHERE c.attrelid >= 16384
UNION ALL SELECT 'function', p.oid::regprocedure::text, '', a::text FROM pg_proc p, unnest(coalesce(p.proacl, acldefault('f', p.proowner))) a WHERE p.oid >= 16384
UNION ALL SELECT 'type', t.oid::regtype::text, '', a::text FROM pg_type t, unnest(coalesce(t.typacl, acldefault('T', t.typowner))) a WHERE t.oid >= 16384 AND t.typtype IN ('e', 'd')
UNION ALL SELECT 'schema', n.nspname, '', a::text FROM pg_namespace n, unnest(coalesce(n.nspacl, acldefault('n', n.nspowner))) a WHERE n.nspname IN ('public', 'Own app')
UNION ALL SELECT 'default', concat(d.defaclrole::regrole, d.defaclnamespace::regnamespace), d.defaclobjtype::text, a::text FROM pg_default_acl d, unnest(d.defaclacl) a
ORDER BY 1, 2, 3, 4
"""


@pytest.fixture
def home(place: Place) -> Iterator[Database]:
    database = place.fresh()
    for role in ROLES:
        database.run(f"CREATE ROLE {role};")
    database.run(SCHEMA)
    yield database
    for role in ROLES:
        database.run(f"DROP OWNED BY {role}; DROP ROLE {role};")


CHANGES = (
    'GRANT EXECUTE ON FUNCTION "Own app".f(integer) TO "rights Writer"',
    'REVOKE EXECUTE ON FUNCTION "Own app".f(integer) FROM PUBLIC',
    'REVOKE ALL ON FUNCTION "Own app".f(integer), "Own app".f(text), closed FROM PUBLIC, rights_reader',
    "REVOKE GRANT OPTION FOR EXECUTE ON FUNCTION closed FROM rights_reader",
    'GRANT EXECUTE ON FUNCTION closed() TO rights_reader, PUBLIC, "rights Writer"',
    'GRANT EXECUTE ON FUNCTION closed TO rights_reader, "rights Writer" WITH GRANT OPTION',
    "REVOKE ALL ON PROCEDURE pr FROM PUBLIC",
    'GRANT ALL ON ROUTINE pr(integer) TO "rights Writer"',
    'GRANT USAGE ON TYPE mood TO "rights Writer"',
    "REVOKE ALL ON DOMAIN dom FROM PUBLIC",
    'GRANT USAGE, CREATE ON SCHEMA "Own app", public TO rights_reader, "rights Writer"',
    'GRANT USAGE ON SCHEMA "Own app" TO rights_reader WITH GRANT OPTION',
    'REVOKE ALL ON SCHEMA "Own app", public FROM PUBLIC, rights_reader',
    'GRANT ALL ON ALL TABLES IN SCHEMA "Own app", public TO rights_reader',
    'GRANT SELECT ON ALL SEQUENCES IN SCHEMA "Own app" TO "rights Writer"',
    'REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA public, "Own app" FROM PUBLIC, rights_reader',
    "REVOKE ALL ON ALL TABLES IN SCHEMA public FROM rights_reader",
    "GRANT SELECT, INSERT ON notes TO rights_reader WITH GRANT OPTION",
    'GRANT SELECT (id, secret), INSERT (name), UPDATE (name, id) ON notes TO rights_reader, "rights Writer"',
    "GRANT UPDATE (name), INSERT (name) ON notes TO rights_reader WITH GRANT OPTION",
    "GRANT ALL (name) ON notes TO rights_reader",
    "GRANT SELECT ON notes TO PUBLIC",
    'ALTER DEFAULT PRIVILEGES GRANT SELECT, INSERT ON TABLES TO rights_reader, "rights Writer"',
    'ALTER DEFAULT PRIVILEGES IN SCHEMA "Own app", public GRANT ALL ON TABLES TO "rights Writer"',
    'ALTER DEFAULT PRIVILEGES IN SCHEMA "Own app" REVOKE ALL ON FUNCTIONS FROM "rights Writer"',
    'ALTER DEFAULT PRIVILEGES IN SCHEMA "Own app" REVOKE GRANT OPTION FOR EXECUTE ON ROUTINES FROM "rights Writer"',
    "ALTER DEFAULT PRIVILEGES REVOKE SELECT ON TABLES FROM rights_reader",
    "ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC",
    "ALTER DEFAULT PRIVILEGES FOR ROLE rights_reader GRANT EXECUTE ON FUNCTIONS TO PUBLIC",
    'ALTER DEFAULT PRIVILEGES FOR ROLE rights_reader, "rights Writer" GRANT USAGE ON TYPES TO "rights Writer"',
    "ALTER DEFAULT PRIVILEGES FOR ROLE rights_reader REVOKE ALL ON TYPES FROM PUBLIC",
    'ALTER DEFAULT PRIVILEGES GRANT USAGE ON SCHEMAS TO "rights Writer"',
)


@pytest.mark.parametrize("change", CHANGES)
def test_it_is_as_it_was(home: Database, change: str) -> None:
    changed_and_back(home, f"{change};", lambda: home.query(RIGHTS))


def test_what_the_release_makes_keeps_the_rights_that_it_gives(home: Database) -> None:
    """On the way forward, and goes with them; nobody waits for a gate with rights on what is new."""
    before = home.query(RIGHTS)
    plan = home.plan(
        """CREATE FUNCTION made(n integer) RETURNS integer LANGUAGE sql AS 'SELECT n'; REVOKE ALL ON FUNCTION made(integer) FROM PUBLIC;
        CREATE TYPE new_mood AS ENUM ('y'); REVOKE ALL ON TYPE new_mood FROM PUBLIC; CREATE SCHEMA fresh; GRANT USAGE ON SCHEMA fresh TO rights_reader;"""
    )
    assert gates(plan) == ()
    report = apply(plan, home)
    assert home.query("SELECT has_function_privilege('rights_reader', 'made(integer)', 'EXECUTE')") == [(False,)]
    assert take_back(report.run, home).state == "rolled_back"
    assert home.query(RIGHTS) == before


def test_what_running_code_may_need_waits_for_the_gate(home: Database) -> None:
    plan = home.plan('REVOKE EXECUTE ON FUNCTION "Own app".f(integer) FROM PUBLIC;')
    assert gates(plan) != ()
