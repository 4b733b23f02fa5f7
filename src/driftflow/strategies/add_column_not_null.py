"""ADD COLUMN ... NOT NULL without a default fails on any row: added nullable, filled by whoever knows the values, proved at the end."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.dialects.situation import Situation
from driftflow.model.operations import AddColumn
from driftflow.model.plan import Step
from driftflow.strategies.base import strategy
from driftflow.strategies.column_parts import add_in_parts, counts_up
from driftflow.strategies.recipe import Recipe
from driftflow.strategies.size import is_new
from driftflow.strategies.spoken import as_is

NAME = "add_column_not_null"


def _applies(operation: AddColumn, at: Situation) -> bool:
    column = operation.column
    if column.nullable or column.default is not None or column.generated is not None or counts_up(column):
        return False
    known = at.table(operation.table) is not None
    return known and not is_new(at, operation.table) and not as_is(at) and not operation.if_not_exists


@strategy(NAME, on=AddColumn, applies=_applies, rank=65, page="add-column-not-null")
def add_column_not_null(operation: AddColumn, at: Situation) -> Iterator[Step]:
    yield from add_in_parts(Recipe(at, NAME), operation)
