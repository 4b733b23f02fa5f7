"""What a rollback makes again, or sets back, on SQLite: triggers on views, the numbers that the file keeps."""

from __future__ import annotations

import pytest
from recipes.rig import Database, Place, apply, changed_and_back, gates, take_back

import planning
from driftflow.config import Policy
from driftflow.errors import RefusedError, StepFailedError
from driftflow.writers.from_plan import rewrite_from_plan

pytestmark = pytest.mark.on("sqlite")
SCHEMA = """
CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER);
INSERT INTO t VALUES (1, 1);
CREATE VIEW w (a, b) AS SELECT id, v FROM t WHERE v > 0;
CREATE TRIGGER written INSTEAD OF INSERT ON w BEGIN INSERT INTO t (v) VALUES (NEW.b); END;
CREATE TRIGGER noted AFTER UPDATE OF v ON t WHEN NEW.v > 5 BEGIN SELECT 1; END;
PRAGMA user_version = 3;
"""


def seen(database: Database) -> tuple[object, ...]:
    numbers = [database.query(f"PRAGMA {name}") for name in ("user_version", "application_id")]
    return (database.structure(), database.rows(), numbers)


@pytest.mark.parametrize(
    "change",
    [
        "DROP TRIGGER written;",
        "DROP TRIGGER noted;",
        "DROP VIEW w;",
        "DROP TRIGGER written; CREATE TRIGGER written INSTEAD OF INSERT ON w BEGIN SELECT 2; END;",
        "PRAGMA user_version = 7;",
        "PRAGMA main.user_version(7); PRAGMA user_version = 8;",
        "PRAGMA application_id = 9;",
        "ALTER TABLE t RENAME COLUMN v TO n;",
    ],
)
def test_as_it_was(place: Place, change: str) -> None:
    database = place.fresh(SCHEMA)
    changed_and_back(database, change, lambda: seen(database))


def test_a_view_follows_the_name_of_a_column_and_is_there_afterwards(place: Place) -> None:
    database = place.fresh(SCHEMA)
    plan = database.plan("ALTER TABLE t RENAME COLUMN v TO n;")
    assert apply(plan, database, open_gates=gates(plan)).state == "done"
    database.run("INSERT INTO w (b) VALUES (4);")
    assert database.query("SELECT a, b FROM w ORDER BY a") == [(1, 1), (2, 4)]
    assert database.query("SELECT id, n FROM t ORDER BY id") == [(1, 1), (2, 4)]


RENAMED = """
CREATE TABLE orders (id INTEGER PRIMARY KEY, status TEXT NOT NULL, total INTEGER);
CREATE TABLE logs (what TEXT, status TEXT, n INTEGER);
CREATE VIEW open (id, status, logged) /* all of them */ AS
  SELECT o.id, o.status, l.status FROM orders o LEFT JOIN logs l ON l.n = o.id -- here
  WHERE o."status" = 'open';
CREATE VIEW outer AS SELECT id, status FROM open;
CREATE VIEW stars AS SELECT * FROM orders;
CREATE TRIGGER own AFTER UPDATE OF status ON orders WHEN NEW.status <> OLD.status
  BEGIN INSERT INTO logs (what, status, n) SELECT 'own', status, id FROM orders WHERE id = NEW.id; UPDATE logs SET status = 'x' || status; END;
CREATE TRIGGER theirs AFTER INSERT ON logs WHEN NEW.what = 'close' BEGIN UPDATE orders SET status = NEW.status WHERE id = NEW.n; END;
CREATE TRIGGER through INSTEAD OF DELETE ON outer BEGIN DELETE FROM orders WHERE orders.status = OLD.status AND id = OLD.id; END;
INSERT INTO orders VALUES (1, 'open', 5), (2, 'done', 6), (3, 'open', 7);
INSERT INTO logs VALUES ('a', 'l1', 1);
"""
TEXTS = (
    "SELECT type, name, sql FROM sqlite_schema WHERE type IN ('view', 'trigger') AND name NOT LIKE '%driftflow%' ORDER BY 1, 2"
)


@pytest.mark.parametrize("small", [0, 10_000])
def test_views_and_triggers_follow_to_the_letter_through_a_rebuild(place: Place, small: int) -> None:
    """The column is NOT NULL, so its table is made anew before and after; another table has a column of the same name, and texts have comments."""
    database, naive, start = (place.fresh(RENAMED) for _ in range(3))
    rename = "ALTER TABLE orders RENAME COLUMN status TO state;"
    plan = database.plan(f"-- driftflow: triggers skip\n{rename}", policy=Policy(small_table_rows=small))
    report = apply(plan, database, open_gates=gates(plan))
    assert report.state == "done"
    naive.run(rename)
    assert database.query(TEXTS) == naive.query(TEXTS)
    assert take_back(report.run, database, open_gates=gates(plan)).state == "rolled_back"
    assert (database.query(TEXTS), database.seen()) == (start.query(TEXTS), start.seen())


def test_a_rename_that_the_server_will_refuse_is_tried_before_anything_else(place: Place) -> None:
    database = place.fresh(RENAMED.replace("open (id, status, logged)", "open").replace(", l.status FROM", " FROM"))
    before = seen(database)
    plan = database.plan("-- driftflow: triggers skip\nALTER TABLE orders RENAME COLUMN status TO state;")
    with pytest.raises(StepFailedError, match=r"(?s)DF-E530.*error in (view outer|trigger through) after rename"):
        apply(plan, database, open_gates=gates(plan))
    assert seen(database) == before


AUDITED = """
CREATE TABLE docs (id INTEGER PRIMARY KEY, body TEXT, touched TEXT);
CREATE TABLE audit (what TEXT, body TEXT);
CREATE TRIGGER noted AFTER UPDATE ON docs BEGIN INSERT INTO audit (what, body) VALUES ('changed', OLD.body); END;
CREATE TRIGGER stamped AFTER UPDATE ON docs BEGIN UPDATE docs SET touched = CURRENT_TIMESTAMP WHERE id = NEW.id; END;
INSERT INTO docs (body) VALUES ('x'), ('y');
"""


def test_a_second_column_is_filled_without_the_applications_triggers(place: Place) -> None:
    """Forth and back; which of them may not fire is the author's to say. On the way back they are made again with the name that they say by then."""
    database, start = place.fresh(AUDITED), place.fresh(AUDITED)
    with pytest.raises(RefusedError, match="DF-E744"):
        database.plan("ALTER TABLE docs RENAME COLUMN body TO text;")
    plan = database.plan("-- driftflow: triggers skip\nALTER TABLE docs RENAME COLUMN body TO text;")
    report = apply(plan, database, open_gates=gates(plan))
    assert report.state == "done"
    assert database.rows()["main.audit"] == [] and database.query("SELECT text, touched FROM docs") == [("x", None), ("y", None)]
    assert take_back(report.run, database, open_gates=gates(plan)).state == "rolled_back"
    assert database.seen() == start.seen()


def test_a_clock_stands_still_while_a_second_column_is_filled(place: Place) -> None:
    database = place.fresh("\n".join(line for line in AUDITED.splitlines() if "noted" not in line))
    plan = database.plan("ALTER TABLE docs RENAME COLUMN body TO text;")
    assert plan.notes == (), "what only reads stops no writer for an unknown time"
    assert apply(plan, database, open_gates=gates(plan)).state == "done"
    assert database.query("SELECT text, touched FROM docs") == [("x", None), ("y", None)]


def test_a_view_that_says_the_word_of_another_table_is_not_in_the_way_of_a_new_column(place: Place) -> None:
    database = place.fresh(RENAMED)
    changed_and_back(database, "ALTER TABLE orders ADD COLUMN n INTEGER UNIQUE;", lambda: seen(database))


def test_a_file_cannot_hold_the_text_that_a_view_has_by_then(place: Place) -> None:
    database = place.fresh(RENAMED)
    rename = "-- driftflow: triggers skip\nALTER TABLE orders RENAME COLUMN status TO state;"
    plan = database.plan(rename)
    with pytest.raises(RefusedError, match=r"DF-E789.*open"):
        rewrite_from_plan(plan, planning.migration_of(rename, place.dialect), place.dialect)


RENAME = '-- driftflow: as-is reason="the application stands still"\nALTER TABLE orders RENAME COLUMN status TO state;\n'
DROP = "-- driftflow: cascade\n-- driftflow: archive\nALTER TABLE orders DROP COLUMN {column};"


def test_a_rename_and_a_drop_that_have_nothing_to_do_with_each_other(place: Place) -> None:
    database, start = place.fresh(RENAMED), place.fresh(RENAMED)
    changed_and_back(database, RENAME + DROP.format(column="total"), lambda: seen(database))
    assert database.query(TEXTS) == start.query(TEXTS)


def test_which_views_say_a_column_that_has_another_name_by_now_nobody_knows(place: Place) -> None:
    with pytest.raises(RefusedError, match=r"DF-E789.*open"):
        place.fresh(RENAMED).plan(RENAME + DROP.format(column="state"))
