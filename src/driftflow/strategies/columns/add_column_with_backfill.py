"""ADD COLUMN with a `backfill` or `dual-write` directive: the author said where the values come from."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.dialects.situation import Situation
from driftflow.model.operations import AddColumn
from driftflow.model.plan import Step
from driftflow.strategies.base import strategy
from driftflow.strategies.columns.column_parts import add_in_parts, asked_to_fill, can_fill
from driftflow.strategies.recipe import Recipe
from driftflow.strategies.size import is_new

NAME = "add_column_with_backfill"


def _applies(operation: AddColumn, at: Situation) -> bool:
    return any(asked_to_fill(operation, at)) and can_fill(operation, at) and not is_new(at, operation.table)


@strategy(NAME, on=AddColumn, applies=_applies, rank=90, page="add-column-with-backfill")
def add_column_with_backfill(operation: AddColumn, at: Situation) -> Iterator[Step]:
    yield from add_in_parts(Recipe(at, NAME), operation)
