"""What the engine asks of the edge. Drivers, journal and monitors implement these; crash tests wrap them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Literal, Protocol

from driftflow.dialects.base import ErrorKind
from driftflow.model.effects import LockClaim
from driftflow.model.event import AnyEvent, Session
from driftflow.model.names import Name, Version
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


class Held(DatabaseFault):
    """Somebody uses a table that the statement needs for itself. It was not carried out, and nobody waits behind it."""

    def __init__(self, message: str, *, code: str = "") -> None:
        super().__init__(ErrorKind.LOCK_TIMEOUT, message, code=code)


class ServerIdentity(Record, frozen=True, kw_only=True):
    """Which server and database this is; changes on restore, clone, failover to a copy."""

    vendor: str
    system: str
    """PostgreSQL system identifier; SQLite: an id that the journal itself carries, with device and inode of the file."""
    database: str
    timeline: str = ""


class Blocker(Record, frozen=True, kw_only=True):
    """A session that holds what another one waits for."""

    session: Session
    user: str = ""
    application: str = ""
    state: str = ""
    """`active`, `idle in transaction`, ...; empty where we may not see it."""
    age_seconds: int = 0
    """Of its transaction."""
    query: str = ""
    """Cut to 120 characters."""
    untouchable: str = ""
    """Why it must never be ended: a walsender, a dump, a backup, an anti-wraparound vacuum."""

    @property
    def text(self) -> str:
        """One line for a person."""
        who = f"session {self.session.id}" + (f" ({self.application or self.user})" if self.application or self.user else "")
        state = f", {self.state}" if self.state else ""
        return f"{who}{state}, in its transaction for {self.age_seconds} s: {self.query or 'its statement is not visible to us'}"


SessionState = Literal["active", "idle", "gone", "unknown"]


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

    def unless_held(self, claims: Sequence[LockClaim], *, door: Name | None = None) -> AbstractContextManager[None]:
        """Within it `execute` (without parameters) raises Held where it would have to wait for one of these locks, wherever a request that waits makes
        the server end whom it waits for (MySQL, MariaDB); elsewhere, and where the server lets nobody see, it waits as ever. Writers of `door` are kept
        out meanwhile, for what takes several locks one after the other (MySQL). Outside transactions only."""

    def sees_holders(self) -> bool:
        """Whether `unless_held` goes by a look at who holds the locks (MySQL), and this session may look."""

    def identity(self) -> ServerIdentity: ...

    def server_now(self) -> str:
        """UTC by the server's clock, ISO 8601 with microseconds."""

    def notices(self) -> tuple[str, ...]:
        """What the server said beside its results since the last call."""

    def session_state(self, session: Session) -> SessionState:
        """Whether another session still lives, and whether it is running a statement."""

    def waits_for_lock(self, session: Session) -> bool:
        """Whether another session waits for a lock now. Only where the server's own limit counts in whole seconds (MySQL): elsewhere that
        limit is exact, and the answer is always no."""

    def end_session(self, session: Session, *, force: bool) -> None:
        """Cancel what it runs, or with `force` end it. Nothing happens when it is gone or its start time differs."""

    def blockers(self, session: Session) -> tuple[Blocker, ...]:
        """Who holds what that session waits for, now. Empty where the server cannot say (SQLite)."""

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


class ReplicaPort(Protocol):
    """One server that was given as a replica of the database that is changed."""

    @property
    def display(self) -> str:
        """The URL without its secret."""

    def connect(self, primary: Connection) -> Connection:
        """A session that only reads. Raises RefusedError (DF-E756) where it is no replica of the primary's database."""

    def lag(self, connection: Connection, primary: Connection) -> str:
        """How far it is behind now, for people."""


KnownReplicas = Callable[[Connection, Sequence[Connection]], tuple[str, ...]]
"""Replicas that the primary knows and that are not among the connections, by name and address."""


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


Verb = Literal["pause", "resume", "throttle", "abort", "gate"]


class Request(Record, frozen=True, kw_only=True):
    """What somebody asked of a run from another terminal."""

    id: int
    verb: Verb
    arguments: Mapping[str, str] = {}
    by: str = ""


RunStatus = Literal["running", "phase_done", "waiting_at_gate", "paused", "aborted", "failed", "unknown", "done", "rolled_back"]
ENDED: tuple[RunStatus, ...] = ("done", "rolled_back")
"""A run in one of these never goes on, and holds no claims."""


class RunRow(Record, frozen=True, kw_only=True):
    """The row of one run, apart from its events."""

    id: str
    plan_digest: str
    status: RunStatus = "running"
    plan: bytes = b""
    """The plan itself, canonical JSON; empty in lists."""
    identity: ServerIdentity | None = None
    fingerprint: str = ""
    """Of the plan's fingerprint relations when the run began."""
    executor: str = ""
    """Who holds the lease, or held it last."""
    created_at: str = ""
    updated_at: str = ""
    message: str = ""


class Lease(Record, frozen=True, kw_only=True):
    """Who executes a run. `expired` is the server's opinion."""

    executor: str
    session: Session | None = None
    expires_ms: int = 0
    expired: bool = False


class Progress(Record, frozen=True, kw_only=True):
    """The one progress row of a chunked step. `cursor` and `upper` are the dialect's own key texts, as JSON."""

    step: str
    chunk: int = 0
    passes: int = 1
    cursor: str = ""
    upper: str = ""
    rows: int = 0
    keys: int = 0
    milliseconds: int = 0
    skipped: str = ""
    """Keys of rows that were locked by others for long, as JSON; done at the end."""
    finished: bool = False


class Debris(Record, frozen=True, kw_only=True):
    """An object of ours, registered before it is created, with the statement that removes it (IF EXISTS form)."""

    run: str
    step: str
    kind: str
    name: str
    drop_sql: str


class ClaimConflict(Exception):
    """Another unfinished run claims one of the relations."""

    def __init__(self, run: str, relation: str) -> None:
        super().__init__(f"{relation} is claimed by run {run}")
        self.run = run
        self.relation = relation


class JournalStore(Protocol):
    """Where the durable part of the events is kept. The one in the target database writes through the caller's connection and, when it is in
    one, its transaction, so that a step and its entry commit together. Methods that write and find no transaction make their own.
    """

    def installed(self, connection: Connection) -> bool:
        """Whether there is a journal at all. Raises JournalError when it is newer than we are. Writes nothing."""

    def install(self, connection: Connection) -> None:
        """Create or migrate forward. Raises JournalError when it is newer than we are, RefusedError when a publication would carry it."""

    def transaction(self, connection: Connection) -> AbstractContextManager[None]:
        """A write transaction; joins the one that is open."""

    def create_run(self, connection: Connection, row: RunRow, claims: Sequence[str]) -> None:
        """The row, its fence (0), an empty lease and its claims, at once. Raises ClaimConflict."""

    def claim(self, connection: Connection, run: str, claims: Sequence[str]) -> None:
        """Take the claims again (a rollback of a finished run). Raises ClaimConflict."""

    def release_claims(self, connection: Connection, run: str) -> None: ...

    def run(self, connection: Connection, run: str) -> RunRow | None: ...

    def find(self, connection: Connection, plan_digest: str, *, done: bool = False) -> RunRow | None:
        """The unfinished run of that plan; with `done` the newest that was carried out to the end."""

    def set_status(self, connection: Connection, run: str, status: RunStatus, message: str = "") -> None: ...

    def set_identity(self, connection: Connection, run: str, identity: ServerIdentity) -> None: ...

    def events(self, connection: Connection, run: str) -> list[AnyEvent]: ...

    def append(self, connection: Connection, event: AnyEvent) -> None: ...

    def fence(self, connection: Connection, run: str) -> int:
        """The token, its row locked FOR SHARE until the transaction ends."""

    def raise_fence(self, connection: Connection, run: str) -> int:
        """One more, and the new token. Waits for every transaction that holds it."""

    def lease(self, connection: Connection, run: str) -> Lease | None: ...

    def take_lease(
        self, connection: Connection, run: str, executor: str, *, session: Session, seconds: int, force: bool
    ) -> Lease | None:
        """Take it when it is free, expired, ours, or `force`. None when taken; else who holds it."""

    def renew_lease(self, connection: Connection, run: str, executor: str, *, seconds: int) -> bool:
        """False when it is no longer ours."""

    def release_lease(self, connection: Connection, run: str, executor: str) -> None: ...

    def progress(self, connection: Connection, run: str, step: str) -> Progress | None: ...

    def save_progress(self, connection: Connection, run: str, progress: Progress) -> None: ...

    def requests(self, connection: Connection, run: str) -> list[Request]:
        """Those not yet taken, oldest first."""

    def mark_taken(self, connection: Connection, run: str, ids: Sequence[int]) -> None: ...

    def open_gate(self, connection: Connection, run: str, gate: str, by: str) -> None: ...

    def opened_gates(self, connection: Connection, run: str) -> dict[str, str]:
        """Name of the gate to who opened it."""

    def register(self, connection: Connection, debris: Debris) -> None: ...

    def unregister(self, connection: Connection, run: str, name: str) -> None: ...

    def debris(self, connection: Connection, run: str = "") -> tuple[Debris, ...]: ...
