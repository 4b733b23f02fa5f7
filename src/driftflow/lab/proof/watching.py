"""Sessions of the engine that are looked at from inside: which locks a transaction holds just before it commits, step by step."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass, field
from typing import Any, Protocol

from driftflow.engine.ports import Connection, Connector
from driftflow.model.effects import LockClaim
from driftflow.model.event import AnyEvent, StepDone, StepStarted, StepUndone
from driftflow.model.names import Name

Seen = tuple[Name, str]
"""(relation, mode)."""


class Eye(Protocol):
    """How one vendor's locks are seen."""

    def opened(self, connection: Connection) -> None:
        """Told of the session before anything runs in it."""

    def before_commit(self, connection: Connection) -> set[Seen]:
        """What the transaction holds that others may notice."""

    def alone(self, connection: Connection, connector: Connector, sql: str) -> Watch | None:
        """Something that watches a statement outside a transaction until it is told to stop; None where such a statement is not watched."""


class Watch(Protocol):
    def stop(self, *, done: bool) -> set[Seen]:
        """What was seen; `done` says whether the statement succeeded."""


@dataclass
class Observed:
    """What was seen, by step. Also a listener: a step's end closes what was seen since the one before. What an ended step still clears away is its own
    too: all that was committed until the next one begins."""

    by_step: dict[str, set[Seen]] = field(default_factory=dict)
    commits: list[str] = field(default_factory=list)
    """The step of each commit of the engine's session, in order, counted from the end of the one before; empty while its step has not ended."""
    _pending: list[set[Seen]] = field(default_factory=list)
    _unnamed: int = 0
    _ended: str = ""

    def add(self, seen: set[Seen]) -> None:
        self._pending.append(seen)

    def committed(self) -> None:
        self.commits.append("")
        self._unnamed += 1

    def __call__(self, event: AnyEvent) -> None:
        if isinstance(event, StepStarted) and self._ended:
            self._close(self._ended, keep=1)
        if isinstance(event, StepDone):
            if any(self._pending) or not event.found_done:  # of what had happened before there is nothing to see
                self._close(event.step)
            self._ended = event.step
            self.commits[len(self.commits) - self._unnamed :] = [event.step] * self._unnamed
        if isinstance(event, StepDone | StepUndone):
            self._pending, self._unnamed = [], 0
        if isinstance(event, StepUndone):
            self._ended = ""

    def _close(self, step: str, *, keep: int = 0) -> None:
        """What all but the last `keep` commits held was the step's."""
        mine = self._pending[: len(self._pending) - keep]
        self.by_step.setdefault(step, set()).update(*mine)
        self._pending = self._pending[len(mine) :]


class WatchedConnector:
    """The same database; the engine's own session is watched, its background thread's is not."""

    def __init__(self, inner: Connector, eye: Eye, observed: Observed) -> None:
        self._inner, self._eye, self._observed = inner, eye, observed
        self.dialect, self.display = inner.dialect, inner.display

    def connect(self, purpose: str = "apply") -> Any:
        connection = self._inner.connect(purpose)
        if purpose != "apply":
            return connection
        self._eye.opened(connection)
        return _WatchedConnection(connection, self._inner, self._eye, self._observed)


class _WatchedConnection:
    def __init__(self, inner: Connection, connector: Connector, eye: Eye, observed: Observed) -> None:
        self._inner, self._connector, self._eye, self._observed = inner, connector, eye, observed

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def unless_held(self, claims: Sequence[LockClaim], *, door: Name | None = None) -> AbstractContextManager[None]:
        """Whoever sees locks holds every table itself: the statement has to wait, or nothing is seen."""
        return nullcontext()

    def commit(self) -> None:
        if self._inner.in_transaction:
            self._observed.add(self._eye.before_commit(self._inner))
        self._inner.commit()
        self._observed.committed()

    def execute(self, sql: str, parameters: Sequence[Any] | None = None) -> int:
        watch = None if self._inner.in_transaction else self._eye.alone(self._inner, self._connector, sql)
        done = False
        try:
            found = self._inner.execute(sql, parameters)
            done = True
        finally:
            if watch is not None:
                self._observed.add(watch.stop(done=done))
        return found


# PostgreSQL

POLL_SECONDS = 0.001
HELD_SECONDS_MAX = 1.0
"""How long CREATE or DROP INDEX CONCURRENTLY is made to wait for somebody who reads, so that its locks can be seen."""


class PostgresqlEye:
    """pg_locks has every lock of a transaction until it ends."""

    def __init__(self) -> None:
        self._known: Mapping[int, tuple[Name, str]] = {}

    def opened(self, connection: Connection) -> None:
        self._known = _relations(connection)

    def before_commit(self, connection: Connection) -> set[Seen]:
        from driftflow.lab.observe_postgresql import LOCKS

        held = connection.query(LOCKS, (connection.session.id,))
        seen = self.told(held)
        self._known = _relations(connection)
        return seen

    @property
    def tables(self) -> tuple[Name, ...]:
        return tuple(name for name, kind in self._known.values() if kind in ("r", "p"))

    def told(self, held: Sequence[Sequence[Any]]) -> set[Seen]:
        """Locks on what others could see before: what the transaction has made itself, nobody waits for."""
        return {(self._known[oid][0], spelled(mode)) for oid, mode in held if oid in self._known}

    def alone(self, connection: Connection, connector: Connector, sql: str) -> Watch | None:
        return _Sampler(self, connection.session.id, connector, hold="CONCURRENTLY" in sql.upper())


class _Sampler:
    """Asks from a second session which locks the first one holds, until it is told to stop."""

    def __init__(self, eye: PostgresqlEye, session: int, connector: Connector, *, hold: bool) -> None:
        self._eye, self._session, self._connector, self._hold = eye, session, connector, hold
        self._seen: set[Seen] = set()
        self._over = threading.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        self._ready.wait(5)

    def stop(self, *, done: bool) -> set[Seen]:
        self._over.set()
        self._thread.join(10)
        return self._seen

    def _watch(self) -> None:
        from driftflow.lab.observe_postgresql import LOCKS

        with closing(self._connector.connect("observer")) as observer, closing(self._connector.connect("holder")) as holder:
            if self._hold:
                holder.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
                for name in self._eye.tables:
                    holder.query(f"LOCK TABLE {quoted(name)} IN ACCESS SHARE MODE")
                holder.query("SELECT count(*) FROM pg_catalog.pg_class")
            self._ready.set()
            begun = time.monotonic()
            while not self._over.is_set():
                self._seen |= self._eye.told(observer.query(LOCKS, (self._session,)))
                if self._hold and (self._seen or time.monotonic() - begun > HELD_SECONDS_MAX):
                    holder.rollback()
                    self._hold = False
                time.sleep(POLL_SECONDS)


RELATIONS = """
SELECT c.oid, n.nspname, c.relname, c.relkind::text
FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
  AND n.nspname !~ '^pg_(toast_)?temp_'
"""


def _relations(connection: Connection) -> Mapping[int, tuple[Name, str]]:
    from driftflow.lab.proof.state import ours

    rows = connection.query(RELATIONS)
    named = {int(oid): (Name(schema=schema, name=name), kind) for oid, schema, name, kind in rows}
    return {oid: found for oid, found in named.items() if not ours(found[0])}


def spelled(mode: str) -> str:
    """`AccessExclusiveLock` → `ACCESS EXCLUSIVE`."""
    from driftflow.lab.observe_postgresql import spelled as as_people_write

    return as_people_write(mode)


def quoted(name: Name) -> str:
    return ".".join('"' + part.replace('"', '""') + '"' for part in (name.schema, name.name))
