"""Which row a copy into another form fails at: told by its key and by the kind of its fault, never by a value."""

from __future__ import annotations

from driftflow.dialects.base import ErrorKind
from driftflow.engine.actions.acting import acting_as
from driftflow.engine.actions.chunk import Change
from driftflow.engine.context import Context
from driftflow.engine.faults import place
from driftflow.engine.keyset import Keyset, escaped, shown
from driftflow.engine.ports import DatabaseFault, Row
from driftflow.errors import StepFailedError
from driftflow.model.plan import Backfill

ABOUT_THE_ROW = {
    "1048": "a column is NULL that the new form holds to be NOT NULL",
    "1062": "another row has its unique value",
    "1264": "a number is out of range",
    "1265": "a value would be cut",
    "1292": "a value is none of the new type",
    "1366": "a value is none of the new type, or has a character that the new character set has not",
    "1364": "a column is left out that has no default",
    "1406": "a value is too long",
    "1411": "a value is none of the new type",
    "1452": "it points at nothing",
    "1526": "no partition takes it",
    "1690": "a number is out of range",
    "3140": "a value is no JSON",
    "3819": "a check refuses it",
    "4025": "a check refuses it",
}
"""Error numbers of MySQL and MariaDB whose cause is in the data, and what they mean without the value that the server's own message may hold."""
NOTED = "driftflow_k"


def check_data(
    fault: DatabaseFault, step: Backfill, context: Context, keys: Keyset, change: Change, low: Row | None, upper: Row
) -> None:
    """Raises StepFailedError (DF-E700) naming the first row of `(low, upper]` that does not fit; returns where the fault is about something else."""
    said = ABOUT_THE_ROW.get(fault.code) if step.fresh and keys.on_mysql else None
    if said is None:
        return
    context.connection.rollback()
    found = _first(step, context, keys, change, low, upper)
    which = f"the row with the key {_key(step, context, keys, found)}: {said}" if found is not None else said
    raise StepFailedError(
        "DF-E700",
        "a row does not fit into the new form of its table",
        where=place(step),
        why=f"{which} (error {fault.code}); there may be more of them",
        hint=f"correct it, then: driftflow resume {context.run}; or driftflow rollback {context.run}",
    ) from None


def _first(step: Backfill, context: Context, keys: Keyset, change: Change, low: Row | None, upper: Row) -> Row | None:
    """By halves, each tried and rolled back. None where it fits by now."""
    connection = context.connection
    if not _fails(step, context, change, low, upper):
        return None
    condition, parameters = keys.range(low, upper)
    count = int(connection.query(f"SELECT COUNT(*) FROM {escaped(keys.target)} WHERE {condition}", parameters)[0][0])
    while count > 1:
        middle = keys.boundary(connection, low=low, upper=upper, keys=count // 2)
        if _fails(step, context, change, low, middle):
            upper, count = middle, count // 2
        else:
            low, count = middle, count - count // 2
    return upper


def _fails(step: Backfill, context: Context, change: Change, low: Row | None, high: Row) -> bool:
    connection = context.connection
    connection.begin()
    try:
        with acting_as(step, connection):
            change.apply(connection, low=low, high=high)
    except DatabaseFault as fault:
        if fault.kind is ErrorKind.CONNECTION_LOST:
            raise
        return fault.code in ABOUT_THE_ROW
    finally:
        connection.rollback()
    return False


def _key(step: Backfill, context: Context, keys: Keyset, found: Row) -> str:
    """Of the row itself, also where what is walked is the log in which its key was noted."""
    noted = [column for column, _ in step.assignments if column.startswith(NOTED)]
    if noted:
        condition = f"{escaped(keys.row)} = {keys.placeholders}"
        columns = ", ".join(escaped(keys.quoted(column)) for column in noted)
        rows = context.connection.query(f"SELECT {columns} FROM {escaped(keys.target)} WHERE {condition}", list(found))
        found = rows[0] if rows else found
    parts = [str(part) for part in shown(found)]
    return parts[0] if len(parts) == 1 else f"({', '.join(parts)})"
