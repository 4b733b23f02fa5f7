"""A release that drops a table is taken back: what was done to the table stays undone with it, and everything else is as it was."""

from __future__ import annotations

import pytest
from recipes.rig import Place, apply, gates, there_and_back

SCHEMA = """
CREATE TABLE people (id integer PRIMARY KEY, age integer);
CREATE TABLE orders (id integer PRIMARY KEY, note varchar(20), total integer);
CREATE VIEW shown AS SELECT id, note FROM orders;
CREATE VIEW first_shown AS SELECT id FROM shown;
CREATE VIEW others AS SELECT id FROM people;
INSERT INTO people VALUES (1, 20);
INSERT INTO orders VALUES (1, 'a', 5);
"""
GONE = "DROP VIEW first_shown; DROP VIEW shown; DROP TABLE orders;"
BEFORE = {
    "index": "CREATE INDEX by_note ON orders (note);",
    "column": "ALTER TABLE orders RENAME COLUMN note TO remark;",
    "new column": "ALTER TABLE orders ADD COLUMN more integer; UPDATE orders SET more = 1;",
    "another name": "DROP VIEW first_shown; DROP VIEW shown; CREATE INDEX by_note ON orders (note); ALTER TABLE orders RENAME TO purchases; DROP TABLE purchases;",
    "of another table": "DROP VIEW others; CREATE INDEX by_age ON people (age); ALTER TABLE people ADD COLUMN nick varchar(9);",
}


@pytest.mark.parametrize("name", BEFORE)
def test_the_rest_is_as_it_was(place: Place, name: str) -> None:
    database, start = place.fresh(SCHEMA), place.fresh(SCHEMA)
    start.run(GONE)
    there_and_back(database, BEFORE[name] + ("" if "DROP TABLE" in BEFORE[name] else GONE))
    assert (database.structure(), database.rows()) == (start.structure(), start.rows())
    assert database.left() == []


BESIDE = """
CREATE TABLE t (id int PRIMARY KEY, v varchar(10), n int, twice int GENERATED ALWAYS AS (n * 2) STORED, e text);
INSERT INTO t (id, v, n, e) VALUES (1, 'a', 1, 'x'), (2, 'b', 2, 'y');
"""


@pytest.mark.on("mysql", "mariadb")
@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE t DROP COLUMN twice; ALTER TABLE t ADD COLUMN tag int; UPDATE t SET tag = id; ALTER TABLE t MODIFY tag int NOT NULL;",
        "ALTER TABLE t DROP COLUMN v; ALTER TABLE t ADD COLUMN g int GENERATED ALWAYS AS (n + 1) VIRTUAL, ADD KEY by_g (g);",
        "ALTER TABLE t DROP COLUMN twice, MODIFY v varchar(10) NOT NULL;",
        "ALTER TABLE t DROP COLUMN v; ALTER TABLE t ADD FULLTEXT KEY words (e);",
    ],
)
def test_what_waits_behind_the_gate_meets_what_came_after_it_in_the_file(place: Place, change: str) -> None:
    """Each is held to what the server accepts for the table of that moment."""
    naive, planned = place.fresh(BESIDE), place.fresh(BESIDE)
    naive.run(change)
    plan = planned.plan(change)
    assert apply(plan, planned, open_gates=gates(plan)).state == "done"
    assert planned.structure() == naive.structure()
    back, start = place.fresh(BESIDE), place.fresh(BESIDE)
    there_and_back(back, change)
    if "FULLTEXT" not in change:  # where the table is made anew, a column that is lost does not come back empty
        assert (back.structure(), back.left()) == (start.structure(), [])


COUNTED = "CREATE SEQUENCE s START WITH 10; CREATE TABLE t (id int PRIMARY KEY, n bigint DEFAULT nextval({s})); INSERT INTO t (id) VALUES (1), (2);"


@pytest.mark.on("mariadb", "postgresql-18")
@pytest.mark.parametrize(
    "change", ["ALTER TABLE t ALTER COLUMN n DROP DEFAULT; DROP SEQUENCE s;", "ALTER TABLE t DROP COLUMN n; DROP SEQUENCE s;"]
)
def test_a_default_that_a_dropped_sequence_gave(place: Place, change: str) -> None:
    """Once the default came back and its sequence did not, so the rollback stopped there; now it counts from its beginning."""
    schema = COUNTED.replace("{s}", "'s'" if place.vendor == "postgresql" else "s")
    database, start = place.fresh(schema), place.fresh(schema)
    there_and_back(database, change)
    assert database.structure() == start.structure()
    database.run("INSERT INTO t (id) VALUES (3);")
    assert database.query("SELECT n FROM t WHERE id = 3") == [(10,)]


COMPUTED = (
    "CREATE TABLE t (id int PRIMARY KEY, c int DEFAULT (1 + 1), d varchar(40) DEFAULT (uuid())); INSERT INTO t (id) VALUES (1);"
)


@pytest.mark.on("mysql", "mariadb-10")
@pytest.mark.parametrize("columns", [("c",), ("d",), ("c", "d")])
def test_a_column_with_a_default_that_is_computed_comes_back_empty(place: Place, columns: tuple[str, ...]) -> None:
    """MySQL knows a column only behind the statement that adds it (1054), and MariaDB would fill it there."""
    database, start = place.fresh(COMPUTED), place.fresh(COMPUTED)
    there_and_back(database, f"ALTER TABLE t {', '.join(f'DROP COLUMN {one}' for one in columns)};")
    assert database.structure() == start.structure()
