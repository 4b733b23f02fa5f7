"""ADD CHECK on a table with rows: NOT VALID binds new rows at once, VALIDATE proves the old ones while writers go on."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.model.catalog import Check, NotNull
from driftflow.model.operations import AddConstraint
from driftflow.model.plan import Step
from driftflow.strategies.base import strategy
from driftflow.strategies.constraints.constraining import bind_then_validate
from driftflow.strategies.constraints.constraining import prove_not_null as prove
from driftflow.strategies.phases import phase_of
from driftflow.strategies.recipe import Recipe
from driftflow.strategies.size import is_large

NAME = "add_check"


def _applies(operation: AddConstraint, at: Situation) -> bool:
    constraint = operation.constraint
    scans = isinstance(constraint, Check) and constraint.validated and constraint.enforced
    names_null = isinstance(constraint, NotNull) and constraint.validated and at.can(Capability.NOT_VALID_NOT_NULL)
    return (scans or names_null) and at.can(Capability.NOT_VALID_CONSTRAINT) and is_large(at, operation.table)


@strategy(NAME, on=AddConstraint, applies=_applies, rank=60, page="add-check")
def add_check(operation: AddConstraint, at: Situation) -> Iterator[Step]:
    recipe, phase = Recipe(at, NAME), phase_of(operation, at)
    constraint = operation.constraint
    if isinstance(constraint, NotNull):
        yield from prove(recipe, operation.table, constraint.column, name=constraint.name, phase=phase)
    elif isinstance(constraint, Check):
        yield from bind_then_validate(recipe, operation.table, constraint, phase=phase, only=operation.only)
