"""ADD UNIQUE on a table with rows: the unique index is built online, then the constraint takes it over in an instant."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.dialects.situation import Situation
from driftflow.model.catalog import Unique
from driftflow.model.operations import AddConstraint
from driftflow.model.plan import Step
from driftflow.strategies.base import strategy
from driftflow.strategies.constraints.constraining import can_use_index, unique_online
from driftflow.strategies.recipe import Recipe
from driftflow.strategies.size import is_large

NAME = "add_unique"


def _applies(operation: AddConstraint, at: Situation) -> bool:
    constraint = operation.constraint
    if not isinstance(constraint, Unique) or not constraint.name:
        return False
    return can_use_index(at, at.table(operation.table), constraint) and is_large(at, operation.table)


@strategy(NAME, on=AddConstraint, applies=_applies, rank=60, page="add-unique")
def add_unique(operation: AddConstraint, at: Situation) -> Iterator[Step]:
    constraint = operation.constraint
    assert isinstance(constraint, Unique)
    yield from unique_online(Recipe(at, NAME), operation.table, constraint, only=operation.only)
