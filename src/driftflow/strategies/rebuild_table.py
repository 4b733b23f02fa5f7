"""SQLite: what its ALTER TABLE cannot do. Several changes of one table that stand together become one rebuild (the planner merges them)."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.model.catalog import Check, ForeignKey
from driftflow.model.operations import AddColumn, AddConstraint, DropColumn, Operation
from driftflow.model.plan import Guard, Step
from driftflow.strategies.base import strategy
from driftflow.strategies.constraining import guard_check, guard_orphans
from driftflow.strategies.phases import phase_of
from driftflow.strategies.rebuilding import STRATEGY, Rebuilt, needs_rebuild, rebuild
from driftflow.strategies.recipe import Recipe

RANK = 50


def _applies(operation: Operation, at: Situation) -> bool:
    table = getattr(operation, "table", None)
    return (
        at.can(Capability.TABLE_REBUILD_ONLY)
        and needs_rebuild(operation, at)
        and table is not None
        and at.table(table) is not None
    )


@strategy(STRATEGY, on=(AddColumn, DropColumn, *Rebuilt.__args__), applies=_applies, rank=RANK, page="rebuild-table")
def rebuild_table(operation: Operation, at: Situation) -> Iterator[Step]:
    table = getattr(operation, "table")  # noqa: B009 - every operation of this strategy has one
    yield rebuild(
        Recipe(at, STRATEGY),
        (operation,),
        table=table,
        phase=phase_of(operation, at),
        guards=tuple(_guards(operation, at)),
        expressions=expressions_of(operation),
    )


def expressions_of(operation: Operation) -> dict[str, str]:
    """What a new column holds for old rows: the default that ALTER TABLE would not take."""
    if isinstance(operation, AddColumn) and operation.column.default is not None and operation.column.generated is None:
        return {operation.column.name: operation.column.default}
    using = getattr(operation, "using", "")
    return {getattr(operation, "column"): using} if using else {}  # noqa: B009


def _guards(operation: Operation, at: Situation) -> Iterator[Guard]:
    match operation:
        case AddConstraint(table=table, constraint=Check() as check):
            yield guard_check(at, table, check)
        case AddConstraint(table=table, constraint=ForeignKey() as key):
            yield guard_orphans(at, table, key)
        case _:
            return
