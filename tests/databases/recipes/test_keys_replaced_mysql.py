"""Foreign keys of MySQL and MariaDB that go, or come beside another one over the same column: the key is gone indeed, and the server's own index is what it was."""

from __future__ import annotations

import pytest
from recipes.rig import POLICY, Database, Place, apply, edge, gates, go_on_back, outcome, planning, take_back

from driftflow.checks.run import assess
from driftflow.config import Policy
from driftflow.engine.run import RunOptions, roll_back, run_plan
from driftflow.errors import RefusedError
from driftflow.model.plan import RunSql, UndoSteps

SCHEMA = """
CREATE TABLE parent (id int PRIMARY KEY, d int, UNIQUE KEY both_of (id, d));
CREATE TABLE child (id int PRIMARY KEY, c int, d int, v int, CONSTRAINT one FOREIGN KEY (c) REFERENCES parent (id));
INSERT INTO parent VALUES (1, 1);
INSERT INTO child VALUES (1, 1, 1, 1);
ANALYZE TABLE child, parent;
"""
CHANGES = (
    "DROP FOREIGN KEY one, ADD CONSTRAINT again FOREIGN KEY (c) REFERENCES parent (id) ON DELETE CASCADE",
    "DROP FOREIGN KEY one, MODIFY v varchar(20)",
    "DROP CONSTRAINT one",
    "ADD CONSTRAINT again FOREIGN KEY (c) REFERENCES parent (id)",
    "ADD CONSTRAINT again FOREIGN KEY (c, d) REFERENCES parent (id, d)",
)


@pytest.mark.on("mysql", "mariadb-10", "mariadb-11")
@pytest.mark.parametrize("policy", [Policy(), POLICY])
@pytest.mark.parametrize("change", CHANGES)
def test_forth_and_back(place: Place, change: str, policy: Policy) -> None:
    """MariaDB leaves a key that DROP CONSTRAINT names where it copies the table, without a word. An index that the server makes for a key takes the place of
    one that it made for another: that one is made again before the key goes."""
    planned, naive, start = (place.fresh(SCHEMA) for _ in range(3))
    naive.run(f"ALTER TABLE child {change};")
    plan = planned.plan(f"ALTER TABLE child {change};", policy=policy)
    report = apply(plan, planned, open_gates=gates(plan))
    assert planned.structure() == naive.structure()
    assert take_back(report.run, planned, open_gates=gates(plan)).state == "rolled_back"
    assert planned.structure() == start.structure()


PAIR = """
CREATE TABLE parent (id int PRIMARY KEY, d int, UNIQUE KEY (d), UNIQUE KEY both_of (id, d));
CREATE TABLE child (id int PRIMARY KEY, c int, d int, CONSTRAINT one FOREIGN KEY (c) REFERENCES parent (id) {action});
INSERT INTO parent VALUES (1, 1), (2, 2);
INSERT INTO child VALUES (1, 1, 1), (2, 2, 2);
ANALYZE TABLE child, parent;
"""
FOLLOWS = "ON UPDATE CASCADE"
ANOTHER = {
    "action": (
        "DROP FOREIGN KEY one",
        "ADD CONSTRAINT one FOREIGN KEY (c) REFERENCES parent (id) ON DELETE CASCADE ON UPDATE CASCADE",
    ),
    "name": (
        "DROP FOREIGN KEY one",
        "ADD CONSTRAINT another FOREIGN KEY (c) REFERENCES parent (id) ON DELETE SET NULL ON UPDATE CASCADE",
    ),
    "columns": ("DROP FOREIGN KEY one", "ADD CONSTRAINT one FOREIGN KEY (c, d) REFERENCES parent (id, d) ON UPDATE CASCADE"),
    "target": ("DROP CONSTRAINT one", "ADD CONSTRAINT one FOREIGN KEY (c) REFERENCES parent (d)"),
}


@pytest.mark.recipe("fk-actions", "native")
@pytest.mark.on("mysql", "mariadb")
@pytest.mark.parametrize("policy", [Policy(), POLICY], ids=["small", "large"])
@pytest.mark.parametrize("together", [False, True], ids=["two-statements", "one-statement"])
@pytest.mark.parametrize("another", ANOTHER)
def test_at_no_moment_there_is_no_key(place: Place, another: str, together: bool, policy: Policy) -> None:
    """Nor two of them, under which a parent's key could not change: behind every turn of the run, and of its way back, an application tries both."""
    planned, naive, start = (place.fresh(PAIR.format(action=FOLLOWS)) for _ in range(3))
    drop, add = ANOTHER[another]
    naive.run(f"ALTER TABLE child {drop}; ALTER TABLE child {add};")
    moves = FOLLOWS in add and "c, d" not in add
    tried: set[tuple[str, str]] = set()

    def listener(event: object) -> None:
        orphan = outcome(planned, "INSERT INTO child (id, c, d) VALUES (99, 99, 99)")
        tried.add(("orphan", "refused" if "foreign key constraint fails" in orphan else orphan))
        for values in ("3 WHERE id = 1", "1 WHERE id = 3") if moves else ():
            tried.add(("move", outcome(planned, f"UPDATE parent SET id = {values}")))

    change = f"ALTER TABLE child {drop}, {add};" if together else f"ALTER TABLE child {drop}; ALTER TABLE child {add};"
    plan = planned.plan(change, policy=policy)
    beside = {**edge(planned), "listener": listener}
    report = run_plan(plan, options=RunOptions(open_gates=gates(plan)), **beside)
    assert report.state == "done" and planned.structure() == naive.structure()
    assert roll_back(report.run, options=RunOptions(open_gates=gates(plan)), **beside).state == "rolled_back"
    assert planned.structure() == start.structure() and planned.rows() == start.rows()
    assert tried == {("orphan", "refused"), *([("move", "")] if moves else [])}


@pytest.mark.on("mysql", "mariadb")
@pytest.mark.parametrize("lost", [False, True])
def test_a_key_of_a_large_table_comes_back_in_place(place: Place, lost: bool) -> None:
    """It was a copy of the table, with LOCK=SHARED: writers waited for all of it."""
    planned, start = (place.fresh(PAIR.format(action=FOLLOWS)) for _ in range(2))
    plan = planned.plan("ALTER TABLE child DROP FOREIGN KEY one;")
    back = [one for step in plan.steps if isinstance(step.undo, UndoSteps) for one in step.undo.steps]
    assert "ALGORITHM=COPY" not in " ".join(text for one in back if isinstance(one, RunSql) for text in one.statements)
    report = apply(plan, planned, open_gates=gates(plan))
    if lost:
        planned.run("INSERT INTO child (id, c) VALUES (9, 9);")
        with pytest.raises(RefusedError, match="1 rows of child point at no row of parent"):
            take_back(report.run, planned, open_gates=gates(plan))
        planned.run("DELETE FROM child WHERE id = 9;")
        assert go_on_back(report.run, planned).state == "rolled_back"
    else:
        assert take_back(report.run, planned, open_gates=gates(plan)).state == "rolled_back"
    assert planned.structure() == start.structure() and planned.rows() == start.rows()


LINES = """
CREATE TABLE p (id int PRIMARY KEY, x int, UNIQUE (x)); INSERT INTO p VALUES (1, 1);
CREATE TABLE c (id int PRIMARY KEY, a int, b int, CONSTRAINT k FOREIGN KEY (a) REFERENCES p (id)); INSERT INTO c VALUES (1, 1, 1);
"""
COPIES = (
    "MODIFY b bigint",
    "ADD CONSTRAINT k2 FOREIGN KEY (b) REFERENCES p (x)",
    "ADD CONSTRAINT positive CHECK (b > 0)",
    "ALGORITHM=COPY",
)


def keys(database: Database) -> set[str]:
    (table,) = (one for one in database.catalog().tables.values() if one.name.name == "c")
    return {one.name for one in table.foreign_keys}


@pytest.mark.on("mariadb-10", "mariadb-11")
@pytest.mark.parametrize("policy", [Policy(), POLICY], ids=["small", "large"])
@pytest.mark.parametrize("beside", [*COPIES, "ADD COLUMN z int"])
def test_a_key_that_is_dropped_as_a_constraint(place: Place, beside: str, policy: Policy) -> None:
    """The server leaves it where it copies the table, of which DF676 warns; a plan drops it."""
    change = f"ALTER TABLE c DROP CONSTRAINT k, {beside};"
    plain, planned, start = (place.fresh(LINES) for _ in range(3))
    said = assess([planning.migration_of(change, plain.dialect)], catalog=plain.catalog(), dialect=plain.dialect, policy=Policy())
    warned = any(one.code == "DF676" for one in said.findings)
    plain.run(change)
    assert warned == ("k" in keys(plain)) == (beside in COPIES)
    plan = planned.plan(change, policy=policy)
    report = apply(plan, planned, open_gates=gates(plan))
    assert "k" not in keys(planned)
    assert take_back(report.run, planned, open_gates=gates(plan)).state == "rolled_back"
    assert planned.structure() == start.structure()
