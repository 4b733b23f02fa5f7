"""ADD FOREIGN KEY on a table with rows: NOT VALID first (both tables, an instant), VALIDATE in its own transaction."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.model.catalog import ForeignKey
from driftflow.model.operations import AddConstraint
from driftflow.model.plan import Step
from driftflow.strategies.base import strategy
from driftflow.strategies.constraints.binding import bind_unproved, is_trusted
from driftflow.strategies.constraints.constraining import bind_then_validate
from driftflow.strategies.phases import phase_of
from driftflow.strategies.recipe import Recipe
from driftflow.strategies.size import is_large

NAME = "add_foreign_key"


def _applies(operation: AddConstraint, at: Situation) -> bool:
    key = operation.constraint
    if not isinstance(key, ForeignKey) or not key.validated or not key.enforced:
        return False
    if not at.can(Capability.NOT_VALID_CONSTRAINT):
        return is_large(at, operation.table) and is_trusted(at, operation)
    table = at.table(operation.table)
    # From a partitioned table NOT VALID is an error before PostgreSQL 18 (which also brought NOT VALID for NOT NULL).
    partitioned = table is not None and table.partitioning is not None
    if partitioned and not at.can(Capability.NOT_VALID_NOT_NULL):
        return False
    return is_large(at, operation.table)


@strategy(NAME, on=AddConstraint, applies=_applies, rank=60, page="add-foreign-key")
def add_foreign_key(operation: AddConstraint, at: Situation) -> Iterator[Step]:
    key = operation.constraint
    assert isinstance(key, ForeignKey)
    if not at.can(Capability.NOT_VALID_CONSTRAINT):
        yield from bind_unproved(Recipe(at, NAME), operation.table, key, phase=phase_of(operation, at))
        return
    yield from bind_then_validate(Recipe(at, NAME), operation.table, key, phase=phase_of(operation, at), only=operation.only)
