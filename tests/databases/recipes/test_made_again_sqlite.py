"""What a rollback makes again, or sets back, on SQLite: triggers on views, the numbers that the file keeps."""

from __future__ import annotations

import pytest
from recipes.rig import Database, Place, apply, changed_and_back, gates

from driftflow.errors import RefusedError

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


NOT_NULL = SCHEMA.replace("v INTEGER", "v INTEGER NOT NULL")


def test_a_view_follows_the_name_of_a_column_and_is_there_afterwards(place: Place) -> None:
    database = place.fresh(SCHEMA)
    plan = database.plan("ALTER TABLE t RENAME COLUMN v TO n;")
    assert apply(plan, database, open_gates=gates(plan)).state == "done"
    database.run("INSERT INTO w (b) VALUES (4);")
    assert database.query("SELECT a, b FROM w ORDER BY a") == [(1, 1), (2, 4)]
    assert database.query("SELECT id, n FROM t ORDER BY id") == [(1, 1), (2, 4)]


def test_where_it_would_be_written_with_the_old_name_the_plan_is_refused(place: Place) -> None:
    database = place.fresh(NOT_NULL)
    before = seen(database)
    with pytest.raises(RefusedError, match="DF-E789"):
        database.plan("ALTER TABLE t RENAME COLUMN v TO n;")
    assert seen(database) == before
