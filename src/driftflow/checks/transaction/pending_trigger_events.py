"""DF705: ALTER TABLE after a change of rows whose deferred checks still wait: the server refuses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from driftflow.checks.base import check, finding
from driftflow.dialects.situation import Situation
from driftflow.model.catalog import ForeignKey, Table
from driftflow.model.finding import Finding, Remedy
from driftflow.model.names import Name
from driftflow.model.operations import (
    AddColumn,
    AddConstraint,
    AlterColumnType,
    BaseOperation,
    Delete,
    DropColumn,
    DropConstraint,
    DropTable,
    Insert,
    Operation,
    SetNotNull,
    SetSetting,
    Truncate,
    Update,
)

_Altering = (AddColumn, DropColumn, AlterColumnType, SetNotNull, AddConstraint, DropConstraint, DropTable, Truncate)


@check(
    "DF705",
    on=_Altering,
    page="transaction/pending-trigger-events",
    title="ALTER TABLE with deferred checks pending",
    dialects=("postgresql",),
    only=(
        "in_transaction",
        "not_first_of_transaction",
    ),
)
def pending_trigger_events(operation: BaseOperation, at: Situation) -> Iterator[Finding]:
    """Error 55006. Only with a constraint that is initially deferred, or a deferred constraint trigger."""
    target = getattr(operation, "table", None) or getattr(operation, "name", None)
    table = at.table(target) if isinstance(target, Name) else None
    if table is None or not _deferred(at, table):
        return
    earlier = _since_last_check(at.earlier_of(Insert, Update, Delete, SetSetting))
    if not any(isinstance(one, Insert | Update | Delete) and one.table == target and _waits(at, table, one) for one in earlier):
        return
    yield finding(
        at,
        f"will fail when rows of {table.name.name} were changed: deferred checks are still pending in this transaction",
        axis="breaks",
        severity="error",
        why="the server cannot alter a table whose trigger events wait for the commit (55006)",
        remedy=Remedy(
            summary="let the checks run first, or put the change of rows into a migration of its own",
            sql="SET CONSTRAINTS ALL IMMEDIATE;",
        ),
    )


def _since_last_check(earlier: Sequence[Operation]) -> Sequence[Operation]:
    """What stands behind the last SET CONSTRAINTS ... IMMEDIATE: it runs the checks that were waiting."""
    checked = [
        at
        for at, one in enumerate(earlier)
        if isinstance(one, SetSetting) and one.name == "constraints" and (one.value or "").lower() == "immediate"
    ]
    return earlier[checked[-1] + 1 :] if checked else earlier


def _waits(at: Situation, table: Table, change: Insert | Update | Delete) -> bool:
    """Whether the change of rows leaves a check behind: a foreign key asks about new values of its columns, one that points here about old ones."""
    own = [one for one in table.constraints if getattr(one, "initially_deferred", False)]
    far = [key for _, key in at.catalog.referencing(table.name) if key.initially_deferred]
    match change:
        case Insert():
            return bool(own) or bool(change.on_conflict)
        case Delete():
            return bool(far)
        case _:
            columns = {name for name, _ in change.assignments}
            asked = [one.columns if isinstance(one, ForeignKey) else () for one in own] + [key.referenced_columns for key in far]
            return not columns or any(not one or columns & set(one) for one in asked)


def _deferred(at: Situation, table: Table) -> bool:
    own = any(getattr(item, "initially_deferred", False) for item in table.constraints)
    far = any(key.initially_deferred for _, key in at.catalog.referencing(table.name))
    return own or far
