"""The online rebuild on MySQL of a table with checks, whose names are unique in a database there."""

from __future__ import annotations

import pytest
from recipes.rig import Place, Recipe, edge, show
from recipes.test_rebuild_mysql import Once

from driftflow.engine.run import RunOptions, run_plan
from driftflow.errors import DriftflowError
from driftflow.model.plan import Backfill

SCHEMA = """
CREATE TABLE ledger (id int PRIMARY KEY, a int CHECK (a > 0), b int, label varchar(20), CHECK (b < 1000), CHECK (a < 5000000), CHECK (label <> 'it''s'), CHECK (b > -9) NOT ENFORCED);
ALTER TABLE ledger DROP CHECK ledger_chk_2;
INSERT INTO ledger VALUES (1, 1, 1, 'x'), (2, 2, 2, NULL), (3, 3, -99, 'y');
ANALYZE TABLE ledger;
"""
WRITES = (
    "INSERT INTO ledger VALUES (100 + {n}, 1 + {n}, {n} % 7, 'n{n}')",
    "UPDATE ledger SET a = a + 1, label = NULL WHERE id = 100 + {n} - 1",
    "DELETE FROM ledger WHERE id = 100 + {n} - 11",
)


@pytest.mark.recipe("rebuild", "native", on=("mysql",))
@pytest.mark.on("mysql")
@pytest.mark.parametrize(
    "clauses",
    [
        "MODIFY b bigint",
        "MODIFY b bigint, ADD CHECK (b < 900), ADD CONSTRAINT a_few CHECK (id > 0)",
        "MODIFY b bigint, DROP CHECK ledger_chk_3",
    ],
)
def test_checks_that_are_called_by_their_table(place: Place, clauses: str) -> None:
    shown = show(place, Recipe(schema=SCHEMA, migration=f"ALTER TABLE ledger {clauses};", old=WRITES))
    assert any(isinstance(step, Backfill) and step.fresh for step in shown.plan.steps), "no rebuild"
    with pytest.raises(Exception, match="ledger_chk_1"):
        shown.planned.run("INSERT INTO ledger VALUES (9, 0, 1, 'x')")


@pytest.mark.on("mysql")
def test_a_check_that_is_chosen_goes_and_comes_back(place: Place) -> None:
    schema = SCHEMA + "ALTER TABLE ledger ADD CONSTRAINT chosen CHECK (id < 1000000);"
    shown = show(place, Recipe(schema=schema, migration="ALTER TABLE ledger MODIFY b bigint, DROP CHECK chosen;", old=WRITES))
    assert any(isinstance(step, Backfill) and step.fresh for step in shown.plan.steps), "no rebuild"


@pytest.mark.on("mysql")
@pytest.mark.parametrize(
    "clauses", ["MODIFY b bigint", "MODIFY b bigint, DROP CHECK chosen, ADD CONSTRAINT chosen CHECK (b < 9)"]
)
def test_a_name_that_would_be_lost_is_said(place: Place, clauses: str) -> None:
    schema = SCHEMA + "ALTER TABLE ledger ADD CONSTRAINT chosen CHECK (id < 1000000);"
    plan = place.fresh(schema).plan(f"ALTER TABLE ledger {clauses};")
    assert not any(isinstance(step, Backfill) for step in plan.steps)
    assert any("writers wait" in note and "lose their names (chosen)" in note for note in plan.notes)


@pytest.mark.on("mysql")
def test_a_check_that_comes_meanwhile(place: Place) -> None:
    database = place.fresh(SCHEMA)
    plan = database.plan("ALTER TABLE ledger MODIFY b bigint;")
    listener = Once(plan, "Verify that", lambda: database.run("ALTER TABLE ledger ADD CHECK (b < 888)"))
    with pytest.raises(DriftflowError, match="somebody has changed"):
        run_plan(plan, options=RunOptions(), **edge(database) | {"listener": listener})
