"""ADD COLUMN ... REFERENCES, CHECK or UNIQUE: the column first, each constraint by its own recipe, never two hot locks at once."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.model.catalog import ForeignKey, PrimaryKey, Table
from driftflow.model.operations import AddColumn
from driftflow.model.plan import Step
from driftflow.model.record import replace
from driftflow.strategies.base import strategy
from driftflow.strategies.columns.column_parts import add_in_parts, counts_up, is_volatile, what_costs_nothing
from driftflow.strategies.recipe import Recipe
from driftflow.strategies.size import is_large

NAME = "add_column_with_constraints"


def _applies(operation: AddColumn, at: Situation) -> bool:
    apart = at.can(Capability.NOT_VALID_CONSTRAINT) or _follows(operation, at)
    splittable = apart and bool(operation.constraints) and not operation.if_not_exists
    if not splittable or any(isinstance(constraint, PrimaryKey) for constraint in operation.constraints):
        return False
    table: Table | None = at.table(operation.table)
    if table is None or table.partitioning is not None or counts_up(operation.column) or operation.column.generated is not None:
        return False
    return is_large(at, operation.table) and not is_volatile(operation, at)


def _follows(operation: AddColumn, at: Situation) -> bool:
    """Whether a constraint costs more together with the column than after it (MySQL: a foreign key, that can be taken on trust)."""
    if not at.dialect.one_pass or not any(isinstance(one, ForeignKey) for one in operation.constraints):
        return False
    return bool(what_costs_nothing(replace(operation, constraints=()), operation.constraints, at)[1])


@strategy(NAME, on=AddColumn, applies=_applies, rank=55, page="add-column-with-constraints")
def add_column_with_constraints(operation: AddColumn, at: Situation) -> Iterator[Step]:
    yield from add_in_parts(Recipe(at, NAME), operation)
