"""One chunk on MySQL and MariaDB: rows locked without waiting, UPDATE in their words, and the times of change left alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from driftflow.engine.keyset import Keyset, escaped
from driftflow.engine.ports import Connection
from driftflow.model.names import Version
from driftflow.model.plan import Backfill

NOWAIT = {"mysql": Version(major=8), "mariadb": Version(major=10, minor=3)}
KEPT = """
SELECT COLUMN_NAME FROM information_schema.COLUMNS
WHERE TABLE_SCHEMA = COALESCE(NULLIF(%s, ''), DATABASE()) AND TABLE_NAME = %s AND EXTRA LIKE '%%on update%%' ORDER BY ORDINAL_POSITION
"""


def kept_columns(step: Backfill, connection: Connection) -> tuple[str, ...]:
    """Columns with ON UPDATE CURRENT_TIMESTAMP that the step does not set: what it does is no change of the application's."""
    if step.action != "update":
        return ()
    names = [str(name) for (name,) in connection.query(KEPT, (step.table.schema, step.table.name))]
    set_here = {column.lower() for column, _ in step.assignments}
    outputs = {name.lower() for name in step.function.outputs} if step.function is not None else set()
    return tuple(name for name in names if name.lower() not in set_here | outputs)


def lock_rows(
    connection: Connection, keys: Keyset, condition: str, parameters: Sequence[Any], *, predicate: str, joined: bool
) -> None:
    """InnoDB ends whichever transaction of a deadlock changed fewer rows, and that would be the application's. Who never waits for a row is in no
    deadlock: so the chunk's rows are locked at once or not at all. Elsewhere nothing is done here."""
    oldest = NOWAIT.get(connection.dialect)
    if oldest is None or connection.version < oldest:
        return
    which = f"({condition})" + (f" AND ({escaped(predicate)})" if predicate and not joined else "")
    connection.query(f"SELECT COUNT(*) FROM {escaped(keys.target)} WHERE {which} FOR UPDATE NOWAIT", parameters)


def update(step: Backfill, keys: Keyset, kept: Sequence[str], condition: str) -> str:
    """A joined UPDATE names its tables first, and its columns with their table."""
    column = keys.column
    pairs = [(column(name), expression) for name, expression in step.assignments] + [
        (column(name), column(name)) for name in kept
    ]
    assignments = ", ".join(f"{escaped(name)} = {escaped(expression)}" for name, expression in pairs)
    source = step.from_clause.strip()
    if source[:5].upper() == "FROM ":
        source = source[5:]
    tables = escaped(keys.target) + (f", {escaped(source)}" if source else "")
    where = " AND ".join(f"({one})" for one in (condition, escaped(step.join), escaped(step.predicate)) if one)
    return f"UPDATE {tables} SET {assignments} WHERE {where}"
