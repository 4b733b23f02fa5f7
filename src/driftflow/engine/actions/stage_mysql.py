"""Stage on MySQL and MariaDB: the table is made anew in each try, since making it commits; then the rows in one transaction, then their key."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from driftflow.engine.context import Context
from driftflow.engine.faults import not_unique_error
from driftflow.engine.keyset import quoted
from driftflow.engine.ports import Connection
from driftflow.model.plan import Stage

KEY_TYPE = "varchar(700)"
"""A text cannot be a key; this is what fits into one with four bytes a character."""
TEXTS = frozenset({"text", "tinytext", "mediumtext", "longtext"})


def target(step: Stage) -> str:
    name = _quoted(step.table.name)
    return f"{_quoted(step.table.schema)}.{name}" if step.table.schema else name


def load(step: Stage, context: Context, rows: Iterator[Sequence[Any]], begun: float) -> None:
    connection, table = context.connection, target(step)
    context.check_fence()
    connection.execute(f"DROP TABLE IF EXISTS {table}")
    connection.execute(f"CREATE TABLE {table} ({', '.join(_columns(step))}) ENGINE=InnoDB")
    with context.watched(step.lock_timeout_ms), context.fenced(lock_ms=step.lock_timeout_ms, statement_ms=0):
        loaded = connection.load(table, [_quoted(name) for name, _ in step.columns], rows)
    context.check_fence()
    _add_key(step, connection, table)
    connection.query(f"ANALYZE TABLE {table}")
    with context.fenced():
        context.finished(step, begun, rows=loaded, structural=False)


def _columns(step: Stage) -> Iterator[str]:
    for name, type in step.columns:
        yield f"{_quoted(name)} {KEY_TYPE if name in step.key and type.lower() in TEXTS else type}"


def _add_key(step: Stage, connection: Connection, table: str) -> None:
    """The join needs one source row per key. The index also makes the join fast."""
    if not step.key:
        return
    key = ", ".join(_quoted(name) for name in step.key)
    missing = " OR ".join(f"{_quoted(name)} IS NULL" for name in step.key)
    empty = connection.query(f"SELECT COUNT(*) FROM {table} WHERE {missing}")[0][0]
    twice = connection.query(f"SELECT COUNT(*) FROM (SELECT 1 FROM {table} GROUP BY {key} HAVING COUNT(*) > 1) AS twice")[0][0]
    if twice or empty:
        raise not_unique_error(step, twice, empty)
    connection.execute(f"CREATE UNIQUE INDEX {_quoted(f'{step.table.name}_key'[:64])} ON {table} ({key})")


def _quoted(identifier: str) -> str:
    return quoted(identifier, dialect="mysql")
