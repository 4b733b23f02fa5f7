"""The one background thread: heartbeat, requests from other terminals, signals, blockers, and cancelling what will not end by itself."""

from __future__ import annotations

import select
import threading
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType

from driftflow.dialects.base import ErrorKind
from driftflow.engine.control import Control, StopSignal, Waiting
from driftflow.engine.ports import Clock, Connection, Connector, DatabaseFault, JournalStore, Reading, Signal
from driftflow.errors import DriftflowError

TICK_SECONDS = 0.02
"""Short beside the shortest lock timeout, so that who is in the way is seen while we wait; a turn without work costs nothing."""
REQUESTS_SECONDS = 0.3
SIGNALS_SECONDS = 1.0
FIRST_READING_SECONDS = 5.0
GRACE_SECONDS = 7.0
"""How long the first stop waits for a safe point before the running statement is cancelled: the whole must end within ten seconds."""


LAST_WAIT_SECONDS = 5.0


def patience(worked_seconds: float, lock_ms: int) -> float:
    """How many seconds a statement may wait for its lock. At its start the stall budget; for the lock that ends a long piece of work up to a
    twentieth of what would be lost, and five seconds at most."""
    return max(lock_ms / 1000, min(worked_seconds / 20, LAST_WAIT_SECONDS))


class Watcher:
    """Runs while the body of its `with` runs. Has its own connection, and makes a new one when that is lost."""

    def __init__(
        self,
        *,
        connector: Connector,
        journal: JournalStore,
        run: str,
        executor: str,
        lease_seconds: int,
        control: Control,
        signals: Sequence[Signal],
        clock: Clock,
    ) -> None:
        self._connector = connector
        self._journal = journal
        self._run = run
        self._executor = executor
        self._lease_seconds = lease_seconds
        self._control = control
        self._signals = tuple(signals)
        self._clock = clock
        self._main: Connection | None = None
        self._own: Connection | None = None
        self._ended = threading.Event()
        self._wake = StopSignal()
        self._due = {"beat": 0.0, "requests": 0.0, "signals": 0.0}
        self._seen: set[int] = set()
        self._first_reading = threading.Event()
        self._pulled = select.poll()  # Unlike select(), for any number of open files.
        self._pulled.register(self._control.stop, select.POLLIN)
        self._pulled.register(self._wake, select.POLLIN)
        self._coarse = connector.dialect in {"mysql", "mariadb"}
        self._look_at = 0.0
        self._stopped_at = 0.0
        self._cancelled_at = 0.0
        self._thread = threading.Thread(target=self._loop, name="driftflow-watch", daemon=True)

    def __enter__(self) -> Watcher:
        self._control.expect_readings(len(self._signals))
        now = self._clock.monotonic()
        unread = Reading(signal="signals", value="no reading yet", ok=False)
        self._control.set_readings((unread,) if self._signals else (), now)
        self._due = {"beat": now + self._lease_seconds / 3, "requests": now + REQUESTS_SECONDS, "signals": now}
        self._thread.start()
        if self._signals:  # A run that is over before the first reading would have listened to nobody.
            self._first_reading.wait(FIRST_READING_SECONDS)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._ended.set()
        self._wake.stop()
        self._thread.join(timeout=10)
        self._wake.close()

    def guard(self, main: Connection) -> None:
        """The connection whose statements may be cancelled: the main thread's present one."""
        self._main = main

    def _loop(self) -> None:
        while not self._ended.is_set():
            # OSError: the pipe was closed while the program ends.
            with suppress(OSError, ValueError):
                self._pulled.poll(TICK_SECONDS * 1000)
            try:
                self._turn()
            except (DatabaseFault, DriftflowError):
                self._drop()
                self._ended.wait(0.5)
        self._drop()

    def _turn(self) -> None:
        self._connection()  # Open before somebody waits: there is no time for it then.
        now = self._clock.monotonic()
        self._cancel_if_asked(now)
        self._find_blockers(now)
        self._end_waiting(now)
        if self._is_due("requests", now, REQUESTS_SECONDS):
            self._take_requests()
        if self._signals and self._is_due("signals", now, SIGNALS_SECONDS):
            self._control.set_readings(tuple(self._read(signal) for signal in self._signals), now)
            self._first_reading.set()
        if self._is_due("beat", now, self._lease_seconds / 3):
            self._beat()
        if self._control.stop.pulls:
            self._ended.wait(TICK_SECONDS)  # The pipe stays readable, so select no longer rests.

    def _is_due(self, what: str, now: float, every: float) -> bool:
        if now < self._due[what]:
            return False
        self._due[what] = now + every
        return True

    def _connection(self) -> Connection:
        if self._own is None:
            self._own = self._connector.connect("watch")
            self._own.set_timeouts(lock_ms=250, statement_ms=5_000)
        return self._own

    def _drop(self) -> None:
        if self._own is not None:
            self._own.close()
            self._own = None

    def _beat(self) -> None:
        """Not renewed because the server is busy is no harm (the fence guards every write); taken by another is."""
        if not self._journal.renew_lease(self._connection(), self._run, self._executor, seconds=self._lease_seconds):
            self._control.lease_lost = True

    def _take_requests(self) -> None:
        connection = self._connection()
        fresh = [request for request in self._journal.requests(connection, self._run) if request.id not in self._seen]
        for request in fresh:
            self._control.obey(request)
            self._seen.add(request.id)
        if fresh:
            # SQLite may be writing for long; what was seen is not obeyed twice.
            with suppress(DatabaseFault):
                self._journal.mark_taken(connection, self._run, [request.id for request in fresh])

    def _read(self, signal: Signal) -> Reading:
        try:
            return signal.read(self._connection())
        except DatabaseFault as fault:
            self._drop()
            return Reading(signal=signal.name, value=f"unreadable: {fault.message}", ok=False)

    def _find_blockers(self, now: float) -> None:
        """Once per statement, past half of its lock timeout: by then it waits for somebody, or it works."""
        running = self._control.running
        if running is None or running.sampled or not running.lock_ms or now - running.since < running.lock_ms / 2000:
            return
        found = self._connection().blockers(running.session)
        if found:
            running.blockers = found
            running.sampled = True

    def _end_waiting(self, now: float) -> None:
        """Where the server counts lock waits in whole seconds: end the statement when it has waited for as long as it may."""
        running = self._control.running
        if running is None or running.cut or not self._coarse or now < self._look_at:
            return
        worked = now - running.since
        if running.statement_ms and self._connector.dialect == "mysql" and worked > running.statement_ms / 1000:
            self._cut(running, ErrorKind.STATEMENT_TIMEOUT)
            return
        if not running.lock_ms or worked < running.lock_ms / 2000:
            return
        self._look_at = now + max(running.lock_ms / 8000, TICK_SECONDS)
        connection = self._connection()
        if not connection.waits_for_lock(running.session):
            running.waits_since = 0.0
            return
        if not running.waits_since:
            # The first look is at half of the limit: what waits then has waited from the start.
            running.waits_since = running.since if worked < running.lock_ms / 1000 else now
        if now - running.waits_since >= patience(running.waits_since - running.since, running.lock_ms):
            self._cut(running, ErrorKind.LOCK_TIMEOUT)

    def _cut(self, running: Waiting, kind: ErrorKind) -> None:
        connection = self._connection()
        self._control.cut(running, kind, lambda: connection.end_session(running.session, force=False))

    def _cancel_if_asked(self, now: float) -> None:
        pulls = self._control.stop.pulls
        aborted = bool(self._control.signals(now).abort)
        if pulls and not self._stopped_at:
            self._stopped_at = now
        late = pulls and now - self._stopped_at > GRACE_SECONDS
        if (aborted or late or pulls > 1) and self._control.running and self._main and now - self._cancelled_at > 1.0:
            self._cancelled_at = now
            self._main.cancel()
