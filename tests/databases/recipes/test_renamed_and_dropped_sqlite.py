"""SQLite: a release gives a table another name and drops what says it. What comes back first says the new name, as the server would have made it say."""

from __future__ import annotations

import pytest
from recipes.rig import Place, apply, changed_and_back, gates, outcome, there_and_back

from driftflow.config import Policy
from driftflow.errors import RefusedError

pytestmark = pytest.mark.on("sqlite")
SCHEMA = """
CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER, CHECK (t.v <> 9));
CREATE TABLE l (n INTEGER, t INTEGER);
INSERT INTO t VALUES (1, 1), (2, 7);
CREATE INDEX some ON t (v) WHERE t.v > 0;
CREATE VIEW w (a, b) AS SELECT id, t.v FROM t WHERE v > 0 AND EXISTS (SELECT 1 FROM l AS t WHERE t.n = 1) = 0;
CREATE VIEW c AS WITH t AS (SELECT 5 AS v) SELECT t.v, r.id FROM t, main.t AS r;
CREATE VIEW u AS SELECT n FROM l UNION ALL SELECT t.v FROM t JOIN l ON l.n = t.id WHERE l.t IN (SELECT id FROM t);
CREATE TRIGGER own AFTER UPDATE OF v ON t WHEN NEW.v > (SELECT max(t.v) FROM t) BEGIN INSERT INTO l (t) SELECT t.id FROM t; END;
CREATE TRIGGER other AFTER INSERT ON l BEGIN UPDATE OR IGNORE t SET v = v + 1 WHERE t.id = NEW.t; DELETE FROM t WHERE v > 100; END;
CREATE TRIGGER through INSTEAD OF INSERT ON w BEGIN INSERT INTO t VALUES (NEW.a, NEW.b) ON CONFLICT (id) DO UPDATE SET v = t.v; END;
"""
USED = "UPDATE {t} SET v = 90 WHERE id = 1; INSERT INTO l (n, t) VALUES (1, 2);"


@pytest.mark.parametrize("small", [0, 10_000])
@pytest.mark.parametrize(
    "drop",
    [
        "DROP VIEW w;",
        "DROP VIEW u;",
        "DROP TRIGGER own;",
        "DROP TRIGGER other;",
        "DROP TRIGGER through;",
        "DROP VIEW w; DROP VIEW u; DROP TRIGGER own; DROP TRIGGER other; DROP INDEX some;",
    ],
)
@pytest.mark.parametrize("name", ["renamed", '"order by"', "Größe"])
def test_it_comes_back(place: Place, drop: str, small: int, name: str) -> None:
    database, start = (place.fresh(SCHEMA) for _ in range(2))
    changed_and_back(
        database,
        f"ALTER TABLE t RENAME TO {name}; {drop.replace('{t}', name)}",
        database.seen,
        policy=Policy(small_table_rows=small),
    )
    for one in (database, start):
        one.run(USED.format(t="t"))
    assert database.seen() == start.seen()


def test_what_says_whose_column_it_means_is_made_anew_under_the_new_name(place: Place) -> None:
    database = place.fresh(SCHEMA)
    plan = there_and_back(database, "ALTER TABLE t RENAME TO u1; ALTER TABLE u1 ADD CONSTRAINT positive CHECK (v > 0);")
    assert "rebuild_table" in {step.strategy for step in plan.steps}
    assert "CHECK constraint failed" in outcome(database, "INSERT INTO t VALUES (3, 9);")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("ALTER TABLE t RENAME TO T;", "are one name to SQLite"),
        ("ALTER TABLE t RENAME TO sqlite_t;", "SQLite's own"),
        ("ALTER TABLE w RENAME TO x;", "w is a view"),
    ],
)
def test_a_name_that_the_server_will_refuse_is_refused_before_anything_runs(place: Place, change: str, why: str) -> None:
    with pytest.raises(RefusedError, match=f"(?s)DF-E321.*{why}"):
        place.fresh(SCHEMA).plan(change)


def test_other_letters_by_way_of_a_third_name_are_one_step(place: Place) -> None:
    """No moment in which the application finds no table."""
    database = place.fresh(SCHEMA)
    change = "ALTER TABLE t RENAME TO passing; ALTER TABLE passing RENAME TO T;"
    plan = database.plan(change, policy=Policy())
    assert [getattr(step, "statements", ()) for step in plan.steps][-1] == tuple(change.rstrip(";").split("; "))
    assert apply(plan, database, open_gates=gates(plan)).state == "done"
    assert "main.T" in database.rows()
