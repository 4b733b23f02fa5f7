"""What the engine asks of the edge. Drivers, journal and monitors implement these; crash tests wrap them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from driftflow.dialects.base import ErrorKind
from driftflow.model.event import AnyEvent, Session
from driftflow.model.names import Version
from driftflow.model.record import Record

Row = tuple[Any, ...]


class DatabaseFault(Exception):
    """A server's error as the driver saw it, before anyone decided what it means."""

    def __init__(self, kind: ErrorKind, message: str, *, code: str = "", detail: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.code = code
        self.detail = detail
        self.hint = hint


class ServerIdentity(Record, frozen=True, kw_only=True):
    """Which server and database this is; changes on restore, clone, failover to a copy."""

    vendor: str
    system: str
    """PostgreSQL system identifier; SQLite: an id that the journal itself carries, with device and inode of the file."""
    database: str
    timeline: str = ""


class Connection(Protocol):
    """One session of one server. Not shared between threads, but for `cancel`. Placeholders are `%s` everywhere; drivers translate."""

    @property
    def dialect(self) -> str: ...

    @property
    def version(self) -> Version: ...

    @property
    def session(self) -> Session: ...

    @property
    def in_transaction(self) -> bool: ...

    def begin(self, *, write: bool = True) -> None:
        """Start a transaction. On SQLite `write` is BEGIN IMMEDIATE."""

    def commit(self) -> None: ...

    def rollback(self) -> None:
        """Also when there is none, or the connection is lost: never raises."""

    def execute(self, sql: str, parameters: Sequence[Any] | None = None) -> int:
        """Run one statement; rows affected, or -1. Without parameters the text is sent as it is (no placeholder is looked for).
        Raises DatabaseFault."""

    def query(self, sql: str, parameters: Sequence[Any] | None = None) -> list[Row]: ...

    def query_dicts(self, sql: str, parameters: Sequence[Any] | None = None) -> list[dict[str, Any]]: ...

    def execute_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> int: ...

    def load(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
        """Bulk load (COPY where there is one). `table` and `columns` are already quoted. Rows loaded."""

    def stream(self, sql: str, parameters: Sequence[Any] | None = None, *, batch: int = 1000) -> Iterator[Row]: ...

    def set_timeouts(self, *, lock_ms: int | None = None, statement_ms: int | None = None) -> None:
        """For the current transaction (SET LOCAL) or, outside one, for the session. 0 is no limit; None leaves as is."""

    def identity(self) -> ServerIdentity: ...

    def cancel(self) -> None:
        """Stop the statement that is running, from another thread. Never raises."""

    def close(self) -> None: ...


class Connector(Protocol):
    """Opens sessions to one database. `purpose` becomes part of application_name (`driftflow apply`, `driftflow heartbeat`)."""

    @property
    def dialect(self) -> str: ...

    @property
    def display(self) -> str:
        """The URL without its secret."""

    def connect(self, purpose: str = "apply") -> Connection: ...


class Reading(Record, frozen=True, kw_only=True):
    """What a signal says now. `ok` false means wait; stale or unreadable means wait too, and says so."""

    signal: str
    value: str
    ok: bool = True
    critical: bool = False
    """Abort instead of waiting: harm that we cause."""


class Signal(Protocol):
    """One thing that may ask the run to slow down or stop."""

    @property
    def name(self) -> str: ...

    def read(self, connection: Connection) -> Reading: ...


class Clock(Protocol):
    """Time, so that tests need not wait. Monotonic seconds for durations; sleep may be cut short by `wake`."""

    def monotonic(self) -> float: ...

    def sleep(self, seconds: float) -> None: ...

    def now(self) -> str:
        """UTC, ISO 8601 with microseconds."""


Listener = Callable[[AnyEvent], None]
"""Gets every event, durable or not, in order. Must not raise; must not wait."""


class JournalStore(Protocol):
    """Where the durable part of the events is kept. The one in the target database writes through the caller's transaction, so that a step and
    its entry commit together."""

    def install(self, connection: Connection) -> None: ...

    def append(self, connection: Connection, event: AnyEvent) -> None: ...

    def events(self, connection: Connection, run: str) -> list[AnyEvent]: ...

    def transaction(self, connection: Connection) -> AbstractContextManager[None]: ...
