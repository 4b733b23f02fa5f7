"""The rig itself: it sees a row that a plan loses, a catalog that differs, an application that fails. A rig that cannot fail shows nothing."""

from __future__ import annotations

import pytest
from recipes.rig import POLICY, Place, Recipe, show, writing

from driftflow.model.plan import Backfill, Plan, RunSql
from driftflow.model.record import replace

SCHEMA = {
    "postgresql": "CREATE TABLE t (id bigint PRIMARY KEY, a int); INSERT INTO t SELECT n, n FROM generate_series(1, 500) AS n;",
    "sqlite": (
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER);"
        "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 500) INSERT INTO t SELECT n, n FROM s;"
    ),
}
OLD = ("UPDATE t SET a = a + 1 WHERE id = {n} % 500 + 1", "DELETE FROM t WHERE id = {n} + 1")
MIGRATION = "ALTER TABLE t ADD COLUMN b integer; UPDATE t SET b = 7;"


def tampered(plan: Plan, change: str) -> Plan:
    """The plan with its backfill, or its first statement, doing something else."""
    steps = []
    for step in plan.steps:
        if change == "rows" and isinstance(step, Backfill):
            step = replace(step, assignments=(("b", "8"),), predicate="b IS NULL")
        if change == "catalog" and isinstance(step, RunSql) and "ADD COLUMN" in step.statements[0]:
            step = replace(step, statements=(step.statements[0].replace("integer", "smallint").replace("INTEGER", "SMALLINT"),))
        steps.append(step)
    return replace(plan, steps=tuple(steps))


@pytest.mark.on("postgresql-18", "sqlite")
@pytest.mark.parametrize("change", ["", "rows", "catalog"])
def test_a_plan_that_does_something_else_is_seen(place: Place, change: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from recipes import rig

    recipe = Recipe(schema=SCHEMA, migration=MIGRATION, old=OLD)
    real = rig.Database.plan
    monkeypatch.setattr(rig.Database, "plan", lambda *args, **more: tampered(real(*args, **more), change))
    if not change:
        show(place, recipe, back=False)
        return
    with pytest.raises(AssertionError):
        show(place, recipe, back=False)


@pytest.mark.on("postgresql-18", "sqlite")
def test_an_application_that_fails_is_seen(place: Place) -> None:
    database = place.fresh(SCHEMA)
    with writing(database, ("INSERT INTO t (id, missing) VALUES ({n}, 1)",)) as application:
        application.go_on()
    assert len(application.failures) >= 20
    assert POLICY.small_table_rows == 0
