"""What a session of SQLite writes, asked of SQLite itself: its authorizer is told of every table that a statement changes, before it runs."""

from __future__ import annotations

import sqlite3
from typing import Any

from driftflow.engine.ports import Connection, Connector
from driftflow.lab.proof.state import ours
from driftflow.lab.proof.watching import Seen, Watch
from driftflow.model.names import Name

ROWS = frozenset({sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE})
ON_SECOND = frozenset(
    {
        sqlite3.SQLITE_ALTER_TABLE,
        sqlite3.SQLITE_CREATE_INDEX,
        sqlite3.SQLITE_DROP_INDEX,
        sqlite3.SQLITE_CREATE_TRIGGER,
        sqlite3.SQLITE_DROP_TRIGGER,
    }
)
"""Their second argument names the table."""


class SqliteEye:
    """A changed table is told as RESERVED (its rows) or EXCLUSIVE (its schema): the file has one lock, and a claim names the table. Where the file keeps a
    write-ahead log all of it is RESERVED, for readers go on."""

    def __init__(self) -> None:
        self._touched: set[Seen] = set()
        self._known: set[str] = set()
        self._wal = False

    def opened(self, connection: Connection) -> None:
        raw: Any = connection
        self._known = _tables(connection)
        self._wal = str(connection.query("PRAGMA main.journal_mode")[0][0]).lower() == "wal"
        raw.raw.set_authorizer(self._asked)

    def before_commit(self, connection: Connection) -> set[Seen]:
        seen = {(name, mode) for name, mode in self._touched if name.name in self._known}
        self._touched = set()
        self._known = _tables(connection)
        return seen

    def alone(self, connection: Connection, connector: Connector, sql: str) -> Watch | None:
        return None

    def _asked(self, action: int, first: str | None, second: str | None, *_: object) -> int:
        table = first if action in ROWS or action == sqlite3.SQLITE_DROP_TABLE else second if action in ON_SECOND else None
        if table is not None and not table.startswith("sqlite_") and not ours(Name(schema="main", name=table)):
            mode = "RESERVED" if self._wal or action in ROWS else "EXCLUSIVE"
            self._touched.add((Name(schema="main", name=table), mode))
        return sqlite3.SQLITE_OK


def _tables(connection: Connection) -> set[str]:
    """A view that is dropped is told of as if its rows were deleted; it has none."""
    return {str(row[0]) for row in connection.query("SELECT name FROM sqlite_schema WHERE type = 'table'")}
