"""CREATE INDEX over the columns of a foreign key that the release has added (MySQL, MariaDB): the index that the key brought goes in the same statement.

The server takes such an index away by itself where it made it; the plan has built it before it bound the key.
"""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.dialects.situation import Situation
from driftflow.model.catalog import Index, Table
from driftflow.model.operations import CreateIndex, DropIndex, Operation, keys
from driftflow.model.plan import Step, UndoSteps
from driftflow.model.record import replace
from driftflow.strategies.base import strategy
from driftflow.strategies.constraints.constraining import guard_duplicates
from driftflow.strategies.phases import phase_of
from driftflow.strategies.recipe import Recipe
from driftflow.strategies.size import is_large

NAME = "replace_implied_index"


def _implied(operation: CreateIndex, table: Table | None) -> tuple[Index, ...]:
    return () if table is None or table.new else keys.implied_in(table, operation.index.parts)


def _applies(operation: CreateIndex, at: Situation) -> bool:
    """A small table takes the statement as it stands: there the server has made the index, and sees to it."""
    return is_large(at, operation.index.table) and bool(_implied(operation, at.table(operation.index.table)))


@strategy(NAME, on=CreateIndex, applies=_applies, rank=55, page="replace-implied-index")
def replace_implied_index(operation: CreateIndex, at: Situation) -> Iterator[Step]:
    index = operation.index
    old = _implied(operation, at.table(index.table))
    recipe = Recipe(at, NAME)
    phase = phase_of(operation, at)
    duplicates = guard_duplicates(at, index) if index.unique else None
    step = recipe.alone(
        *(DropIndex(name=one.name, table=one.table) for one in old),
        operation,
        purpose=f"Build the index {index.name.name}, in the place of {', '.join(one.name.name for one in old)}",
        phase=phase,
        guards=(duplicates,) if duplicates is not None else (),
    )
    back: tuple[Operation, ...] = (
        DropIndex(name=index.name, table=index.table),
        *(CreateIndex(index=replace(one, implied=False)) for one in old),
    )
    yield replace(step, undo=UndoSteps(steps=(recipe.undo_step(back, recipe.catalog, phase=phase),)))
