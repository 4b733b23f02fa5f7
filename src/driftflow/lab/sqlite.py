"""Throw-away copies of SQLite files."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from typing import Literal

from driftflow.errors import DatabaseError


def copy(source: Path, target: Path, *, method: Literal["backup", "vacuum"] = "backup", busy_timeout_ms: int = 5_000) -> Path:
    """A consistent copy of a database that may be written meanwhile, WAL content and all. Returns `target`.

    `backup` is page for page (free pages and the page layout stay); `vacuum` is compact, and slower on large files. The source is opened
    read-only. A target that exists is refused: the backup would silently replace it.
    """
    if target.exists():
        raise DatabaseError("DF-E446", "the copy's file exists already", where=str(target), hint=f"rm {target}")
    if not source.is_file():
        raise DatabaseError("DF-E447", "there is no SQLite file to copy", where=str(source), hint="driftflow doctor")
    uri = f"{source.resolve().as_uri()}?mode=ro"
    try:
        with contextlib.closing(sqlite3.connect(uri, uri=True, timeout=busy_timeout_ms / 1000)) as origin:
            if method == "vacuum":
                origin.execute("VACUUM INTO ?", (str(target),))
            else:
                with contextlib.closing(sqlite3.connect(target)) as copied:
                    origin.backup(copied)
    except sqlite3.Error as fault:
        target.unlink(missing_ok=True)
        raise DatabaseError(
            "DF-E448",
            "the SQLite file could not be copied",
            where=str(source),
            why=str(fault),
            hint=f"ls -l {source} {target.parent}",
        ) from fault
    return target


def create(path: Path, script: str = "", *, wal: bool = False) -> Path:
    """A new database file with the script's schema and rows, with a write-ahead log if it is to have one. Returns `path`."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        if wal:
            connection.execute("PRAGMA journal_mode = wal")
        connection.executescript(script or "PRAGMA user_version = 0;")
    return path
