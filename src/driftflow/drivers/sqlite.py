"""SQLite: one file, one writer at a time. The module of Python's standard library, in manual transaction mode."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from driftflow.dialects.base import ErrorKind
from driftflow.engine.ports import Blocker, DatabaseFault, Row, ServerIdentity, SessionState
from driftflow.errors import ConnectError
from driftflow.model.effects import LockClaim
from driftflow.model.event import Session
from driftflow.model.names import Name, Version
from driftflow.patterns import lazy_regex

OLDEST = Version(major=3, minor=35)
"""DROP COLUMN and RETURNING; older libraries are refused."""
NETWORK_FILE_SYSTEMS = frozenset(
    {
        "nfs",
        "nfs4",
        "cifs",
        "smbfs",
        "smb2",
        "smb3",
        "afs",
        "ceph",
        "glusterfs",
        "lustre",
        "fuse.sshfs",
        "fuse.glusterfs",
        "ncpfs",
        "davfs",
    }
)
BUSY_MS = 5_000
"""Until somebody sets another: how long a lock is awaited."""
PLACEHOLDER = lazy_regex(r"%([s%])")

KINDS: dict[str, ErrorKind] = {
    "SQLITE_BUSY": ErrorKind.LOCK_TIMEOUT,
    "SQLITE_LOCKED": ErrorKind.LOCK_TIMEOUT,
    "SQLITE_PROTOCOL": ErrorKind.LOCK_TIMEOUT,
    "SQLITE_INTERRUPT": ErrorKind.CANCELLED,
    "SQLITE_CONSTRAINT": ErrorKind.CONSTRAINT,
    "SQLITE_FULL": ErrorKind.DISK_FULL,
    "SQLITE_READONLY": ErrorKind.READ_ONLY,
    "SQLITE_PERM": ErrorKind.RIGHTS,
    "SQLITE_AUTH": ErrorKind.RIGHTS,
    "SQLITE_IOERR": ErrorKind.CONNECTION_LOST,
    "SQLITE_CANTOPEN": ErrorKind.CONNECTION_LOST,
    "SQLITE_ERROR": ErrorKind.SYNTAX,
}
"""By primary result code; the extended name (SQLITE_BUSY_SNAPSHOT) begins with it."""


def error_kind(name: str) -> ErrorKind:
    """What an (extended) result code name means to the engine."""
    if name in {"SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY"}:
        return ErrorKind.DUPLICATE
    return KINDS.get("_".join(name.split("_")[:2]), ErrorKind.OTHER)


def fault_from(error: sqlite3.Error) -> DatabaseFault:
    name = getattr(error, "sqlite_errorname", "") or ""
    if not name and "closed" in str(error):
        return DatabaseFault(ErrorKind.CONNECTION_LOST, str(error), code="CLOSED")
    return DatabaseFault(error_kind(name), str(error), code=name)


def translated(sql: str) -> str:
    """`%s` as SQLite writes a placeholder; `%%` is a percent sign."""
    return PLACEHOLDER.sub(lambda found: "?" if found.group(1) == "s" else "%", sql)


class SqliteConnector:
    """Opens sessions to one file."""

    dialect = "sqlite"

    def __init__(self, path: str, *, display: str = "", read_only: bool = False) -> None:
        self._path = path
        self.display = display or f"sqlite:///{path}"
        self._read_only = read_only

    def __repr__(self) -> str:
        return f"SqliteConnector({self.display!r})"

    def connect(self, purpose: str = "apply") -> SqliteConnection:
        """Raises ConnectError for what is missing, not ours to write, not a database, or on a network file system."""
        file = _file_of(self._path)
        self._examine(file)
        try:
            raw = sqlite3.connect(
                self._uri(file), isolation_level=None, check_same_thread=False, uri=True, timeout=0, cached_statements=64
            )
        except sqlite3.Error as error:
            raise ConnectError(
                "DF-E401", "the SQLite file cannot be opened", where=self.display, why=str(error), hint=f"ls -l {file}"
            ) from error
        connection = SqliteConnection(raw, file)
        try:
            connection.set_timeouts(lock_ms=BUSY_MS)
            connection.query("PRAGMA schema_version")
        except DatabaseFault as fault:
            connection.close()
            raise self._refused(fault) from fault
        return connection

    def _uri(self, file: Path) -> str:
        if self._path.startswith("file:"):
            return self._path
        return f"file:{quote(str(file))}?mode={'ro' if self._read_only else 'rw'}"

    def _refused(self, fault: DatabaseFault) -> ConnectError:
        if fault.kind is ErrorKind.LOCK_TIMEOUT:
            return ConnectError(
                "DF-E403", f"the SQLite file stayed locked for {BUSY_MS} ms", where=self.display,
                why="another process holds an exclusive lock", hint="find it with: fuser -v " + str(_file_of(self._path)),
            )  # fmt: skip
        if fault.code.startswith("SQLITE_NOTADB"):
            return ConnectError(
                "DF-E402", "the file is not a SQLite database", where=self.display, hint="is it encrypted, or another format?"
            )
        return ConnectError(
            "DF-E401",
            "the SQLite file cannot be read",
            where=self.display,
            why=fault.message,
            hint=f"sqlite3 {_file_of(self._path)} 'PRAGMA integrity_check'",
        )

    def _examine(self, file: Path) -> None:
        if Version.parse(sqlite3.sqlite_version) < OLDEST:
            raise ConnectError(
                "DF-E406",
                f"SQLite {sqlite3.sqlite_version} is not supported",
                why=f"{OLDEST} is the oldest",
                hint="use a newer Python",
            )
        if not file.exists():
            raise ConnectError(
                "DF-E404", "there is no such SQLite file", where=str(file), hint="check the path; driftflow creates none"
            )
        system = file_system(file)
        if system in NETWORK_FILE_SYSTEMS:
            raise ConnectError(
                "DF-E407", f"the SQLite file is on a network file system ({system})", where=str(file),
                why="file locks there cannot be relied on, and two writers may damage the file", hint="run driftflow on the machine that holds it",
            )  # fmt: skip
        if not self._read_only and not (os.access(file, os.W_OK) and os.access(file.parent, os.W_OK)):
            raise ConnectError(
                "DF-E405", "the SQLite file is read-only for us", where=str(file),
                why="the file or its folder (where the journal file goes) is not writable", hint=f"ls -ld {file} {file.parent}",
            )  # fmt: skip


def _file_of(path: str) -> Path:
    return Path(unquote(urlsplit(path).path)) if path.startswith("file:") else Path(path).expanduser()


def file_system(file: Path, mounts: Path = Path("/proc/self/mountinfo")) -> str:
    """The type of the file system that holds the file; empty where the system does not say."""
    try:
        lines = mounts.read_text(errors="replace").splitlines()
    except OSError:
        return ""
    place, best, found = str(file.resolve()), "", ""
    for line in lines:
        left, _, right = line.partition(" - ")
        mounted = left.split()[4].encode().decode("unicode_escape") if len(left.split()) > 4 else ""
        if mounted and len(mounted) >= len(best) and (place == mounted or place.startswith(mounted.rstrip("/") + "/")):
            best, found = mounted, right.split()[0]
    return found


def _process_started(pid: int) -> str:
    """A text that differs when the process id was given to another process; empty where the system does not say."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


class SqliteConnection:
    """One session. `execute` without parameters sends the text as it is.

    `foreign_keys` stays at the library's default (off), as in the migration tools: with it on, DROP TABLE deletes the rows of referencing
    tables by their ON DELETE CASCADE.
    """

    dialect = "sqlite"

    def __init__(self, raw: sqlite3.Connection, file: Path) -> None:
        self._raw = raw
        self._file = file
        self._process = Session(id=os.getpid(), started_at=_process_started(os.getpid()))
        self.version = Version.parse(sqlite3.sqlite_version)

    @property
    def raw(self) -> sqlite3.Connection:
        return self._raw

    @property
    def session(self) -> Session:
        """SQLite has no server sessions: the process stands for it."""
        return self._process

    @property
    def in_transaction(self) -> bool:
        try:
            return self._raw.in_transaction
        except sqlite3.Error:
            return False  # Closed.

    def begin(self, *, write: bool = True) -> None:
        self.execute("BEGIN IMMEDIATE" if write else "BEGIN")

    def commit(self) -> None:
        self.execute("COMMIT")

    def rollback(self) -> None:
        try:
            if self._raw.in_transaction:
                self._raw.execute("ROLLBACK")
        except sqlite3.Error:
            pass  # The connection is gone, and the transaction with it.

    def _run(self, sql: str, parameters: Sequence[Any] | None) -> sqlite3.Cursor:
        try:
            if parameters is None:
                return self._raw.execute(sql)
            return self._raw.execute(translated(sql), tuple(parameters))
        except sqlite3.Error as error:
            raise fault_from(error) from error

    def execute(self, sql: str, parameters: Sequence[Any] | None = None) -> int:
        cursor = self._run(sql, parameters)
        try:
            if cursor.description is not None:
                cursor.fetchall()
            return cursor.rowcount
        except sqlite3.Error as error:
            raise fault_from(error) from error
        finally:
            cursor.close()

    def query(self, sql: str, parameters: Sequence[Any] | None = None) -> list[Row]:
        cursor = self._run(sql, parameters)
        try:
            return cursor.fetchall()
        except sqlite3.Error as error:
            raise fault_from(error) from error
        finally:
            cursor.close()

    def query_dicts(self, sql: str, parameters: Sequence[Any] | None = None) -> list[dict[str, Any]]:
        cursor = self._run(sql, parameters)
        try:
            names = [column[0] for column in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        except sqlite3.Error as error:
            raise fault_from(error) from error
        finally:
            cursor.close()

    def execute_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> int:
        try:
            return self._raw.executemany(translated(sql), rows).rowcount
        except sqlite3.Error as error:
            raise fault_from(error) from error

    def load(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
        marks = ", ".join("?" for _ in columns)
        loaded = self._raw.total_changes
        try:
            self._raw.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", rows)
        except sqlite3.Error as error:
            raise fault_from(error) from error
        return self._raw.total_changes - loaded

    def stream(self, sql: str, parameters: Sequence[Any] | None = None, *, batch: int = 1000) -> Iterator[Row]:
        cursor = self._run(sql, parameters)
        try:
            while rows := list(islice(cursor, batch)):
                yield from rows
        except sqlite3.Error as error:
            raise fault_from(error) from error
        finally:
            cursor.close()

    def set_timeouts(self, *, lock_ms: int | None = None, statement_ms: int | None = None) -> None:
        """The busy timeout. SQLite has no limit for a statement's time; `cancel` stops one."""
        if lock_ms is not None:
            self._run(f"PRAGMA busy_timeout = {int(lock_ms) or 2**31 - 1}", None).close()

    def unless_held(self, claims: Sequence[LockClaim], *, door: Name | None = None) -> AbstractContextManager[None]:
        """There is one writer, and whoever waits for it holds nothing that it waits for."""
        return nullcontext()

    def sees_holders(self) -> bool:
        return False

    def identity(self) -> ServerIdentity:
        """The id that the journal carries (none before it is installed), with device and inode: a copy of the file has another inode."""
        found = self._file.stat()
        own = ""
        if self.query("SELECT 1 FROM sqlite_schema WHERE name = '_driftflow_meta'"):
            rows = self.query("SELECT value FROM _driftflow_meta WHERE key = 'database_id'")
            own = rows[0][0] if rows else ""
        return ServerIdentity(vendor="sqlite", system=f"{own}:{found.st_dev}:{found.st_ino}", database="main")

    def server_now(self) -> str:
        text: str = self.query("SELECT strftime('%Y-%m-%dT%H:%M:%f', 'now')")[0][0]
        return f"{text}000Z"

    def notices(self) -> tuple[str, ...]:
        return ()

    def session_state(self, session: Session) -> SessionState:
        """`unknown` while the process lives (it may do anything), else `gone`. Only meaningful on the machine that wrote it."""
        try:
            os.kill(session.id, 0)
        except ProcessLookupError:
            return "gone"
        except OSError:
            return "unknown"
        started = _process_started(session.id)
        return "gone" if started and session.started_at and started != session.started_at else "unknown"

    def waits_for_lock(self, session: Session) -> bool:
        return False

    def end_session(self, session: Session, *, force: bool) -> None:
        """Not ours to end: the other process's write lock ends with its transaction."""

    def blockers(self, session: Session) -> tuple[Blocker, ...]:
        return ()

    def cancel(self) -> None:
        with suppress(sqlite3.Error):  # Closed already.
            self._raw.interrupt()

    def close(self) -> None:
        with suppress(sqlite3.Error):  # A statement is still open in another thread; the process's end closes it.
            self._raw.close()
