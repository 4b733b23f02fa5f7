"""MySQL and MariaDB: rows of a table that a table of ours names, locked, changed and deleted by a join that begins with ours.

A subquery in the WHERE of an UPDATE or DELETE would be asked of every row of the table, and every row so examined is locked, or waited for: what
a DELETE or a joined UPDATE only reads is locked too, whatever the isolation level. So the index is said by which rows are found, and rows are locked
at once or not at all: who never waits is in no deadlock, and the server would choose the application as its victim.
"""

from __future__ import annotations

from collections.abc import Iterable

from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.model.catalog import Table
from driftflow.strategies.columns.filling import chunk_key, unmoved


def lock(
    at: Situation, table: Table, source: str, on: str, where: str = "", *, alias: str = "", columns: tuple[str, ...] = ()
) -> str:
    """The rows of the table that the source joins, locked without waiting; an error of a lock that was not granted where one is taken."""
    mark = " NOWAIT" if at.can(Capability.LOCK_NOWAIT) else ""
    return f"SELECT COUNT(*) FROM {_joined(at, table, source, on, alias, columns)}{_where(where)} FOR UPDATE{mark}"


def update(
    at: Situation,
    table: Table,
    source: str,
    on: str,
    pairs: Iterable[tuple[str, str]],
    where: str = "",
    *,
    alias: str = "",
    columns: tuple[str, ...] = (),
) -> str:
    """`pairs` are (column, expression). Columns that the server would set to now with the change keep what they hold."""
    own, quote = alias or at.dialect.quote(table.name.name), at.dialect.quote
    every = (*pairs, *((name, f"{own}.{quote(name)}") for name, _ in unmoved(at, table, tuple(pairs))))
    sets = ", ".join(f"{own}.{quote(name)} = {value}" for name, value in every)
    return f"UPDATE {_joined(at, table, source, on, alias, columns)} SET {sets}{_where(where)}"


def delete(at: Situation, table: Table, source: str, on: str, where: str = "", *, columns: tuple[str, ...] = ()) -> str:
    target = at.dialect.quote_name(table.name)
    return f"DELETE {target} FROM {_joined(at, table, source, on, '', columns)}{_where(where)}"


def found(at: Situation, table: Table, alias: str = "", *, columns: tuple[str, ...] = ()) -> str:
    """The table in a join, found by its own key or by the index that begins with these columns, and not by reading all of it."""
    target = at.dialect.quote_name(table.name) + (f" AS {alias}" if alias else "")
    name = index_by(table, columns or chunk_key(at, table))
    return f"{target} FORCE INDEX ({at.dialect.quote(name)})" if name else target


def index_by(table: Table, columns: tuple[str, ...]) -> str:
    """The name of an index that begins with the columns; empty where none is known."""
    primary = table.primary_key
    if primary is not None and primary.columns[: len(columns)] == columns:
        return "PRIMARY"
    names = (
        index.name.name for index in table.indexes if index.columns[: len(columns)] == columns and index.method in ("", "btree")
    )
    return next(names, "")


def _joined(at: Situation, table: Table, source: str, on: str, alias: str, columns: tuple[str, ...] = ()) -> str:
    return f"{source} STRAIGHT_JOIN {found(at, table, alias, columns=columns)} ON {on}"


def _where(where: str) -> str:
    return f" WHERE {where}" if where else ""
