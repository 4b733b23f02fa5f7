"""SQLite tells no letters apart in names: what says a column in others than its table does follows it, or goes with it, all the same."""

from __future__ import annotations

from contextlib import closing

import pytest
from recipes.rig import Place, PlainSession, accepted, apply, changed_and_back, gates, take_back

from driftflow.errors import RefusedError

pytestmark = pytest.mark.on("sqlite")
SCHEMA = """
CREATE TABLE items (
  id INTEGER PRIMARY KEY, fullName TEXT, unitPrice INTEGER,
  priceTwice INTEGER AS (unitPrice * 2), priceOften INTEGER AS (PriceTwice * 2) STORED,
  CHECK (UNITPRICE > 0)
);
CREATE TABLE log (what TEXT);
CREATE INDEX by_name ON items (lower(FULLNAME)) WHERE fullName <> '';
CREATE INDEX by_often ON items (priceOften, id);
CREATE VIEW dear AS SELECT i.ID, i.unitprice AS p FROM Items i WHERE UnitPrice > 5;
CREATE TRIGGER noted AFTER UPDATE OF UNITPRICE ON items WHEN OLD.unitPrice <> new.UnitPrice BEGIN INSERT INTO log VALUES (NEW.unitprice); END;
INSERT INTO items (id, fullName, unitPrice) VALUES (1, 'One', 3), (2, 'Two', 30);
"""


@pytest.mark.parametrize("column", ["fullName", "unitPrice", "FULLNAME"])
def test_a_column_goes_with_all_that_says_it_and_comes_back(place: Place, column: str) -> None:
    """Of a generated column that is computed from it all that hangs on that one too."""
    database = place.fresh(SCHEMA)
    change = f"-- driftflow: cascade\n-- driftflow: archive\nALTER TABLE items DROP COLUMN {column};"
    changed_and_back(database, change, lambda: (database.structure(), database.rows()))
    assert database.query("SELECT id, p FROM dear") == [(2, 30)]


def test_what_stands_in_the_way_of_a_drop_is_named(place: Place) -> None:
    database = place.fresh(SCHEMA)
    with pytest.raises(RefusedError, match="DF-E643") as refused:
        database.plan("ALTER TABLE items DROP COLUMN unitPrice;")
    for one in (
        "view main.dear",
        "trigger noted",
        "generated column priceTwice",
        "generated column priceOften",
        "index by_often",
    ):
        assert one in str(refused.value)


@pytest.mark.parametrize("column", ["fullName", "unitPrice"])
def test_a_column_gets_another_name_beside_the_old_one(place: Place, column: str) -> None:
    database, naive = place.fresh(SCHEMA), place.fresh(SCHEMA)
    change = f"ALTER TABLE items RENAME COLUMN {column} TO newName;"
    plan = database.plan(change)
    assert {step.strategy for step in plan.steps} >= {"dual_columns"}
    assert apply(plan, database, open_gates=gates(plan)).state == "done" and accepted(plan) == ()
    naive.run(change)
    for one in (database, naive):
        one.run("UPDATE items SET newName = 77 WHERE id = 1;")
    assert database.seen().rows == naive.seen().rows
    assert database.query("SELECT * FROM dear ORDER BY 1") == naive.query("SELECT * FROM dear ORDER BY 1")
    with closing(PlainSession(database.url)) as session:
        session.run(("INSERT INTO items (id, newName) VALUES (9, 8)",))


@pytest.mark.on("sqlite", "mysql-9", "mariadb-10")
def test_a_column_gets_its_name_in_other_letters(place: Place) -> None:
    """To the server it is one name, so there are no two columns of it."""
    schema = "CREATE TABLE plain (id integer PRIMARY KEY, n integer); INSERT INTO plain VALUES (1, 2);"
    database, naive, start = (place.fresh(schema) for _ in range(3))
    rename = "ALTER TABLE plain RENAME COLUMN n TO N;"
    plan = database.plan(rename)
    report = apply(plan, database, open_gates=gates(plan))
    naive.run(rename)
    assert report.state == "done" and database.seen() == naive.seen()
    assert take_back(report.run, database, open_gates=gates(plan)).state == "rolled_back"
    assert database.seen() == start.seen()


@pytest.mark.parametrize("clause", ["IGNORE", "REPLACE"])
def test_what_not_null_does_on_conflict_stays(place: Place, clause: str) -> None:
    schema = (
        f"CREATE TABLE plain (id INTEGER PRIMARY KEY, n INTEGER NOT NULL ON CONFLICT {clause}); INSERT INTO plain VALUES (1, 2);"
    )
    database, naive = place.fresh(schema), place.fresh(schema)
    plan = database.plan("ALTER TABLE plain RENAME COLUMN n TO m;")
    assert apply(plan, database, open_gates=gates(plan)).state == "done"
    naive.run("ALTER TABLE plain RENAME COLUMN n TO m;")
    assert database.seen() == naive.seen()
