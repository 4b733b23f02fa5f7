"""A business rule as a Python function: held by the database where it can be compiled, else run once over the rows that are there."""

from __future__ import annotations

from pathlib import Path

import pytest
from recipes.rig import Place, Recipe, apply, edge, show
from recipes.test_checks import SHOP, WRITES, refuses, rows_only

from driftflow.engine.run import RunOptions, resume
from driftflow.errors import ParseError, RefusedError, StepFailedError
from driftflow.model.plan import Backfill, RunSql

MODULE = '''"""What the shop thinks of an offer."""

LARGEST = 150


def in_order(code, low, high):
    """An offer is sound."""
    if_special = 1
    return True


def sound(code, low, high):
    """Special offers are steep, others are not too high; a code says which they are."""
    return low is None or high is None or (
        10 <= low <= high < 2 * low if code is not None and code.startswith("EF-") else low <= LARGEST + 50 and (high - low) % 9 < 9
    )


def by_hand(code, low, high):
    total = sum(int(letter) for letter in code if letter.isdigit())
    return total >= 0 and low < 199
'''
ADD = "ALTER TABLE offers ADD CONSTRAINT offers_sound CHECK (1 = 1);"
IN_PYTHON = "-- driftflow: rule python=rules:sound columns=code,low,high path=rules.py"
BY_HAND = "-- driftflow: rule python=rules:by_hand columns=code,low,high path=rules.py"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "rules.py").write_text(MODULE)
    return tmp_path


@pytest.mark.recipe(
    "check-rule-python",
    "emulated",
    why="the expression that the function returns is compiled, to a CHECK on PostgreSQL and to a trigger elsewhere; what cannot be compiled is run over the rows that are there, and new rows are not held to it",
)
@pytest.mark.parametrize("existing", ["refuse", "keep"])
def test_a_function_that_becomes_a_condition(place: Place, folder: Path, existing: str) -> None:
    migration = f"{IN_PYTHON} existing={existing}\n{ADD}"
    shown = show(
        place, Recipe(schema=SHOP, migration=migration, naive="SELECT 1;", old=WRITES, expected=rows_only, folder=folder)
    ).planned
    refuses(shown, "INSERT INTO offers (id, code, low, high) VALUES (9001, 'EF-1', 10, 20)")
    refuses(shown, "INSERT INTO offers (id, code, low, high) VALUES (9001, 'ef-1', 201, 300)")
    refuses(shown, "UPDATE offers SET code = 'EF-1', low = 5 WHERE id = 1")
    shown.run(
        "INSERT INTO offers (id, code, low, high) VALUES (9001, 'EF-1', 10, 19), (9002, NULL, 200, 5), (9003, 'EF-1', NULL, 5)"
    )


def test_rows_that_break_it_are_counted_before(place: Place, folder: Path) -> None:
    database = place.fresh(SHOP)
    database.run("UPDATE offers SET low = 201 WHERE id IN (7, 8)")
    with pytest.raises(RefusedError, match=r"2 rows of offers (violate|break) offers_sound"):
        apply(database.plan(f"{IN_PYTHON}\n{ADD}", folder=folder), database, folder=folder)


def test_what_cannot_be_compiled_is_run_over_the_rows(place: Place, folder: Path) -> None:
    database = place.fresh(SHOP)
    with pytest.raises(RefusedError, match="cannot be held") as refused:
        database.plan(f"{BY_HAND}\n{ADD}", folder=folder)
    assert refused.value.code == "DF-E742" and "new=unchecked" in refused.value.hint
    database.run("UPDATE offers SET code = NULL WHERE id = 5")
    plan = database.plan(f"{BY_HAND} new=unchecked\n{ADD}", folder=folder)
    assert not [step for step in plan.steps if isinstance(step, RunSql)]
    assert isinstance(plan.steps[0], Backfill) and "new rows are not held to it" in plan.steps[0].purpose
    before = database.rows()
    with pytest.raises(StepFailedError, match="3 rows of offers break rules:by_hand") as failed:
        apply(plan, database, folder=folder)
    assert failed.value.code == "DF-E743"
    assert "5, 199, 200" in failed.value.why and "TypeError 1 times" in failed.value.why
    assert database.rows() == before
    run = failed.value.hint.split("driftflow resume ")[1].split(",")[0]
    with pytest.raises(StepFailedError, match="3 rows"):
        resume(run, options=RunOptions(), **edge(database, folder))
    database.run("UPDATE offers SET code = 'AB', low = 5 WHERE id IN (5, 199, 200)")
    assert resume(run, options=RunOptions(), **edge(database, folder)).state == "done"
    database.run("INSERT INTO offers (id, code, low) VALUES (9001, 'AB', 500)")


@pytest.mark.on("sqlite")
def test_a_rule_is_said_once(place: Place, folder: Path) -> None:
    database = place.fresh(SHOP)
    with pytest.raises(RefusedError, match="one rule in SQL and another in Python"):
        database.plan(f"{IN_PYTHON}\n{ADD.replace('1 = 1', 'low < 5')}", folder=folder)
    for wrong in ("new=unchecked", "python=rules columns=a path=rules.py", "python=rules:sound path=rules.py", "columns=code"):
        with pytest.raises(ParseError) as refused:
            database.plan(f"-- driftflow: rule {wrong}\n{ADD}", folder=folder)
        assert refused.value.code == "DF-E213"
    with pytest.raises(RefusedError) as unknown:
        database.plan(IN_PYTHON.replace("high path", "height path") + f"\n{ADD}", folder=folder)
    assert unknown.value.code == "DF-E653"
