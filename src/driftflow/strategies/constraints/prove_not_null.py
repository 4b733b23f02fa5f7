"""SET NOT NULL without reading the table under a strong lock, and only when nobody writes NULL any more."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.model.catalog import Table
from driftflow.model.operations import ChangeColumn, SetNotNull, Update
from driftflow.model.plan import Step, UndoNothing
from driftflow.model.record import replace
from driftflow.strategies import spoken
from driftflow.strategies.base import strategy
from driftflow.strategies.columns.column_parts import not_null
from driftflow.strategies.columns.filling import chunk_key, fill
from driftflow.strategies.phases import phase_of
from driftflow.strategies.recipe import Recipe
from driftflow.strategies.size import column_is_new, has_slow_work, is_large, is_new
from driftflow.strategies.spoken import BackfillRequest

NAME = "prove_not_null"


def _applies(operation: SetNotNull | ChangeColumn, at: Situation) -> bool:
    if isinstance(operation, ChangeColumn):
        if not only_becomes_not_null(operation, at) or spoken.as_is(at):
            return False
        slow, late = is_large(at, operation.table), phase_of(operation, at) == "contract"
        return slow or late or spoken.backfill_of(at, operation.column) is not None
    if is_new(at, operation.table) or spoken.as_is(at) or at.table(operation.table) is None:
        return at.can(Capability.TABLE_REBUILD_ONLY) and at.table(operation.table) is not None
    slow = is_large(at, operation.table) and has_slow_work(at.effects)
    late = phase_of(operation, at) == "contract"
    return slow or late or at.can(Capability.TABLE_REBUILD_ONLY) or spoken.backfill_of(at, operation.column) is not None


def only_becomes_not_null(operation: ChangeColumn, at: Situation) -> bool:
    """MODIFY COLUMN of a living table that says the column as it is, but for NOT NULL."""
    table = at.table(operation.table)
    column = table.column(operation.column) if table is not None else None
    if table is None or column is None or is_new(at, operation.table) or not column.nullable or operation.constraints:
        return False
    return operation.definition == replace(column, nullable=False) and not operation.position


@strategy(NAME, on=(SetNotNull, ChangeColumn), applies=_applies, rank=60, page="prove-not-null")
def prove_not_null(operation: SetNotNull | ChangeColumn, at: Situation) -> Iterator[Step]:
    """After a gate, rows that the old application wrote meanwhile are filled first: the same backfill once more."""
    recipe = Recipe(at, NAME)
    table, phase = at.table(operation.table), phase_of(operation, at)
    assert table is not None
    bound = spoken.backfill_of(at, operation.column)
    if bound is not None:
        yield from fill(recipe, table, bound, partial=phase == "contract", undo=_kept(at, table, bound.columns))
    again = again_of(operation, at)
    if phase == "contract" and again is not None and chunk_key(at, table):
        yield from fill(recipe, table, again, phase="contract", partial=False, again=True)
    wanted = operation if isinstance(operation, SetNotNull) else SetNotNull(table=operation.table, column=operation.column)
    yield from not_null(recipe, wanted, phase=phase)


def _kept(at: Situation, table: Table, columns: tuple[str, ...]) -> UndoNothing | None:
    """A column that was there before the release stays when it is taken back, and nobody has noted which of its rows were NULL."""
    held = [name for name in columns if not column_is_new(at, table.name, name)]
    reason = f"rows of {table.name.name} that had no {', '.join(held)} stay filled: which they were is not kept"
    return UndoNothing(reason=reason) if held else None


def again_of(operation: SetNotNull | ChangeColumn, at: Situation) -> BackfillRequest | None:
    """What filled the column in this migration, if it can be run a second time: a directive, or a plain UPDATE of it."""
    request = spoken.filled_in_release(at, operation.table, operation.column)
    if request is not None:
        return None if request.csv or request.query else request
    for earlier in reversed(at.earlier):
        if isinstance(earlier, Update) and earlier.table == operation.table and not earlier.alias:
            expression = dict(earlier.assignments).get(operation.column)
            if expression is not None:
                source = earlier.from_clause.removeprefix("FROM ").strip()
                return BackfillRequest(
                    columns=(operation.column,),
                    expression=expression,
                    from_clause=source,
                    join=earlier.where if source else "",
                    where="" if source else earlier.where,
                    span=at.statement.span,
                )
    return None
