"""SQLite: a rebuild drops the table with all that hangs on it. What it makes again is what the catalog knows; triggers and indexes that steps before it have
made beside the statements (a dual-write, what keeps a column, a rule or a reference true) are put back with the table's own, on the way back too."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from driftflow.dialects.sqlite.parse import parse_sql
from driftflow.dialects.tokens import TokenFault
from driftflow.model.catalog import is_ours
from driftflow.model.operations import CreateIndex, CreateTrigger, DropIndex, DropTrigger, Operation, RenameTable
from driftflow.model.operations.tables_said import rename_said
from driftflow.model.plan import RebuildTable, RunSql, Step, UndoSteps
from driftflow.model.record import replace
from driftflow.patterns import lazy_regex
from driftflow.strategies.columns.dual_write import STRATEGY
from driftflow.strategies.direct import NAME as DIRECT

SPEAKS = lazy_regex(
    r"\s*(?:CREATE|DROP)\s+(?:TRIGGER|(?:UNIQUE\s+)?INDEX)\b|\s*ALTER\s+TABLE\b.*\bRENAME\s+TO\b", re.IGNORECASE | re.DOTALL
)


@dataclass(frozen=True)
class _Made:
    table: str
    """In lower case, as it is called by then."""
    statement: str


def with_kept_triggers(steps: Sequence[Step]) -> list[Step]:
    """Triggers that only help another recipe of ours (an archive) go with what they help."""
    out: list[Step] = []
    made: dict[str, _Made] = {}
    for step in steps:
        if isinstance(step, RunSql):
            _follow(step, made)
        out.append(_kept(step, made) if made else step)
    return out


def _follow(step: RunSql, made: dict[str, _Made]) -> None:
    for statement in step.statements:
        for operation in _read(statement) if SPEAKS.match(statement) else ():
            match operation:
                case CreateTrigger() | CreateIndex() if step.strategy == DIRECT:
                    pass  # the statement itself, which the catalog knows
                case CreateTrigger(trigger=trigger) if step.strategy == STRATEGY or not is_ours(trigger.name):
                    made[trigger.name.lower()] = _Made(trigger.table.name.lower(), statement)
                case CreateIndex(index=index) if index.table is not None:
                    made[index.name.name.lower()] = _Made(index.table.name.lower(), statement)
                case DropTrigger(name=name):
                    made.pop(name.lower(), None)
                case DropIndex(name=index_name):
                    made.pop(index_name.name.lower(), None)
                case RenameTable(name=name, to=to):
                    old = name.name.lower()
                    made |= {
                        key: _Made(to.lower(), rename_said(one.statement, old, to))
                        for key, one in made.items()
                        if one.table == old
                    }
                case _:
                    pass


def _kept(step: Step, made: dict[str, _Made]) -> Step:
    if not isinstance(step, RebuildTable):
        return step
    undo = step.undo
    if isinstance(undo, UndoSteps):
        undo = replace(undo, steps=tuple(_kept(one, made) for one in undo.steps))
    known = {_named(operation) for text in step.restore if SPEAKS.match(text) for operation in _read(text)}
    table = step.table.name.lower()
    beside = [one.statement for name, one in made.items() if one.table == table and name not in known]
    return replace(step, undo=undo, restore=(*step.restore, *beside))


def _named(operation: Operation) -> str:
    match operation:
        case CreateTrigger(trigger=trigger):
            return trigger.name.lower()
        case CreateIndex(index=index):
            return index.name.name.lower()
        case _:
            return ""


def _read(statement: str) -> tuple[Operation, ...]:
    try:
        return parse_sql(statement)
    except TokenFault:
        return ()
