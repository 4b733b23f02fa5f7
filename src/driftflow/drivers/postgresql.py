"""PostgreSQL through psycopg 3: raw sessions, one statement per message, READ COMMITTED whatever the server's default is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo

from driftflow.dialects.base import ErrorKind
from driftflow.dialects.postgresql.engine_kind import engine_kind
from driftflow.dialects.unsaid_values import without_values
from driftflow.drivers import postgresql_session as sessions
from driftflow.engine.ports import Blocker, DatabaseFault, Row, ServerIdentity, SessionState
from driftflow.errors import ConnectError
from driftflow.model.effects import LockClaim
from driftflow.model.event import Session
from driftflow.model.names import Name, Version

OLDEST = Version(major=12)
IDLE_LIMIT_MS = 300_000
"""A transaction of ours that nobody drives any more ends by itself: it would hold locks and the vacuum horizon."""
OTHER_LIMITS = {"idle_session_timeout": Version(major=14), "transaction_timeout": Version(major=17)}
FALLBACK_KINDS: dict[str, ErrorKind] = {
    "55P03": ErrorKind.LOCK_TIMEOUT,
    "40P01": ErrorKind.DEADLOCK,
    "40001": ErrorKind.SERIALIZATION,
    "57P01": ErrorKind.CONNECTION_LOST,
    "57P02": ErrorKind.CONNECTION_LOST,
    "57P03": ErrorKind.CONNECTION_LOST,
    "57P05": ErrorKind.CONNECTION_LOST,
    "25P03": ErrorKind.CONNECTION_LOST,
    "42501": ErrorKind.RIGHTS,
    "42601": ErrorKind.SYNTAX,
    "23505": ErrorKind.DUPLICATE,
    "42P07": ErrorKind.DUPLICATE,
    "42710": ErrorKind.DUPLICATE,
    "42701": ErrorKind.DUPLICATE,
    "53100": ErrorKind.DISK_FULL,
    "25006": ErrorKind.READ_ONLY,
}


def error_kind(code: str, message: str = "") -> ErrorKind:
    """What a SQLSTATE means to the engine. 57014 is both a cancellation and a statement timeout: only the message tells."""
    if code == "57014":
        return ErrorKind.STATEMENT_TIMEOUT if "statement timeout" in message else ErrorKind.CANCELLED
    if code in FALLBACK_KINDS:
        return FALLBACK_KINDS[code]
    return {"08": ErrorKind.CONNECTION_LOST, "23": ErrorKind.CONSTRAINT}.get(code[:2], ErrorKind.OTHER)


def fault_from(error: psycopg.Error, *, lost: bool = False) -> DatabaseFault:
    code = error.sqlstate or ""
    detail = error.diag
    message = detail.message_primary or str(error).strip()
    kind = (
        ErrorKind.CONNECTION_LOST
        if lost or (not code and isinstance(error, psycopg.OperationalError))
        else error_kind(code, message)
    )
    return DatabaseFault(kind, message, code=code, detail=detail.message_detail or "", hint=detail.message_hint or "")


class OneStatementCursor(psycopg.Cursor[Row]):
    """Always the extended protocol, which takes one statement per message: a second one, by whatever mistake, is an error of the server."""

    def _execute_send(self, query: Any, *, force_extended: bool = True, binary: bool | None = None) -> None:
        super()._execute_send(query, force_extended=True, binary=binary)


class PostgresqlConnector:
    """Opens sessions to one database. The password is kept apart and never part of `repr`, messages or the process title."""

    dialect = "postgresql"

    def __init__(
        self,
        url: str,
        *,
        display: str,
        password: str = "",
        read_only: bool = False,
        statement_timeout_ms: int = 0,
        pooler_check: bool = True,
    ) -> None:
        self._url = url
        self.display = display
        self._password = password
        self._read_only = read_only
        self._statement_timeout_ms = statement_timeout_ms
        self._pooler_check = pooler_check

    def __repr__(self) -> str:
        return f"PostgresqlConnector({self.display!r})"

    def connect(self, purpose: str = "apply") -> PostgresqlConnection:
        """Raises ConnectError: not reachable, wrong password, no such database, too old, a look-alike, a pooler in transaction mode."""
        connection = PostgresqlConnection(self._open(purpose))
        try:
            self._examine(connection)
            self._settle(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _open(self, purpose: str) -> psycopg.Connection[Row]:
        try:
            return psycopg.connect(
                make_conninfo(self._url, **({"password": self._password} if self._password else {})),
                autocommit=True,
                prepare_threshold=None,
                cursor_factory=OneStatementCursor,
                application_name=f"driftflow {purpose}",
                connect_timeout=10,
                keepalives=1,
                keepalives_idle=30,
                keepalives_interval=10,
                keepalives_count=3,
                tcp_user_timeout=60_000,
                client_encoding="UTF8",
            )
        except psycopg.Error as error:
            raise _connect_error(error, self.display) from None

    def _settle(self, connection: PostgresqlConnection) -> None:
        """The session's own settings. A pooler in session mode resets them when we leave."""
        settings = {
            "default_transaction_isolation": "read committed",
            "idle_in_transaction_session_timeout": str(IDLE_LIMIT_MS),
            # Only how dates are shown: in which order the migration's own literals are read ("01/02/2030") stays the database's matter.
            "datestyle": "ISO",
            "intervalstyle": "postgres",
            # Keys travel as text, and statements are written by us: a role's habits must not change what either means.
            "extra_float_digits": "1",
            "standard_conforming_strings": "on",
            "quote_all_identifiers": "off",
            "default_transaction_read_only": "on" if self._read_only else "off",
            "statement_timeout": str(self._statement_timeout_ms),
            "lock_timeout": "0",
        }
        # A role's own limits would end a pause, a chunk or the tool's lock: what we run has limits of its own.
        settings |= {name: "0" for name, since in OTHER_LIMITS.items() if connection.version >= since}
        calls = ", ".join("pg_catalog.set_config(%s, %s, false)" for _ in settings)
        connection.query(f"SELECT {calls}", [text for pair in settings.items() for text in pair])

    def _examine(self, connection: PostgresqlConnection) -> None:
        full: str = connection.query("SELECT pg_catalog.version()")[0][0]
        kind = engine_kind(full)
        if kind != "postgresql":
            raise ConnectError(
                "DF-E411",
                f"this server speaks PostgreSQL's protocol but is {kind}",
                where=self.display,
                why="its locks and its DDL behave differently, so nothing that we predict would hold",
                hint="driftflow supports PostgreSQL, MySQL, MariaDB and SQLite",
            )
        if connection.version < OLDEST:
            raise ConnectError(
                "DF-E412", f"PostgreSQL {connection.version} is not supported", where=self.display, why=f"{OLDEST.major} is the oldest",
                hint="upgrade the server",
            )  # fmt: skip
        if self._pooler_check and connection.behind_pooler and self._changes_sessions(connection):
            raise ConnectError(
                "DF-E413", "a pooler in transaction mode stands before the server", where=self.display,
                why="another client was given our server session between two statements: session locks and settings do not hold there",
                hint="connect to the server itself, or to a pool in session mode",
            )  # fmt: skip

    def _changes_sessions(self, connection: PostgresqlConnection) -> bool:
        """Two clients of a pool in session mode never share a server session; in transaction mode an idle client gives its session away."""
        mine = connection.session.id
        other = PostgresqlConnection(self._open("pooler test"))
        try:
            other.begin()
            taken = other.query("SELECT pg_catalog.pg_backend_pid()")[0][0]
            if taken == mine:
                return True  # Asking our own connection now would wait for a session that the other one holds.
            return bool(connection.query("SELECT pg_catalog.pg_backend_pid()")[0][0] != mine)
        finally:
            other.rollback()
            other.close()


def _connect_error(error: psycopg.Error, display: str) -> ConnectError:
    """libpq's message names host, user and database, never the password."""
    text = str(error).strip()
    lowered = text.lower()
    if "password authentication failed" in lowered or "no password supplied" in lowered or "no pg_hba.conf entry" in lowered:
        code, what, hint = (
            "DF-E409",
            "the server refused the user or the password",
            "check PGPASSWORD, ~/.pgpass, or --password-command",
        )
    elif "does not exist" in lowered and "database" in lowered:
        code, what, hint = "DF-E410", "there is no such database", "psql -l shows those that there are"
    elif "does not exist" in lowered and "role" in lowered:
        code, what, hint = "DF-E409", "there is no such role", "check the user in the URL"
    else:
        code, what, hint = "DF-E408", "the PostgreSQL server cannot be reached", "check host, port and that the server runs"
    return ConnectError(code, what, where=display, why=_reason(text) or type(error).__name__, hint=hint)


def _reason(text: str) -> str:
    """libpq's last line; where that only asks whether the server runs, the line above it says what happened."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return next((line for line in reversed(lines) if not line.startswith("Is the server running")), "")


class PostgresqlConnection:
    """One session. `execute` without parameters sends the text as it is."""

    dialect = "postgresql"

    def __init__(self, raw: psycopg.Connection[Row]) -> None:
        self._raw = raw
        self._notices: list[str] = []
        raw.add_notice_handler(self._listen)
        number = raw.info.server_version
        self.version = (
            Version(major=number // 10000, minor=number % 10000) if number >= 100_000 else Version(major=number // 10000)
        )
        pid, started = self.query(sessions.OWN)[0]
        self.session = Session(id=pid, started_at=started)

    @property
    def raw(self) -> psycopg.Connection[Row]:
        return self._raw

    @property
    def behind_pooler(self) -> bool:
        """PgBouncer and its like make up the process id of the protocol's greeting; the server's own differs."""
        return self._raw.info.backend_pid != self.session.id

    @property
    def in_transaction(self) -> bool:
        return self._raw.info.transaction_status in {
            psycopg.pq.TransactionStatus.INTRANS,
            psycopg.pq.TransactionStatus.INERROR,
            psycopg.pq.TransactionStatus.ACTIVE,
        }

    def begin(self, *, write: bool = True) -> None:
        self.execute(f"BEGIN ISOLATION LEVEL READ COMMITTED {'READ WRITE' if write else 'READ ONLY'}")

    def commit(self) -> None:
        """Raises where the server answers ROLLBACK: a failed transaction must never pass for a committed one."""
        with self._faults(), self._raw.cursor() as cursor:
            cursor.execute("COMMIT")
            if cursor.statusmessage != "COMMIT":
                raise DatabaseFault(ErrorKind.OTHER, "the server rolled the transaction back at COMMIT", code="25P02")

    def rollback(self) -> None:
        with suppress(psycopg.Error):
            if self.in_transaction and not self._raw.closed:
                self._raw.execute("ROLLBACK")

    def _faults(self) -> _Faults:
        return _Faults(self._raw)

    def execute(self, sql: str, parameters: Sequence[Any] | None = None) -> int:
        with self._faults(), self._raw.cursor() as cursor:
            return cursor.execute(_text(sql), parameters).rowcount

    def query(self, sql: str, parameters: Sequence[Any] | None = None) -> list[Row]:
        with self._faults(), self._raw.cursor() as cursor:
            cursor.execute(_text(sql), parameters)
            return cursor.fetchall() if cursor.description is not None else []

    def query_dicts(self, sql: str, parameters: Sequence[Any] | None = None) -> list[dict[str, Any]]:
        with self._faults(), self._raw.cursor() as cursor:
            cursor.execute(_text(sql), parameters)
            names = [column.name for column in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in (cursor.fetchall() if names else [])]

    def execute_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> int:
        with self._faults(), self._raw.cursor() as cursor:
            cursor.executemany(_text(sql), rows)
            return cursor.rowcount

    def load(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
        statement = f"COPY {table} ({', '.join(columns)}) FROM STDIN"
        loaded = 0
        with self._faults(), self._raw.cursor() as cursor, cursor.copy(_text(statement)) as copy:
            for row in rows:
                copy.write_row(row)
                loaded += 1
        return loaded

    def stream(self, sql: str, parameters: Sequence[Any] | None = None, *, batch: int = 1000) -> Iterator[Row]:
        """By a server-side cursor; makes a transaction of its own where there is none."""
        own = not self.in_transaction
        if own:
            self.begin(write=False)
        try:
            with self._faults(), psycopg.ServerCursor(self._raw, "driftflow_stream") as cursor:
                cursor.itersize = batch
                cursor.execute(_text(sql), parameters)
                yield from cursor
        finally:
            if own:
                self.rollback()

    def set_timeouts(self, *, lock_ms: int | None = None, statement_ms: int | None = None) -> None:
        wanted = [("lock_timeout", lock_ms), ("statement_timeout", statement_ms)]
        settings = [(name, f"{value}ms", self.in_transaction) for name, value in wanted if value is not None]
        if settings:  # One message for both: a backfill sends it with every chunk.
            calls = ", ".join("pg_catalog.set_config(%s, %s, %s)" for _ in settings)
            self.query(f"SELECT {calls}", [part for setting in settings for part in setting])

    def unless_held(self, claims: Sequence[LockClaim], *, door: Name | None = None) -> AbstractContextManager[None]:
        """In a deadlock we give up first: what the engine runs waits for less than `deadlock_timeout`."""
        return nullcontext()

    def sees_holders(self) -> bool:
        return False

    def identity(self) -> ServerIdentity:
        return sessions.identity(self)

    def server_now(self) -> str:
        text: str = self.query(sessions.NOW)[0][0]
        return text

    def _listen(self, said: psycopg.errors.Diagnostic) -> None:
        self._notices.append(f"{said.severity}: {without_values(said.sqlstate or '', said.message_primary or '')}")

    def notices(self) -> tuple[str, ...]:
        said = tuple(self._notices)
        self._notices.clear()
        return said

    def session_state(self, session: Session) -> SessionState:
        return sessions.state(self, session)

    def waits_for_lock(self, session: Session) -> bool:
        return False

    def end_session(self, session: Session, *, force: bool) -> None:
        sessions.end(self, session, force=force)

    def blockers(self, session: Session) -> tuple[Blocker, ...]:
        return sessions.blockers(self, session)

    def cancel(self) -> None:
        with suppress(Exception):  # By contract: whatever goes wrong, the statement's own limit still stands.
            self._raw.cancel_safe(timeout=5.0)

    def close(self) -> None:
        with suppress(psycopg.Error):
            self._raw.close()


class _Faults:
    """psycopg's errors as DatabaseFault; a lost connection is told by its state, not by its message."""

    def __init__(self, raw: psycopg.Connection[Row]) -> None:
        self._raw = raw

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, psycopg.Error):
            lost = self._raw.closed or self._raw.info.status != psycopg.pq.ConnStatus.OK
            raise fault_from(error, lost=bool(lost)) from error


def _text(statement: str) -> bytes:
    """psycopg's types want a literal or bytes; ours are composed by the planner from rendered SQL."""
    return statement.encode()
