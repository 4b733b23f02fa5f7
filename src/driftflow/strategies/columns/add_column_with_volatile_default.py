"""ADD COLUMN ... DEFAULT gen_random_uuid(): the server would write the whole table anew; in parts it writes it in chunks."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.model.operations import AddColumn
from driftflow.model.plan import Step
from driftflow.strategies.base import strategy
from driftflow.strategies.columns.column_parts import add_in_parts, can_fill, counts_up, is_volatile
from driftflow.strategies.recipe import Recipe
from driftflow.strategies.size import is_large

NAME = "add_column_with_volatile_default"


def _applies(operation: AddColumn, at: Situation) -> bool:
    if at.can(Capability.TABLE_REBUILD_ONLY) or counts_up(operation.column) or operation.if_not_exists:
        return False
    return is_volatile(operation, at) and is_large(at, operation.table) and can_fill(operation, at)


@strategy(NAME, on=AddColumn, applies=_applies, rank=60, page="add-column-with-volatile-default")
def add_column_with_volatile_default(operation: AddColumn, at: Situation) -> Iterator[Step]:
    yield from add_in_parts(Recipe(at, NAME), operation)
