"""Objects of PostgreSQL that have no table under another name, in another schema, or of another owner: later statements of the release find them there,
and a rollback takes them back."""

from __future__ import annotations

import pytest
from recipes.rig import Database, Place, accepted, apply, gates, there_and_back

pytestmark = pytest.mark.on("postgresql")
SCHEMA = """
CREATE SCHEMA app;
CREATE TABLE a (id integer PRIMARY KEY, v integer);
CREATE TABLE app.c (id serial PRIMARY KEY);
CREATE FUNCTION f(a integer) RETURNS integer LANGUAGE sql AS 'SELECT a';
CREATE PROCEDURE pr(a integer) LANGUAGE sql AS 'SELECT a';
CREATE FUNCTION app.stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER stamped BEFORE INSERT ON a FOR EACH ROW EXECUTE FUNCTION app.stamp();
CREATE TYPE mood AS ENUM ('x', 'y');
CREATE TYPE pair AS (x integer, y text);
CREATE TABLE holds (id integer, p pair, m mood DEFAULT 'x');
CREATE DOMAIN dom AS integer CONSTRAINT positive CHECK (VALUE > 0);
CREATE STATISTICS st ON id, v FROM a;
CREATE RULE quiet AS ON DELETE TO a DO INSTEAD NOTHING;
CREATE MATERIALIZED VIEW seen AS SELECT id, v FROM a;
CREATE INDEX seen_v ON seen (v);
INSERT INTO a VALUES (1, 2);
"""


def _carried_out(place: Place, change: str) -> Database:
    """As the naive migration leaves it."""
    planned, naive = place.fresh(SCHEMA), place.fresh(SCHEMA)
    naive.run(change)
    plan = planned.plan(change)
    assert apply(plan, planned, open_gates=gates(plan)).state == "done"
    found, expected = planned.seen(), naive.seen()
    assert (found.structure, found.details, found.rows) == (expected.structure, expected.details, expected.rows)
    return planned


@pytest.mark.parametrize(
    "change",
    [
        "ALTER FUNCTION f(integer) SET SCHEMA app;",
        "ALTER FUNCTION f(integer) RENAME TO g; DROP FUNCTION g(integer);",
        "ALTER FUNCTION f(integer) SET SCHEMA app; DROP FUNCTION app.f(integer);",
        "ALTER FUNCTION f(integer) RENAME TO g; CREATE FUNCTION f(a integer) RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint';",
        "ALTER PROCEDURE pr SET SCHEMA app;",
        "ALTER FUNCTION app.stamp() RENAME TO stamp2; DROP TRIGGER stamped ON a;",
        "ALTER TYPE mood SET SCHEMA app; ALTER TABLE a ADD COLUMN m app.mood DEFAULT 'x';",
        "ALTER TYPE mood SET SCHEMA app; ALTER TYPE app.mood RENAME VALUE 'x' TO 'xx';",
        "ALTER TYPE mood SET SCHEMA app; CREATE TYPE mood AS ENUM ('n');",
        "ALTER TYPE mood OWNER TO pg_monitor;",
        "ALTER DOMAIN dom SET SCHEMA app; ALTER DOMAIN app.dom SET NOT NULL;",
        "ALTER DOMAIN dom RENAME CONSTRAINT positive TO above; ALTER DOMAIN dom DROP CONSTRAINT above;",
        "ALTER DOMAIN dom OWNER TO pg_monitor;",
        "ALTER TYPE pair ADD ATTRIBUTE z integer;",
        "ALTER TYPE pair ADD ATTRIBUTE z integer, ADD ATTRIBUTE w text CASCADE;",
        "ALTER SCHEMA app RENAME TO app2; CREATE TABLE app2.x (id integer);",
        "ALTER SCHEMA app RENAME TO app2; ALTER TABLE app2.c ADD COLUMN z integer; CREATE SCHEMA app;",
        "ALTER STATISTICS st RENAME TO st2; DROP STATISTICS st2;",
        "ALTER STATISTICS st SET SCHEMA app;",
        "ALTER RULE quiet ON a RENAME TO still; DROP RULE still ON a;",
        "CREATE RULE ru AS ON UPDATE TO a DO INSTEAD NOTHING; ALTER RULE ru ON a RENAME TO ru2; DROP RULE ru2 ON a;",
        "DROP INDEX seen_v;",
        "ALTER INDEX seen_v RENAME TO seen_by_v; DROP INDEX seen_by_v;",
    ],
)
def test_there_and_back(place: Place, change: str) -> None:
    _carried_out(place, change)
    database = place.fresh(SCHEMA)
    before = database.seen()
    assert accepted(there_and_back(database, change)) == ()
    after = database.seen()
    assert (after.structure, after.details, after.rows) == (before.structure, before.details, before.rows)


@pytest.mark.parametrize(
    "change",
    [
        "ALTER SCHEMA app RENAME TO app2; DROP SCHEMA app2 CASCADE;",
        "ALTER TYPE pair ADD ATTRIBUTE z integer; ALTER TYPE pair RENAME ATTRIBUTE z TO zz; ALTER TYPE pair DROP ATTRIBUTE zz;",
        "CREATE TYPE of_rows AS (p integer); ALTER TYPE of_rows ADD ATTRIBUTE q text; CREATE TABLE tt OF of_rows; ALTER TABLE tt ADD PRIMARY KEY (q);",
        "CREATE TABLE copied AS SELECT * FROM a; COMMENT ON COLUMN copied.v IS 'x';",
        "DO $$ BEGIN ALTER TABLE a ADD COLUMN w integer; END $$; COMMENT ON COLUMN a.w IS 'x'; ALTER TABLE a DROP COLUMN w;",
    ],
)
def test_the_way_back_does_not_stop_at_what_is_lost(place: Place, change: str) -> None:
    _carried_out(place, change)
    there_and_back(place.fresh(SCHEMA), change)


NAMED_ALIKE = """
CREATE SCHEMA app;
CREATE TABLE customers (id integer PRIMARY KEY);
CREATE TABLE app.customers (id integer PRIMARY KEY);
"""


@pytest.mark.parametrize(
    "change",
    [
        "SET search_path = app, public; ALTER TABLE customers ADD COLUMN x integer; RESET search_path; ALTER TABLE customers RENAME TO people;",
        "SET search_path = app; ALTER TABLE customers ADD COLUMN x integer; SET search_path TO DEFAULT; ALTER TABLE customers ADD COLUMN y bigserial;",
        "SET search_path = app; ALTER TABLE customers ADD COLUMN x integer; RESET ALL; ALTER TABLE customers ALTER COLUMN id TYPE bigint;",
        "BEGIN; SET LOCAL search_path = app; ALTER TABLE customers ADD COLUMN x integer; COMMIT; ALTER TABLE customers RENAME TO people;",
    ],
)
def test_names_are_looked_up_where_the_statement_would(place: Place, change: str) -> None:
    planned, naive = place.fresh(NAMED_ALIKE), place.fresh(NAMED_ALIKE)
    naive.run(change)
    plan = planned.plan(change)
    assert apply(plan, planned, open_gates=gates(plan)).state == "done"
    assert planned.seen() == naive.seen()
