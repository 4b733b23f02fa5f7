"""A connection that dies at call k, and databases whose end state can be compared.

Dying is not an orderly end: the socket is shut (PostgreSQL) or the file handle closed (SQLite) without a word, and every later call on that
connection dies again, so that no clean-up code of the executor reaches the server.
"""

from __future__ import annotations

import hashlib
import os
import socket
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import psycopg

from driftflow.config import Policy
from driftflow.drivers import catalogs
from driftflow.drivers.urls import connector_for
from driftflow.engine.clock import SystemClock
from driftflow.engine.run import RunOptions, RunReport, roll_back, run_plan  # noqa: F401  (RunOptions is for the tests)
from driftflow.errors import ConnectError
from driftflow.journal.same_database import SameDatabaseJournal
from driftflow.model.event import AnyEvent, Session
from driftflow.model.names import Name
from driftflow.model.plan import Plan

Moment = Literal["before", "after", "cut"]
"""Killed before the server got call k, after it executed it, or (cut) the answer lost while the executor lives on."""
COUNTED = frozenset(
    [
        "begin",
        "commit",
        "execute",
        "query",
        "query_dicts",
        "execute_many",
        "load",
        "set_timeouts",
        "identity",
        "server_now",
        "session_state",
        "end_session",
        "blockers",
        "sees_holders",
    ]
)


class Killed(BaseException):
    """kill -9, as far as Python can play it."""


@dataclass
class Meter:
    """Counts the calls of the executor's own connection, and says when to die."""

    kill_at: int = -1
    moment: Moment = "before"
    calls: int = 0
    names: list[str] = field(default_factory=list)
    fired: bool = False


class MeteredConnection:
    def __init__(self, inner: Any, meter: Meter) -> None:
        self._inner = inner
        self._meter = meter
        self._dead = False

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._inner, name)
        return self._counting(name, value) if name in COUNTED else value

    def _counting(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            if self._dead:
                raise Killed
            number = self._meter.calls
            self._meter.calls += 1
            self._meter.names.append(f"{name} {arguments[0] if arguments else ''}"[:80])
            if number != self._meter.kill_at:
                return function(*arguments, **named)
            self._meter.fired = True
            if self._meter.moment == "cut":
                function(*arguments, **named)
                sever(self._inner)
                return self._inner.query("SELECT 1")  # raises as the driver does for a lost connection
            if self._meter.moment == "after":
                function(*arguments, **named)
            self._dead = True
            sever(self._inner)
            raise Killed

        return call

    def rollback(self) -> None:
        if not self._dead:
            self._inner.rollback()

    def close(self) -> None:
        if not self._dead:
            self._inner.close()


def sever(connection: Any) -> None:
    if connection.dialect == "sqlite":
        connection.close()
        return
    raw = connection.raw
    with socket.socket(fileno=os.dup((raw if connection.dialect == "postgresql" else raw._sock).fileno())) as wire:
        wire.shutdown(socket.SHUT_RDWR)
    connection.close()


def end_other_sessions(connection: Any) -> None:
    """MySQL and MariaDB: those of killed runs in this database. Many end by themselves while they are being ended."""
    for (id,) in connection.query(
        "SELECT ID FROM information_schema.PROCESSLIST WHERE ID <> CONNECTION_ID() AND DB = DATABASE()"
    ):
        connection.end_session(Session(id=int(id)), force=True)


class MeteredConnector:
    """Only the executor's own connection is metered: the background thread's calls come when they come."""

    def __init__(self, inner: Any, meter: Meter) -> None:
        self._inner = inner
        self._meter = meter
        self.dialect = inner.dialect
        self.display = inner.display

    def connect(self, purpose: str = "apply") -> Any:
        connection = self._inner.connect(purpose)
        return MeteredConnection(connection, self._meter) if purpose == "apply" else connection


class QuickClock(SystemClock):
    """Real time, but nobody sleeps long."""

    def sleep(self, seconds: float) -> None:
        # Room for other writers (up to 0.11 s after each transaction) is for nobody here.
        super().sleep(min(seconds, 0.005) if seconds > 0.11 else 0)


POLICY = Policy(lock_rest_ms=20, rest_percent=1)


def fingerprint(connection: Any, names: tuple[Name, ...]) -> str:
    """Structure of the named tables: enough to see that somebody changed one."""
    if connection.dialect == "sqlite":
        rows = connection.query(
            f"SELECT type, name, sql FROM sqlite_schema WHERE tbl_name IN ({', '.join('%s' for _ in names)})"
            " AND substr(name, 1, 11) <> '_driftflow_' ORDER BY 1, 2",
            [name.name for name in names],
        )
    elif connection.dialect in {"mysql", "mariadb"}:
        return catalogs.fingerprint(connection, names)
    else:
        rows = [
            row
            for name in names
            for row in connection.query(
                "SELECT attname, format_type(atttypid, atttypmod), attnotnull FROM pg_attribute WHERE attrelid = to_regclass(%s)"
                " AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
                (f'"{name.schema}"."{name.name}"',),
            )
            + connection.query(
                "SELECT c.relname, pg_get_indexdef(indexrelid), indisvalid FROM pg_index JOIN pg_class c ON c.oid = indexrelid"
                " WHERE indrelid = to_regclass(%s) ORDER BY 1",
                (f'"{name.schema}"."{name.name}"',),
            )
        ]
    return hashlib.sha256(repr(rows).encode()).hexdigest()


@dataclass
class Events:
    seen: list[AnyEvent] = field(default_factory=list)

    def __call__(self, event: AnyEvent) -> None:
        self.seen.append(event)

    def kinds(self) -> list[str]:
        return [type(event).__name__ for event in self.seen]


def arguments(url: str, meter: Meter | None = None, **changes: Any) -> dict[str, Any]:
    connector = connector_for(url)
    return {
        "connector": MeteredConnector(connector, meter) if meter else connector,
        "journal": SameDatabaseJournal(),
        "fingerprint": fingerprint,
        "clock": QuickClock(),
        "listener": lambda event: None,
        "policy": POLICY,
        **changes,
    }


def apply(url: str, plan: Plan, meter: Meter | None = None, **changes: Any) -> RunReport:
    return run_plan(plan, **arguments(url, meter, **changes))


def take_back(url: str, run: str, meter: Meter | None = None, **changes: Any) -> RunReport:
    return roll_back(run, **arguments(url, meter, **changes))


def fingerprinted(url: str, plan: Plan) -> Plan:
    """The plan with the fingerprint of what it finds."""
    from driftflow.model.record import replace

    connection = connector_for(url).connect("plan")
    try:
        return replace(plan, catalog_fingerprint=fingerprint(connection, plan.fingerprint_relations))
    finally:
        connection.close()


def sqlite_state(path: Path) -> list[Any]:
    """Schema and rows, without ours."""
    with sqlite3.connect(path) as db:
        ours = "name NOT LIKE '\\_driftflow%' ESCAPE '\\' AND tbl_name NOT LIKE '\\_driftflow%' ESCAPE '\\'"
        schema = db.execute(f"SELECT type, name, sql FROM sqlite_schema WHERE {ours} ORDER BY 1, 2").fetchall()
        tables = [name for kind, name, _ in schema if kind == "table" and name != "sqlite_stat1"]
        rows = [(table, db.execute(f'SELECT rowid, * FROM "{table}" ORDER BY 1').fetchall()) for table in tables]
    db.close()
    return [schema, rows]


PG_SCHEMA = """
SELECT 'column', c.relname || '.' || a.attname, format_type(a.atttypid, a.atttypmod) || ' ' || a.attnotnull
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
UNION ALL
SELECT 'index', c.relname, pg_get_indexdef(i.indexrelid) || ' ' || i.indisvalid
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relnamespace = 'public'::regnamespace
UNION ALL
SELECT 'constraint', conname, pg_get_constraintdef(oid) || ' ' || convalidated FROM pg_constraint
WHERE connamespace = 'public'::regnamespace
ORDER BY 1, 2
"""


def postgresql_state(url: str) -> list[Any]:
    with psycopg.connect(url, autocommit=True) as db:
        schema = db.execute(PG_SCHEMA).fetchall()
        tables = sorted({name.split(".")[0] for kind, name, _ in schema if kind == "column"})
        rows = [(table, db.execute(f'SELECT t::text FROM "{table}" t ORDER BY 1').fetchall()) for table in tables]
    return [schema, rows]


@dataclass
class Sweep:
    """What a sweep did: every kill point, and those whose end state differed."""

    calls: int
    points: set[tuple[int, str]]
    wrong: list[tuple[int, str, str]]
    names: Sequence[str]
    healed: int
    """Points where the executor went on by itself."""


def sweep(
    fresh: Callable[[], str],
    work: Callable[[str, Meter | None], Any],
    state: Callable[[str], Any],
    *,
    moments: Sequence[Moment] = ("before", "after"),
    every: int = 1,
    where: Callable[[str], bool] = bool,
) -> Sweep:
    """Undisturbed once, counting; then, for each call (of those that `where` is about, every so many), a fresh database, killed there, worked on again,
    and compared."""
    meter = Meter()
    url = fresh()
    work(url, meter)
    expected = state(url)
    points: set[tuple[int, str]] = set()
    wrong: list[tuple[int, str, str]] = []
    healed = 0
    for number in [at for at, name in enumerate(meter.names) if where(name)][::every]:
        for moment in moments:
            url = fresh()
            mine = Meter(kill_at=number, moment=moment)
            ended = ""
            try:
                work(url, mine)
            except Killed:
                ended = "killed"
            except ConnectError:
                ended = "told that the connection was lost"  # Before the run began: nobody has promised anything yet.
            if not mine.fired:
                continue
            points.add((number, moment))
            healed += not ended
            try:
                if ended:
                    work(url, None)
                found = state(url)
            except Exception as error:
                wrong.append((number, moment, f"{mine.names[number]}: {error}"))
                continue
            if found != expected:
                wrong.append((number, moment, f"{mine.names[number]}: {differing(expected, found)}"))
    return Sweep(calls=meter.calls, points=points, wrong=wrong, names=meter.names, healed=healed)


def differing(expected: Any, found: Any) -> str:
    left, right = repr(expected), repr(found)
    at = next((index for index, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), min(len(left), len(right)))
    return f"...{left[max(0, at - 60) : at + 60]!r} became ...{right[max(0, at - 60) : at + 60]!r}"
