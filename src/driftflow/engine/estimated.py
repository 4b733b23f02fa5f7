"""How many rows a query of ours would read here, asked of the server before anything is read."""

from __future__ import annotations

import re
from collections.abc import Mapping

from driftflow.dialects.base import ErrorKind
from driftflow.dialects.rows_read import COUNT, EXPLAIN, SizeOf
from driftflow.engine.ports import Connection, DatabaseFault

_POSTGRESQL = "SELECT n.nspname, c.relname, greatest(c.reltuples, 0) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = %s AND c.relname = %s"


def rows_read(query: str, connection: Connection) -> int | None:
    """The server's estimate; None where it gives none: then nothing is known, and the cap in time is all there is.

    Raises DatabaseFault only when the connection is lost. Leaves no transaction open.
    """
    connection.begin(write=False)
    try:
        rows = connection.query_dicts(EXPLAIN[connection.dialect] + query)
        return int(COUNT[connection.dialect](rows, _sizes(query, connection)))
    except DatabaseFault as fault:
        if fault.kind is ErrorKind.CONNECTION_LOST:
            raise
        return None
    finally:
        connection.rollback()


def _sizes(query: str, connection: Connection) -> SizeOf:
    known: dict[tuple[str, str], float | None] = {}

    def size_of(schema: str, relation: str) -> float | None:
        key = (schema, relation)
        if key not in known:
            known[key] = _size(connection, schema, relation, query)
        return known[key]

    return size_of


def _size(connection: Connection, schema: str, relation: str, query: str) -> float | None:
    if connection.dialect == "postgresql":
        found = connection.query(_POSTGRESQL, (schema, relation))
        return float(found[0][2]) if found else None
    return _size_on_sqlite(connection, _behind_alias(query).get(relation, relation))


def _behind_alias(query: str) -> Mapping[str, str]:
    """SQLite's plan calls a relation by its alias. Our own queries write one with AS."""
    return {alias: name.strip('"`') for name, alias in re.findall(r'("[^"]+"|[\w$]+) AS (\w+)', query)}


def _size_on_sqlite(connection: Connection, name: str) -> float | None:
    """As ANALYZE saw it; else the largest rowid, which is looked up in an instant and is never less than the rows of a table without gaps."""
    if not connection.query("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = %s", (name,)):
        return None
    if connection.query("SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_stat1'"):
        found = connection.query("SELECT stat FROM sqlite_stat1 WHERE tbl = %s LIMIT 1", (name,))
        if found:
            return float(str(found[0][0]).split()[0])
    quoted = name.replace('"', '""').replace("%", "%%")
    try:
        return float(connection.query(f'SELECT coalesce(max(rowid), 0) FROM "{quoted}"', ())[0][0])
    except DatabaseFault:  # a table WITHOUT ROWID has none
        return None
