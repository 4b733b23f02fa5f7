"""Pragmas, transactions, attached files."""

from __future__ import annotations

from driftflow.dialects.sqlite.effects.prediction import Prediction
from driftflow.dialects.sqlite.effects.table import DATABASE
from driftflow.model.operations import AlterObject, Pragma, TransactionControl

_OUTSIDE_TRANSACTIONS = frozenset({"foreign_keys", "journal_mode", "synchronous"})
"""Inside one, foreign_keys is ignored without a word, journal_mode too once something was written, and synchronous fails (measured)."""
_WRITES_FILE = frozenset({"user_version", "application_id", "schema_version", "auto_vacuum", "encoding"})


def pragma(p: Prediction, operation: Pragma) -> None:
    if operation.value is None:
        return
    name = operation.name
    if name in _OUTSIDE_TRANSACTIONS:
        p.transactional = False
    match name:
        case "foreign_keys":
            p.breaks("inside a transaction PRAGMA foreign_keys does nothing, and says nothing (measured)")
        case "journal_mode":
            p.exclusive = True
            p.writes(DATABASE, "changing the journal mode needs the file for itself")
        case "writable_schema" if operation.value.lower() not in {"0", "off", "false", "no"}:
            p.loses("SQLite's own protection of its schema: a wrong edit makes the file unreadable", DATABASE)
        case "wal_checkpoint" | "incremental_vacuum" | "optimize":
            p.writes(DATABASE, "pages are moved")
        case _ if name in _WRITES_FILE:
            p.writes(DATABASE, "a field of the file's header is written")
        case _:
            pass


def transaction(p: Prediction, operation: TransactionControl) -> None:
    """BEGIN IMMEDIATE takes the write lock at once; a plain BEGIN takes none yet."""
    words = operation.sql.upper().split()
    if operation.action == "begin" and {"IMMEDIATE", "EXCLUSIVE"} & set(words):
        p.exclusive = "EXCLUSIVE" in words and not p.wal
        p.writes(DATABASE, "the write lock is held until the commit")


def attached(p: Prediction, operation: AlterObject) -> None:
    if operation.kind == "database" and operation.action in {"attach", "detach"}:
        p.transactional = operation.action == "attach"
        p.unknown = "another file: its tables are not in this catalog" if operation.action == "attach" else ""
        return
    p.fails("unsupported", f"SQLite has no statement for {operation.kind}", certain=True)
