"""What else PostgreSQL holds to a column: rules, bodies of SQL and publications. It would go on with the old column when another one takes its place, so
the plan is refused as the statement is, or takes them along where that was asked for."""

from __future__ import annotations

import pytest
from recipes.rig import Place, Recipe, changed_and_back, refused, show

from driftflow.errors import RefusedError

pytestmark = pytest.mark.on("postgresql")
SCHEMA = """
CREATE TABLE items (id int PRIMARY KEY, price int NOT NULL, name text);
INSERT INTO items SELECT n, n * 3, 'item ' || n FROM generate_series(1, 200) AS n;
CREATE VIEW priced AS SELECT id, price FROM items;
CREATE TABLE log (price int);
"""
HELD = {
    "rule kept of public.items": "CREATE RULE kept AS ON DELETE TO items WHERE OLD.price > 100 DO INSTEAD NOTHING; COMMENT ON RULE kept ON items IS 'dear';",
    "rule noted of public.log": "CREATE RULE noted AS ON INSERT TO log DO ALSO UPDATE items SET price = NEW.price WHERE id = 1; ALTER TABLE log DISABLE RULE noted;",
    "rule seen of public.log": "CREATE RULE seen AS ON DELETE TO log DO ALSO UPDATE priced SET price = 7 WHERE id = 1;",
    "function public.total()": "CREATE FUNCTION total() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT sum(price) FROM items; END;",
    "function public.shown()": "CREATE FUNCTION shown() RETURNS bigint LANGUAGE sql RETURN (SELECT max(price) FROM priced);",
    "publication sent": "CREATE PUBLICATION sent FOR TABLE items (id, price);",
    "publication dear": "CREATE PUBLICATION dear FOR TABLE items WHERE (price > 100) WITH (publish = 'insert');",
}


@pytest.mark.parametrize("name", HELD)
def test_its_type_does_not_change_under_them(place: Place, name: str) -> None:
    database = place.fresh(SCHEMA + HELD[name])
    error = refused(database, "ALTER TABLE items ALTER COLUMN price TYPE bigint;")
    assert error.code == "DF-E321" and name in str(error)
    with pytest.raises(RefusedError, match="DF-E643"):
        database.plan("ALTER TABLE items DROP COLUMN price;")


@pytest.mark.parametrize(
    "drop",
    [
        "DROP RULE kept ON items;",
        "ALTER TABLE items RENAME COLUMN price TO cents; ALTER TABLE items RENAME COLUMN cents TO price; DROP RULE kept ON items;",
    ],
)
def test_it_changes_where_the_migration_takes_them_away(place: Place, drop: str) -> None:
    database = place.fresh(SCHEMA + HELD["rule kept of public.items"])
    changed_and_back(database, f"{drop} ALTER TABLE items ALTER COLUMN price TYPE bigint;", database.seen)


@pytest.mark.parametrize("name", [name for name in HELD if not name.startswith("publication")])
def test_they_go_and_come_again_with_it(place: Place, name: str) -> None:
    database = place.fresh(SCHEMA + HELD[name])
    change = "-- driftflow: cascade\n-- driftflow: archive\nALTER TABLE items DROP COLUMN price;"
    changed_and_back(database, change, lambda: (database.seen(), database.query(COMMENTS)))


COMMENTS = "SELECT description FROM pg_description WHERE classoid = 'pg_rewrite'::regclass AND objoid >= 16384 ORDER BY 1"


@pytest.mark.parametrize(
    "change",
    [
        "DROP RULE kept ON items;",
        "CREATE OR REPLACE RULE kept AS ON DELETE TO items DO INSTEAD NOTHING;",
        "CREATE RULE other AS ON UPDATE TO items DO ALSO NOTHING;",
        "DROP RULE noted ON log;",
    ],
)
def test_a_rule_is_taken_back(place: Place, change: str) -> None:
    database = place.fresh(SCHEMA + HELD["rule kept of public.items"] + HELD["rule noted of public.log"])
    changed_and_back(database, change, lambda: (database.seen(), database.query(COMMENTS)))


def test_a_generated_column_with_an_index_goes_and_comes_again(place: Place) -> None:
    database = place.fresh(
        SCHEMA
        + "ALTER TABLE items ADD COLUMN twice int GENERATED ALWAYS AS (price * 2) STORED; CREATE INDEX items_twice ON items (twice);"
    )
    change = "-- driftflow: cascade\n-- driftflow: archive\nALTER TABLE items DROP COLUMN price;"
    changed_and_back(database, change, database.seen)


@pytest.mark.parametrize(
    "after",
    [
        "ALTER TABLE items ADD COLUMN twice bigint GENERATED ALWAYS AS (price * 2) STORED;",
        "ALTER TABLE items ADD COLUMN low bigint CHECK (low < price);",
        "CREATE FUNCTION total() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT sum(price) FROM items; END;",
    ],
    ids=["generated", "check", "body"],
)
def test_what_a_later_statement_makes_of_it_is_of_the_new_one(place: Place, after: str) -> None:
    """It would be made of the column of before, which goes."""
    schema = SCHEMA.replace("CREATE VIEW priced AS SELECT id, price FROM items;", "")
    show(place, Recipe(schema=schema, migration=f"ALTER TABLE items ALTER COLUMN price TYPE bigint; {after}", old=WRITES))


WRITES = ("UPDATE items SET price = price + 1 WHERE id = {n} % 200 + 1",)
