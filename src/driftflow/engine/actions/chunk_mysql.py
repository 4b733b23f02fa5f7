"""One chunk on MySQL and MariaDB: rows locked without waiting, UPDATE in their words, and the times of change left alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from driftflow.engine.keyset import Keyset, escaped, quoted
from driftflow.engine.ports import Connection
from driftflow.model.names import Version
from driftflow.model.plan import Backfill

NOWAIT = {"mysql": Version(major=8), "mariadb": Version(major=10, minor=3)}
KEPT = """
SELECT COLUMN_NAME FROM information_schema.COLUMNS
WHERE TABLE_SCHEMA = COALESCE(NULLIF(%s, ''), DATABASE()) AND TABLE_NAME = %s AND EXTRA LIKE '%%on update%%' ORDER BY ORDINAL_POSITION
"""
KEY_INDEX = """
SELECT INDEX_NAME, GROUP_CONCAT(COLUMN_NAME ORDER BY SEQ_IN_INDEX) FROM information_schema.STATISTICS
WHERE TABLE_SCHEMA = COALESCE(NULLIF(%s, ''), DATABASE()) AND TABLE_NAME = %s AND NON_UNIQUE = 0 GROUP BY INDEX_NAME
ORDER BY INDEX_NAME = 'PRIMARY' DESC
"""


def kept_columns(step: Backfill, connection: Connection) -> tuple[str, ...]:
    """Columns with ON UPDATE CURRENT_TIMESTAMP that the step does not set: what it does is no change of the application's."""
    if step.action != "update":
        return ()
    names = [str(name) for (name,) in connection.query(KEPT, (step.table.schema, step.table.name))]
    # Where a function says the values, nothing but those is written: the step's own assignments are not.
    written = step.function.outputs if step.function is not None else tuple(column for column, _ in step.assignments)
    set_here = {column.lower() for column in written}
    return tuple(name for name in names if name.lower() not in set_here)


def lock_rows(
    connection: Connection, keys: Keyset, condition: str, parameters: Sequence[Any], step: Backfill, *, waiting: bool = False
) -> None:
    """InnoDB ends whichever transaction of a deadlock changed fewer rows, and that would be the application's. Who never waits for a row is in no
    deadlock: so the chunk's rows are locked at once or not at all; or the one row, if it is one. Elsewhere nothing is done here."""
    oldest = NOWAIT.get(connection.dialect)
    if oldest is None or connection.version < oldest:
        return
    joined = bool(step.from_clause)
    which = f"({condition})" + (f" AND ({escaped(step.predicate)})" if step.predicate and not joined else "")
    tables = _joined(step, keys, connection) if joined and step.action == "delete" else escaped(keys.target)
    connection.query(f"SELECT COUNT(*) FROM {tables} WHERE {which} FOR UPDATE{'' if waiting else ' NOWAIT'}", parameters)


def unless_there(step: Backfill) -> str:
    """A row whose key is there stays as it is; any other error is one (INSERT IGNORE would keep silent about all of them)."""
    assert step.into is not None
    column = escaped(f"{quoted(step.into.name, dialect='mysql')}.{quoted(step.assignments[0][0], dialect='mysql')}")
    return f"ON DUPLICATE KEY UPDATE {column} = {column}"


def delete(step: Backfill, keys: Keyset, condition: str, connection: Connection) -> str:
    """By a join that begins with the source: a subquery would be asked of every row of the chunk, and each of them locked."""
    where = " AND ".join(f"({one})" for one in (condition, escaped(step.predicate)) if one)
    return f"DELETE {escaped(keys.target)} FROM {_joined(step, keys, connection)} WHERE {where}"


def _joined(step: Backfill, keys: Keyset, connection: Connection) -> str:
    """The table found by the index of its key, which a small table would not be by itself."""
    source = step.from_clause.strip()[len("FROM ") :]
    rows = connection.query(KEY_INDEX, (keys.table.schema, keys.table.name))
    wanted = ",".join(keys.columns).lower()
    index = next(
        (f" FORCE INDEX ({escaped(keys.quoted(str(name)))})" for name, columns in rows if str(columns).lower() == wanted), ""
    )
    return f"{escaped(source)} STRAIGHT_JOIN {escaped(keys.target)}{index} ON {escaped(step.join) or 'TRUE'}"


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
