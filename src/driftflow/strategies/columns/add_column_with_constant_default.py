"""ADD COLUMN ... DEFAULT 0: one value in the catalog stands for every old row, and no row is touched."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.model.operations import AddColumn
from driftflow.model.plan import Step
from driftflow.model.record import replace
from driftflow.strategies.base import strategy
from driftflow.strategies.columns.column_parts import counts_up, is_volatile
from driftflow.strategies.direct import statement_as_it_stands
from driftflow.strategies.phases import phase_of
from driftflow.strategies.rebuild.rebuilding import needs_rebuild
from driftflow.strategies.recipe import Recipe
from driftflow.strategies.size import has_slow_work

NAME = "add_column_with_constant_default"


def _applies(operation: AddColumn, at: Situation) -> bool:
    column = operation.column
    if column.default is None or counts_up(column) or len(at.statement.operations) != 1 or operation.if_not_exists:
        return False
    instant = at.can(Capability.FAST_CONSTANT_DEFAULT) and not is_volatile(operation, at) and not has_slow_work(at.effects)
    return instant and not operation.constraints and not needs_rebuild(operation, at)


@strategy(NAME, on=AddColumn, applies=_applies, rank=10, page="add-column-with-constant-default")
def add_column_with_constant_default(operation: AddColumn, at: Situation) -> Iterator[Step]:
    name, default = f"{operation.table.name}.{operation.column.name}", operation.column.default
    purpose = f"Add {name} with the default {default}: one catalog entry, no row is written"
    if at.can(Capability.TRANSACTIONAL_DDL):
        yield replace(statement_as_it_stands((operation,), at), strategy=NAME, purpose=purpose)
    else:
        yield Recipe(at, NAME).alone(operation, purpose=purpose, phase=phase_of(operation, at))
