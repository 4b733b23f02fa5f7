"""Examinations of a SQLite database file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from driftflow.doctor import Examination, Examined
from driftflow.engine.ports import DatabaseFault

if TYPE_CHECKING:
    from driftflow.engine.ports import Connection


def library(connection: Connection) -> Iterator[Examined]:
    version = connection.query("SELECT sqlite_version()")[0][0]
    yield Examined(
        name="library", state="ok", found=f"SQLite {version}; every other client brings its own, so ask each of them too"
    )


def journal_mode(connection: Connection) -> Iterator[Examined]:
    mode = str(connection.query("PRAGMA journal_mode")[0][0]).lower()
    if mode == "wal":
        yield Examined(name="journal mode", state="ok", found="WAL: readers go on while a step writes")
    else:
        yield Examined(
            name="journal mode",
            state="warning",
            found=f"{mode}: readers wait while a step commits, and a step waits for readers",
            hint="PRAGMA journal_mode=WAL; -- once, kept in the file",
        )


def write_lock(connection: Connection) -> Iterator[Examined]:
    """Whether the write lock can be had now. Taken and given back at once; nothing is written."""
    try:
        connection.begin(write=True)
        # On a read-only file BEGIN IMMEDIATE is granted all the same; only a write is refused. It is rolled back.
        version = int(connection.query("PRAGMA user_version")[0][0])
        connection.execute(f"PRAGMA user_version = {version}")
    except DatabaseFault as fault:
        connection.rollback()
        yield Examined(
            name="write lock", state="problem", found=fault.message, hint="another process is writing, or the file is read-only"
        )
        return
    connection.rollback()
    yield Examined(name="write lock", state="ok", found="free")


def integrity(connection: Connection) -> Iterator[Examined]:
    """`quick_check` reads the whole file once; only its first complaint matters here."""
    answer = str(connection.query("PRAGMA quick_check(1)")[0][0])
    if answer == "ok":
        yield Examined(name="integrity", state="ok", found="quick_check says ok")
    else:
        yield Examined(
            name="integrity",
            state="problem",
            found=answer,
            hint="restore from a backup, or .recover into a new file, before any migration",
        )


def foreign_keys(connection: Connection) -> Iterator[Examined]:
    broken = connection.query('SELECT "table", count(*) FROM pragma_foreign_key_check GROUP BY 1')
    if not broken:
        yield Examined(name="foreign keys", state="ok", found="no orphans")
    for table, count in broken:
        yield Examined(
            name="foreign keys",
            state="warning",
            found=f"{count} rows of {table} point at nothing: a rebuild of the table stops at its foreign key check",
            hint=f"PRAGMA foreign_key_check({table});",
        )


def broken_views(connection: Connection) -> Iterator[Examined]:
    """A view that does not prepare makes every RENAME in the database fail (3.25 and later)."""
    views = connection.query("SELECT name FROM sqlite_master WHERE type = 'view' ORDER BY 1")
    broken = 0
    for (name,) in views:
        quoted = '"' + str(name).replace('"', '""') + '"'
        try:
            connection.query(f"SELECT 1 FROM {quoted} LIMIT 0")
        except DatabaseFault as fault:
            broken += 1
            yield Examined(
                name="views",
                state="warning",
                found=f"view {name} does not work: {fault.message}",
                hint=f"DROP VIEW {quoted}; or repair it",
            )
    if not broken:
        yield Examined(name="views", state="ok", found=f"all {len(views)} work" if views else "none")


EXAMINATIONS: tuple[Examination, ...] = (library, journal_mode, write_lock, integrity, foreign_keys, broken_views)
