"""Queries that the server remembers (PostgreSQL's pg_stat_statements), searched for what a migration changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from driftflow.model.finding import Reference
from driftflow.usage.repository import mentions

if TYPE_CHECKING:
    from driftflow.engine.ports import Connection

INSTALLED = "SELECT count(*) FROM pg_extension WHERE extname = 'pg_stat_statements'"
RECORDED = """
SELECT query, calls FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid
WHERE d.datname = current_database() AND query !~* 'driftflow' ORDER BY calls DESC LIMIT 5000
"""


def recorded_references(connection: Connection, names: Mapping[str, Sequence[str]]) -> tuple[Reference, ...]:
    """Recorded queries that mention a table or its columns, most often called first. Empty where the server records none.

    Constants are already `$1` in what the server keeps, so no values come along.
    """
    if connection.dialect != "postgresql" or not connection.query(INSTALLED)[0][0]:
        return ()
    found: list[Reference] = []
    for query, calls in connection.query(RECORDED):
        text = " ".join(str(query).split())
        for table, columns in names.items():
            if mentions(table).search(text):
                hits = [name for name in columns if mentions(name).search(text)] or [table]
                found += [Reference(name=name, file="pg_stat_statements", calls=int(calls), text=text[:160]) for name in hits]
    return tuple(found)
