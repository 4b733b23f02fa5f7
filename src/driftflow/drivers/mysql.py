"""MySQL and MariaDB through PyMySQL: raw sessions, one statement per message, READ COMMITTED whatever the server's default is (where its binary
log bears it)."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from typing import Any

import pymysql
from pymysql.constants import CLIENT, SERVER_STATUS
from pymysql.cursors import SSCursor

from driftflow.dialects.base import ErrorKind
from driftflow.dialects.mysql.engine_kind import engine_kind
from driftflow.dialects.mysql.errors import error_kind
from driftflow.dialects.unsaid_values import without_values
from driftflow.drivers import mysql_session as sessions
from driftflow.drivers.mysql_door import Door
from driftflow.drivers.mysql_free import execute_behind, holders_are_seen, look_at
from driftflow.drivers.mysql_place import Place
from driftflow.engine.ports import Blocker, DatabaseFault, Held, Row, ServerIdentity, SessionState
from driftflow.errors import ConnectError
from driftflow.model.effects import LockClaim
from driftflow.model.event import Session
from driftflow.model.names import Name, Version

OLDEST = {"mysql": Version(major=5, minor=7), "mariadb": Version(major=10, minor=4)}
ANOTHER_LANGUAGE = frozenset({"ORACLE", "EMPTY_STRING_IS_NULL"})
"""Modes of MariaDB under which words of MariaDB's are reserved, routines are PL/SQL, or an empty text is none."""
KEEPS_STATISTICS = Version(major=8)
CONNECT_SECONDS = 10
NO_LIMIT_SECONDS = 31_536_000
"""The most that lock_wait_timeout takes: a year."""
AT_ONCE = {"lock_wait_timeout": "0"}
"""MariaDB alone takes this: a lock is granted now, or the statement fails without having waited."""
SOON = {"lock_wait_timeout": "1"}
"""The least that MySQL takes."""
NOT_GRANTED = "1205"
LOAD_ROWS = 1_000
NO_HABITS = {
    # MySQL tells a new session that it commits each statement also where the default is that it does not (measured on 9.7.4), so PyMySQL would not ask for it.
    "autocommit": "1",
    # A session that only reads a little would be told half of a catalog or of a journal, and not be told so.
    "sql_select_limit": "18446744073709551615",
    "sql_big_selects": "1",
    # Our own tables are emptied as a whole, and what a migration says is not for a person's prompt.
    "sql_safe_updates": "0",
    # Else a COMMIT begins the next transaction, or ends the session.
    "completion_type": "0",
}
"""What an administrator may have set for people's sessions."""
LOST_CODES = frozenset({0, 2006, 2013, 2014, 2055})
"""PyMySQL's own numbers: it closed the connection before it raised one of these."""


def fault_from(error: pymysql.Error, *, mariadb: bool, lost: bool = False) -> DatabaseFault:
    number, message = _parts(error)
    kind = ErrorKind.CONNECTION_LOST if lost or number in LOST_CODES else error_kind(str(number), mariadb=mariadb)
    return DatabaseFault(kind, message or "the connection is closed", code=str(number))


def _parts(error: pymysql.Error) -> tuple[int, str]:
    number = error.args[0] if error.args and isinstance(error.args[0], int) else 0
    message = str(error.args[1]) if len(error.args) > 1 else str(error)
    return number, message


class MysqlConnector:
    """Opens sessions to one database. The password is kept apart and never part of `repr`, messages or the process title."""

    def __init__(self, place: Place, *, read_only: bool = False, statement_timeout_ms: int = 0) -> None:
        self._place = place
        self._read_only = read_only
        self._statement_timeout_ms = statement_timeout_ms
        self._vendor = ""
        self.display = place.display

    def __repr__(self) -> str:
        return f"MysqlConnector({self.display!r})"

    @property
    def dialect(self) -> str:
        """What the server said it is; before anybody asked it, what the URL's scheme says."""
        return self._vendor or self._place.scheme

    def connect(self, purpose: str = "apply") -> MysqlConnection:
        """Raises ConnectError: not reachable, wrong password, no such database, too old, a look-alike."""
        connection = MysqlConnection(self._open(purpose), self)
        try:
            self._vendor = self._examine(connection)
            self._settle(connection)
        except DatabaseFault as fault:
            connection.close()
            raise ConnectError(
                "DF-E408", "the MySQL or MariaDB server cannot be reached", where=self.display, why=fault.message,
                hint="check host, port and that the server runs",
            ) from fault  # fmt: skip
        except BaseException:
            connection.close()
            raise
        return connection

    def raw(self, purpose: str) -> Any:
        """A bare session with the same rights, to end what another session runs."""
        return self._open(purpose)

    def _open(self, purpose: str) -> Any:
        place = self._place
        try:
            if place.socket:
                _knock(place.socket)
            return pymysql.connect(
                host=place.host or "localhost",
                port=place.port or 3306,
                unix_socket=place.socket or None,
                user=place.user or None,
                # PyMySQL would encode a text as Latin-1.
                password=place.password.encode(),
                database=place.database or None,
                charset="utf8mb4",
                autocommit=True,
                connect_timeout=CONNECT_SECONDS,
                program_name=f"driftflow {purpose}",
                init_command="SET " + ", ".join(f"SESSION {name} = {value}" for name, value in NO_HABITS.items()),
                # Rows that matched, not rows that changed: as every other server counts.
                client_flag=CLIENT.FOUND_ROWS,
                local_infile=False,
                **_tls(place),
            )
        except (pymysql.Error, OSError, RuntimeError) as error:
            raise self._refusal(error) from None

    def _refusal(self, error: Exception) -> ConnectError:
        """The server's message names user, host and database, never the password."""
        number, why = _parts(error) if isinstance(error, pymysql.Error) else (0, str(error))
        if number == 1049:
            code, what, hint = "DF-E410", "there is no such database", "SHOW DATABASES lists those that there are"
        elif number in {1044, 1045, 1698, 1862, 1820, 4151}:
            code, what = "DF-E409", "the server refused the user or the password"
            hint = "check MYSQL_PWD, ~/.my.cnf, or --password-command"
        elif isinstance(error, RuntimeError):
            # Its password goes over TLS only, or encrypted by a package that we do not need otherwise.
            code, what, hint = "DF-E409", "the server refused the user or the password", "add ?ssl_mode=REQUIRED to the URL"
        else:
            code, what, hint = (
                "DF-E408",
                "the MySQL or MariaDB server cannot be reached",
                "check host, port and that the server runs",
            )
        return ConnectError(code, what, where=self.display, why=why or type(error).__name__, hint=hint)

    def _examine(self, connection: MysqlConnection) -> str:
        kind = connection.kind
        if kind not in OLDEST:
            raise ConnectError(
                "DF-E411",
                f"this server speaks MySQL's protocol but is {kind}",
                where=self.display,
                why="its locks and its DDL behave differently, so nothing that we predict would hold",
                hint="driftflow supports MySQL and MariaDB",
            )
        if connection.version < OLDEST[kind]:
            raise ConnectError(
                "DF-E412", f"{kind} {connection.version} is not supported", where=self.display, why=f"{OLDEST[kind]} is the oldest",
                hint="upgrade the server",
            )  # fmt: skip
        if foreign := sorted(ANOTHER_LANGUAGE & connection.sql_mode):
            raise ConnectError(
                "DF-E418",
                f"this server speaks another SQL by default: sql_mode {', '.join(foreign)}",
                where=self.display,
                why="driftflow reads migrations, and writes its journal, in MariaDB's own language, where '' is a text and no NULL",
                hint="take the mode out of the server's default, and let the sessions that want it set it",
            )
        return kind

    def _settle(self, connection: MysqlConnection) -> None:
        """The session's own settings. sql_mode stays the server's: what the migration's own text means is the database's matter."""
        access = "READ ONLY" if self._read_only else "READ WRITE"
        connection.execute(f"SET SESSION TRANSACTION ISOLATION LEVEL {sessions.isolation(connection)}, {access}")
        if connection.kind == "mysql" and connection.version >= KEEPS_STATISTICS:
            # Else information_schema says how many rows a table had when somebody last asked, for a day.
            connection.execute("SET SESSION information_schema_stats_expiry = 0")
        # A global limit would end what we run: that has limits of its own.
        connection.set_timeouts(lock_ms=0, statement_ms=self._statement_timeout_ms)


def _knock(path: str) -> None:
    """Raises OSError where nobody listens. Asked first, since PyMySQL leaves a socket open that is refused."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(CONNECT_SECONDS)
        probe.connect(path)


def _tls(place: Place) -> dict[str, Any]:
    """PREFERRED is PyMySQL's own default: TLS where the server offers it, and no check of who it is."""
    if place.tls == "DISABLED" or place.socket:
        return {"ssl_disabled": True}
    if place.tls == "PREFERRED":
        return {}
    context = ssl.create_default_context(cafile=place.ca or None)
    # The certificates that MySQL makes by itself lack the key usage that Python 3.13 asks for.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    context.check_hostname = place.tls == "VERIFY_IDENTITY"
    context.verify_mode = ssl.CERT_REQUIRED if place.tls.startswith("VERIFY") else ssl.CERT_NONE
    if place.certificate:
        context.load_cert_chain(place.certificate, place.key or None)
    return {"ssl": context}


class MysqlConnection:
    """One session. `execute` without parameters sends the text as it is."""

    def __init__(self, raw: Any, connector: MysqlConnector) -> None:
        self._raw = raw
        self._connector = connector
        self._notices: list[str] = []
        self._settled: dict[str, str] = {}
        self._local: dict[str, str] = {}
        self._sent: dict[str, str] = {}
        self._at_once: dict[str, str] = {}
        self._look = ""
        self._door: Door | None = None
        number, comment, id, mode = self.query("SELECT @@version, @@version_comment, CONNECTION_ID(), @@sql_mode")[0]
        self.kind = engine_kind(str(number), str(comment))
        found = re.match(r"\d+(?:\.\d+){0,2}", str(number))
        self.version = Version.parse(found[0]) if found else Version(major=0)
        self.sql_mode = frozenset(str(mode).split(","))
        self.session = Session(id=int(id), started_at=sessions.server_started(self))

    @property
    def dialect(self) -> str:
        return self.kind

    @property
    def raw(self) -> Any:
        return self._raw

    @property
    def in_transaction(self) -> bool:
        return bool(self._raw.open and self._raw.server_status & SERVER_STATUS.SERVER_STATUS_IN_TRANS)

    def begin(self, *, write: bool = True) -> None:
        self._bare(f"START TRANSACTION {'READ WRITE' if write else 'READ ONLY'}")
        self._local = {}

    def commit(self) -> None:
        self._bare("COMMIT")

    def rollback(self) -> None:
        with suppress(DatabaseFault):
            if self._raw.open:
                self._bare("ROLLBACK")

    def _bare(self, sql: str) -> None:
        """Waits for nothing, so no limit needs to be set before it."""
        with self._cursor() as cursor:
            cursor.execute(sql)

    @contextmanager
    def _cursor(self, kind: type[Any] | None = None) -> Iterator[Any]:
        """PyMySQL's errors as DatabaseFault; a lost connection is told by its state, not by its message."""
        try:
            with self._raw.cursor(kind) as cursor:
                yield cursor
        except pymysql.Error as error:
            fault = fault_from(error, mariadb=self.dialect == "mariadb", lost=not self._raw.open)
            if self._at_once and fault.code == NOT_GRANTED:
                raise Held(fault.message, code=fault.code) from error
            raise fault from error

    def execute(self, sql: str, parameters: Sequence[Any] | None = None) -> int:
        self._sync()
        with self._cursor() as cursor:
            if self._door is not None and parameters is None:
                self._door.execute(sql, cursor)
            elif self._look and parameters is None:
                execute_behind(self._look, sql, cursor)
            else:
                cursor.execute(sql, parameters)
            self._listen(cursor)
            return int(cursor.rowcount)

    def _listen(self, cursor: Any) -> None:
        if cursor.warning_count:
            warnings = self._raw.show_warnings() or ()
            self._notices += [f"{level}: {without_values(str(code), message)}" for level, code, message in warnings]

    def query(self, sql: str, parameters: Sequence[Any] | None = None) -> list[Row]:
        self._sync()
        with self._cursor() as cursor:
            cursor.execute(sql, parameters)
            return list(cursor.fetchall()) if cursor.description else []

    def query_dicts(self, sql: str, parameters: Sequence[Any] | None = None) -> list[dict[str, Any]]:
        self._sync()
        with self._cursor() as cursor:
            cursor.execute(sql, parameters)
            names = [column[0] for column in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in (cursor.fetchall() if names else [])]

    def execute_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> int:
        self._sync()
        with self._cursor() as cursor:
            return int(cursor.executemany(sql, rows) or 0)

    def load(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
        """By INSERTs of a thousand rows: LOAD DATA LOCAL is switched off on most servers."""
        row = f"({', '.join(['%s'] * len(columns))})"
        source, loaded = iter(rows), 0
        while batch := list(islice(source, LOAD_ROWS)):
            values = [value for one in batch for value in one]
            loaded += self.execute(f"INSERT INTO {table} ({', '.join(columns)}) VALUES {', '.join([row] * len(batch))}", values)
        return loaded

    def stream(self, sql: str, parameters: Sequence[Any] | None = None, *, batch: int = 1000) -> Iterator[Row]:
        """Row by row from the server's own buffer; nothing else can be asked until it has been read."""
        self._sync()
        with self._cursor(SSCursor) as cursor:
            cursor.execute(sql, parameters)
            while rows := cursor.fetchmany(batch):
                yield from rows

    def set_timeouts(self, *, lock_ms: int | None = None, statement_ms: int | None = None) -> None:
        """As SET LOCAL does, which neither server knows: sent with the next statement, and taken back behind the transaction. Lock waits count
        in whole seconds here, so a part of one is rounded up (`waits_for_lock` is for the rest); MySQL's statement limit ends SELECT only."""
        wanted = self._local if self.in_transaction else self._settled
        if lock_ms is not None:
            seconds = -(-lock_ms // 1000) if lock_ms else NO_LIMIT_SECONDS
            wanted["lock_wait_timeout"] = wanted["innodb_lock_wait_timeout"] = str(seconds)
        if statement_ms is not None:
            if self.kind == "mariadb":
                wanted["max_statement_time"] = f"{statement_ms / 1000:.3f}"
            else:
                wanted["max_execution_time"] = str(statement_ms)

    def _sync(self) -> None:
        """The limits as they were last asked for, where the server has others."""
        if not self.in_transaction:
            self._local.clear()
        wanted = {**self._settled, **self._local, **self._at_once}
        changed = {name: value for name, value in wanted.items() if self._sent.get(name) != value}
        if changed:
            with self._cursor() as cursor:
                cursor.execute("SET " + ", ".join(f"SESSION {name} = {value}" for name, value in changed.items()))
            self._sent = wanted

    @contextmanager
    def unless_held(self, claims: Sequence[LockClaim], *, door: Name | None = None) -> Iterator[None]:
        if self.kind == "mariadb":
            self._at_once = AT_ONCE
        elif door is None:
            self._look = look_at(claims)
        else:
            self._at_once = SOON
            self._door = Door(door, claims, lambda: self._connector.raw("beside"))
        try:
            yield
        finally:
            if self._door is not None:
                self._door.close()
            self._at_once, self._look, self._door = {}, "", None

    def sees_holders(self) -> bool:
        return self.kind == "mysql" and holders_are_seen(self)

    def identity(self) -> ServerIdentity:
        return sessions.identity(self)

    def server_now(self) -> str:
        text: str = self.query(sessions.NOW)[0][0]
        return text

    def notices(self) -> tuple[str, ...]:
        said = tuple(self._notices)
        self._notices.clear()
        return said

    def session_state(self, session: Session) -> SessionState:
        return sessions.state(self, session)

    def waits_for_lock(self, session: Session) -> bool:
        return sessions.waits(self, session)

    def end_session(self, session: Session, *, force: bool) -> None:
        sessions.end(self, session, force=force)

    def blockers(self, session: Session) -> tuple[Blocker, ...]:
        return sessions.blockers(self, session)

    def cancel(self) -> None:
        """From a session of its own, which the server gives the same rights; the one that waits cannot be spoken to."""
        with suppress(Exception):  # By contract: whatever goes wrong, the statement's own limit still stands.
            other = self._connector.raw("cancel")
            try:
                with other.cursor() as cursor:
                    cursor.execute(f"KILL QUERY {self.session.id}")
            finally:
                other.close()

    def close(self) -> None:
        with suppress(pymysql.Error):
            if self._raw.open:
                self._raw.close()
