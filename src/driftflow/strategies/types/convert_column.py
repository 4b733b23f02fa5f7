"""MySQL and MariaDB: a column whose values become others than the server's own ALTER TABLE would make of them: by a named zone, format or encoding, by a
list of members, cut to what fits, or decoded where they were encoded twice. The table is made anew beside itself, with the conversion in between.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from driftflow.dialects.situation import Situation
from driftflow.errors import RefusedError
from driftflow.model.catalog import Table
from driftflow.model.names import Name
from driftflow.model.operations import ChangeColumn, ConvertCharset, Operation
from driftflow.model.plan import Backfill, Guard, RunSql, Step, UndoSteps
from driftflow.model.record import replace
from driftflow.strategies import spoken
from driftflow.strategies.base import strategy
from driftflow.strategies.columns.dual_write import RETIRE_TABLE
from driftflow.strategies.constraints.constraining import guard_nulls
from driftflow.strategies.direct import becomes_not_null
from driftflow.strategies.inverses.inverse_redefinition import with_its_indexes
from driftflow.strategies.rebuild.rebuild_limits import obstacle
from driftflow.strategies.rebuild.rebuild_online import Rebuild
from driftflow.strategies.rules.json_documents import document_guards
from driftflow.strategies.size import is_new
from driftflow.strategies.types import offenders
from driftflow.strategies.types.column_conversion import ColumnConversion, by_session, converted
from driftflow.strategies.types.kept_values import Kept
from driftflow.strategies.types.said_conversion import convert_of, too_long_of

NAME = "convert_column"
IN_UTC = {"time_zone": "+00:00"}
"""What is left of the session's time zone, where a server gives a moment no other way: FROM_UNIXTIME."""
Redefined = ChangeColumn | ConvertCharset


def _applies(operation: Redefined, at: Situation) -> bool:
    table = at.table(operation.table)
    if table is None or not at.dialect.one_pass or at.conflict or spoken.as_is(at) or is_new(at, operation.table):
        return False
    changes = offenders.changes_of(operation, table)
    request, too_long = convert_of(at), too_long_of(at)
    says = request is not None and bool(
        request.zone or request.format or request.encoding or request.map or request.back or request.mojibake == "repair"
    )
    cuts = too_long is not None and too_long.policy != "reject"
    return bool(changes) and (says or cuts or any(by_session(old, new) for old, new in changes))


@strategy(NAME, on=(ChangeColumn, ConvertCharset), resolves=("DF106",), applies=_applies, rank=80, page="convert-column")
def convert_column(operation: Redefined, at: Situation) -> Iterator[Step]:
    table = at.table(operation.table)
    assert table is not None
    conversions = [converted(at, table, old, new) for old, new in offenders.changes_of(operation, table)]
    why = obstacle((operation,), at.catalog, at, converted=tuple(one.old.name for one in conversions))
    if why:
        raise RefusedError(
            "DF-E732",
            f"{table.name.name} cannot be made anew beside itself, so its values cannot be converted",
            where=str(at.statement.span),
            why=why,
            hint="what may stand in the way: docs/strategies/rebuild-online.md; without the directive the server's own conversion is planned",
        )
    kept = [Kept(at, table, one) for one in conversions if one.archived]
    back = {one.old.name: one.back for one in conversions if one.back} | {one.column: one.restored() for one in kept}
    rebuild = Rebuild(
        at,
        (operation,),
        expressions={one.new.name: one.there for one in conversions if one.there},
        back=back,
        one_way="" if kept else next((one.one_way for one in conversions if one.one_way), ""),
        name=NAME,
        backwards=_backwards(operation, at, conversions),
    )
    steps = rebuild.steps(tuple(_guards(operation, at, table, conversions)))
    moved = any(by_session(one.old, one.new) for one in conversions)
    for step in _with_archives(steps, kept, rebuild.old):
        yield _in_utc(step) if moved else step


def _backwards(operation: Redefined, at: Situation, conversions: list[ColumnConversion]) -> tuple[Operation, ...] | None:
    """The columns as they were: what a value becomes there is said by its conversion, or it is one way."""
    if isinstance(operation, ConvertCharset):
        return None
    (one,) = conversions
    back = ChangeColumn(table=operation.table, column=one.new.name, definition=one.old, position=_place(operation, at))
    return with_its_indexes(operation, back, at.catalog)


def _place(operation: ChangeColumn, at: Situation) -> str:
    table = at.table(operation.table)
    if not operation.position or table is None:
        return ""
    names = [column.name for column in table.columns]
    number = names.index(operation.column)
    return f"AFTER {names[number - 1]}" if number else "FIRST"


def _with_archives(steps: Iterator[Step], kept: list[Kept], old: Name) -> Iterator[Step]:
    """The archives are there before the way back could ask them, and are filled from the old form just before it is removed."""
    for one in kept:
        yield one.made()
    filled = False
    for step in steps:
        if step.strategy == RETIRE_TABLE and not filled:
            yield from (one.filled(old) for one in kept)
            filled = True
        yield step


def _guards(operation: Redefined, at: Situation, table: Table, conversions: list[ColumnConversion]) -> Iterator[Guard]:
    if isinstance(operation, ChangeColumn) and becomes_not_null(operation, at):
        yield guard_nulls(at, operation.table, operation.column)
    values: Mapping[str, str] = {one.old.name: one.there for one in conversions if one.there}
    for one in conversions:
        yield from one.guards
        yield from document_guards(at, table, one.old, one.new.type)
    yield from offenders.duplicate_guards(at, table, [(one.old, one.new) for one in conversions], values)


def _in_utc(step: Step) -> Step:
    if isinstance(step, RunSql | Backfill):
        step = replace(step, settings={**step.settings, **IN_UTC})
    undo = step.undo
    return replace(step, undo=UndoSteps(steps=tuple(map(_in_utc, undo.steps)))) if isinstance(undo, UndoSteps) else step
