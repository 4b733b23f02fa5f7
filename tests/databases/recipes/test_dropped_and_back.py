"""A release that drops a table is taken back: what was done to the table stays undone with it, and everything else is as it was."""

from __future__ import annotations

import pytest
from recipes.rig import Place, accepted, apply, gates, there_and_back

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


TWO = "CREATE TABLE made (id integer PRIMARY KEY, total integer);"
MADE = {
    "view": f"{TWO} CREATE VIEW of_it AS SELECT total FROM made; DROP VIEW of_it; DROP TABLE made;",
    "columns": f"{TWO} ALTER TABLE made ADD COLUMN more integer; CREATE INDEX by_more ON made (more); ALTER TABLE made RENAME COLUMN total TO sum_of; DROP TABLE made;",
    "another name": f"{TWO} ALTER TABLE made RENAME TO other; CREATE INDEX by_total ON other (total); DROP TABLE other;",
    "twice": f"{TWO} DROP TABLE made; CREATE TABLE made (word varchar(9)); INSERT INTO made VALUES ('a'); DROP TABLE made;",
}
KEYS = {
    "foreign key": "CREATE TABLE made (id integer PRIMARY KEY, total integer UNIQUE); ALTER TABLE people ADD CONSTRAINT k FOREIGN KEY (age) REFERENCES made (total); {} DROP TABLE made;",
}
POSTGRESQL = {
    "cascade": f"{TWO} CREATE VIEW of_it AS SELECT total FROM made; CREATE VIEW over_it AS SELECT total FROM of_it; DROP TABLE made CASCADE;",
    "key by cascade": "CREATE TABLE made (total integer UNIQUE); ALTER TABLE orders ADD CONSTRAINT k FOREIGN KEY (total) REFERENCES made (total) NOT VALID; DROP TABLE made CASCADE;",
    "sequence": "CREATE TABLE made (id serial, total integer); ALTER SEQUENCE made_id_seq INCREMENT 2; DROP TABLE made;",
    "policy": f"{TWO} ALTER TABLE made ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON made USING (total > 1); DROP TABLE made;",
    "partition": "CREATE TABLE part_2 PARTITION OF parted FOR VALUES FROM (100) TO (200); ALTER TABLE parted DETACH PARTITION part_2; DROP TABLE part_2;",
    "attached": "CREATE TABLE part_2 (id integer NOT NULL, total integer); ALTER TABLE parted ATTACH PARTITION part_2 FOR VALUES FROM (100) TO (200); DROP TABLE part_2;",
    "partitions": "CREATE TABLE made (id integer) PARTITION BY RANGE (id); CREATE TABLE made_1 PARTITION OF made FOR VALUES FROM (1) TO (9); CREATE INDEX ON made (id); DROP TABLE made;",
    "trigger": f"{TWO} CREATE TRIGGER t BEFORE UPDATE OF total ON made FOR EACH ROW EXECUTE FUNCTION nothing(); ALTER TABLE made DISABLE TRIGGER t; DROP TABLE made;",
    "schema": "CREATE SCHEMA s; CREATE TABLE s.made (id integer); CREATE VIEW s.of_it AS SELECT id FROM s.made; DROP SCHEMA s CASCADE;",
    "publication": f"{TWO} CREATE PUBLICATION p FOR TABLE made; DROP PUBLICATION p; DROP TABLE made;",
}
FUNCTION = "CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"
PARTED = "CREATE TABLE parted (id integer NOT NULL, total integer) PARTITION BY RANGE (id); CREATE TABLE part_1 PARTITION OF parted FOR VALUES FROM (0) TO (100); CREATE INDEX parted_total ON parted (total);"


def made_and_gone(place: Place, change: str, more: str = "") -> None:
    database, naive, start = (place.fresh(SCHEMA + more) for _ in range(3))
    naive.run(change)
    plan = database.plan(change)
    assert apply(plan, database, open_gates=gates(plan)).state == "done"
    assert (database.structure(), database.rows()) == (naive.structure(), naive.rows())
    before = (start.structure(), start.rows())
    there_and_back(start, change)
    assert (start.structure(), start.rows()) == before and start.left() == []


@pytest.mark.parametrize("name", MADE)
def test_a_table_of_the_release_that_goes_again_is_whole_on_the_way_back(place: Place, name: str) -> None:
    """What came between is taken back as ever, and needs its columns."""
    made_and_gone(place, MADE[name])


@pytest.mark.on("postgresql", "mysql", "mariadb")
def test_so_is_one_that_a_foreign_key_pointed_at(place: Place) -> None:
    drop = "DROP CONSTRAINT k" if place.vendor == "postgresql" else "DROP FOREIGN KEY k, DROP INDEX k"
    more = "DELETE FROM people;"
    made_and_gone(place, KEYS["foreign key"].format(f"ALTER TABLE people {drop};"), more)


@pytest.mark.on("postgresql")
@pytest.mark.parametrize("name", POSTGRESQL)
def test_so_is_all_that_it_had(place: Place, name: str) -> None:
    made_and_gone(place, POSTGRESQL[name], FUNCTION + PARTED)


@pytest.mark.on("postgresql")
def test_rows_of_before_that_go_with_it_are_a_loss(place: Place) -> None:
    database = place.fresh(SCHEMA)
    plan = database.plan(
        "DROP VIEW others; CREATE TABLE made (id integer NOT NULL, age integer) PARTITION BY RANGE (id); ALTER TABLE made ATTACH PARTITION people FOR VALUES FROM (0) TO (9); DROP TABLE made;"
    )
    assert accepted(plan) == ("drop_table public.made",)


def test_rows_that_went_from_copy_to_copy_stay(place: Place) -> None:
    """Nobody else has them."""
    database = place.fresh(SCHEMA)
    there_and_back(
        database,
        f"{GONE.replace('DROP TABLE orders;', '')} CREATE TABLE one (id integer, note varchar(20)); INSERT INTO one SELECT id, note FROM orders; "
        "CREATE TABLE two (id integer, note varchar(20)); INSERT INTO two SELECT id, note FROM one; DROP TABLE one; DROP TABLE orders;",
    )
    assert database.query("SELECT id, note FROM two") == [(1, "a")]
