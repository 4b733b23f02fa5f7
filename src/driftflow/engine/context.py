"""What an action is given: the connection, the journal, and the few verbs that keep law 9 and law 10 in one place."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from driftflow.config import Policy
from driftflow.dialects.base import ErrorKind
from driftflow.engine.clock import ServerClock
from driftflow.engine.control import Control
from driftflow.engine.decide import Limits, PauseRun, Signals, Stop, Wait, interruption, pressure
from driftflow.engine.ports import (
    Blocker,
    Clock,
    Connection,
    Connector,
    DatabaseFault,
    JournalStore,
    KnownReplicas,
    Listener,
)
from driftflow.engine.state import RunState, after
from driftflow.engine.transactions import transaction
from driftflow.errors import LeaseLostError
from driftflow.model.event import AnyEvent, Paused, Resumed, Session, StepDone, StepStarted, Throttled
from driftflow.model.names import Name
from driftflow.model.plan import Plan, Step

BREATH_LEAST_SECONDS = 0.004
BREATH_MOST_SECONDS = 0.1
FingerprintOf = Callable[[Connection, tuple[Name, ...]], str]


class Interrupted(Exception):
    """The run must end here, at a safe point."""

    def __init__(self, stop: Stop) -> None:
        super().__init__(stop.why)
        self.stop = stop


@dataclass
class Context:
    """One executor at work on one run. The state is folded from events; the rest does not change, but for the connection."""

    plan: Plan
    run: str
    connector: Connector
    connection: Connection
    journal: JournalStore
    fingerprint: FingerprintOf
    clock: Clock
    listener: Listener
    policy: Policy
    limits: Limits
    executor: str
    control: Control
    server_clock: ServerClock
    kill_blockers: bool = False
    lease_seconds: int = 15
    folder: Path = Path()
    sources: Callable[[str], Connector] | None = None
    replicas: tuple[Connection, ...] = ()
    """Where what only counts is read."""
    replica_names: dict[Connection, str] = field(default_factory=dict)
    known_replicas: KnownReplicas | None = None
    check_schema: Callable[[], None] = lambda: None
    """Raises RefusedError when somebody else changed the plan's relations since the last finished step."""
    state: RunState = field(default_factory=RunState)
    fence: int = 0
    blockers: tuple[Blocker, ...] = ()
    """Who stood in the way of the last lock that was not granted."""
    longest_wait_ms: int = 0
    deadlock_timeout_ms: int = 0
    _uncommitted: list[AnyEvent] = field(default_factory=list)
    _free_until: float = 0.0
    """SQLite: until then the file is left to its other writers."""

    def now(self) -> str:
        return self.server_clock.now()

    def emit(self, event: AnyEvent) -> None:
        """An event that is not kept: listeners and the state get it."""
        self.state = after(self.state, event)
        self.listener(event)

    def record(self, event: AnyEvent) -> None:
        """A durable event. Inside `fenced` it commits with the work; listeners get it after the commit. Outside it gets a transaction."""
        if not self.connection.in_transaction:
            with self.fenced():
                self.record(event)
            return
        self.journal.append(self.connection, event)
        self._uncommitted.append(event)

    @contextmanager
    def fenced(self, *, lock_ms: int | None = None, statement_ms: int | None = None) -> Iterator[None]:
        """A write transaction of ours. The fence is locked before the first write: whoever takes over waits for us, or we are refused."""
        self._uncommitted.clear()
        outermost = not self.connection.in_transaction
        if outermost:
            self.breathe()
        if self.connection.dialect == "sqlite":
            self.connection.set_timeouts(lock_ms=5_000 if lock_ms is None else max(lock_ms, 1))  # BEGIN IMMEDIATE already waits.
        begun = None
        try:
            with transaction(self.connection):
                begun = self.clock.monotonic()
                if self.connection.dialect != "sqlite":
                    self.connection.set_timeouts(
                        lock_ms=5_000 if lock_ms is None else self.victim_ms(lock_ms),
                        statement_ms=60_000 if statement_ms is None else statement_ms,
                    )
                self.check_fence()
                yield
        finally:
            if outermost and begun is not None and self.connection.dialect == "sqlite":
                now = self.clock.monotonic()
                self._free_until = now + min(now - begun, BREATH_MOST_SECONDS) + BREATH_LEAST_SECONDS
        for event in tuple(self._uncommitted):
            self.emit(event)
        self._uncommitted.clear()

    def breathe(self) -> None:
        """Where there is one writer at a time and no queue: leave the file alone after our last write for as long as a writer who waits may sleep
        before it looks again. SQLite's busy handler sleeps about as long as it has waited already, and 100 ms at most."""
        left = self._free_until - self.clock.monotonic()
        if left > 0:
            self.clock.sleep(left)

    def victim_ms(self, lock_ms: int) -> int:
        """A lock timeout under the server's deadlock_timeout: whoever deadlocks with us, we are the one who gives up."""
        if not lock_ms or not self.deadlock_timeout_ms:
            return lock_ms
        return max(min(lock_ms, self.deadlock_timeout_ms * 8 // 10), 10)

    def check_fence(self) -> None:
        """Raises LeaseLostError when another executor took over."""
        token = self.journal.fence(self.connection, self.run)
        if token != self.fence or self.control.lease_lost:
            holder = self.journal.lease(self.connection, self.run)
            raise LeaseLostError(
                "DF-E501",
                f"another executor took over run {self.run}",
                where=holder.executor if holder else "",
                why=f"the fence stands at {token}, ours was {self.fence}; nothing of this executor was written since",
                hint=f"driftflow watch {self.run}",
            )

    @contextmanager
    def watched(self, lock_ms: int, statement_ms: int = 0) -> Iterator[None]:
        """Around statements that may wait for a lock: the background thread notes who is in the way, and may cancel us."""
        begun = self.clock.monotonic()
        with self.control.waiting(self.connection.session, begun, lock_ms, statement_ms) as waiting:
            try:
                yield
            except DatabaseFault as fault:
                if waiting.cut is not None and fault.kind is ErrorKind.CANCELLED:
                    fault.kind = waiting.cut
                if fault.kind in {ErrorKind.LOCK_TIMEOUT, ErrorKind.DEADLOCK}:
                    self.blockers = waiting.blockers or self.blockers
                    self.longest_wait_ms = max(self.longest_wait_ms, int((self.clock.monotonic() - waiting.since) * 1000))
                raise

    # what the outside asks

    def signals(self) -> Signals:
        return self.control.signals(self.clock.monotonic())

    def safe_point(self, step: str) -> None:
        """Between two chunks: obey what was asked. Returns when the work may go on; raises Interrupted when it must end."""
        while True:
            signals = self.signals()
            if self.control.lease_lost:
                self.check_fence()
            match interruption(signals):
                case Stop() as stop:
                    raise Interrupted(stop)
                case PauseRun(by=by):
                    self.pause(by, step)
                case None:
                    wait = pressure(signals, step)
                    if wait is None:
                        return
                    self.rest(wait)

    def pause(self, by: str, step: str = "") -> None:
        """Wait, keeping the lease, until somebody says resume or the run must end."""
        self.record(Paused(run=self.run, at=self.now(), fence=self.fence, by=by))
        self.journal.set_status(self.connection, self.run, "paused", f"by {by}")
        while (signals := self.signals()).pause and not (signals.stop or signals.abort or self.control.lease_lost):
            self.clock.sleep(0.1)
        if signals.stop or signals.abort or self.control.lease_lost:
            return
        chunk = self.state.step(step).chunks if step else 0
        self.record(Resumed(run=self.run, at=self.now(), fence=self.fence, by=self.control.resumed_by, step=step, chunk=chunk))
        self.journal.set_status(self.connection, self.run, "running")

    def rest(self, wait: Wait) -> None:
        """Sleep, but wake for what is asked."""
        if wait.reading is not None:
            self.emit(
                Throttled(
                    run=self.run,
                    at=self.now(),
                    fence=self.fence,
                    step=wait.step,
                    signal=wait.reading.signal,
                    reading=wait.reading.value,
                    wait_ms=wait.milliseconds,
                )
            )
        self.sleep_ms(wait.milliseconds)

    def sleep_ms(self, milliseconds: int) -> None:
        until = self.clock.monotonic() + milliseconds / 1000
        while (left := until - self.clock.monotonic()) > 0:
            if interruption(self.signals()) is not None:
                return
            self.clock.sleep(min(left, 0.1))

    def jitter(self, milliseconds: int) -> int:
        """Up to a quarter more, so that two who wait for each other's lock do not meet again."""
        return milliseconds + random.randrange(milliseconds // 4 + 1)

    # what every action says about its step

    def started(self, step: Step, *, before: dict[str, str] | None = None) -> None:
        """Note who begins it, unless this very session already did."""
        found = self.state.step(step.id)
        if found.status == "started" and found.session == self.connection.session and not before:
            return
        self.record(
            StepStarted(
                run=self.run,
                at=self.now(),
                fence=self.fence,
                step=step.id,
                attempt=found.attempt + 1,
                session=self.connection.session,
                before={**found.before, **(before or {})},
            )
        )

    def finished(
        self,
        step: Step,
        begun: float,
        *,
        rows: int | None = None,
        structural: bool = True,
        found_done: bool = False,
        details: dict[str, str] | None = None,
    ) -> None:
        """Inside the step's own transaction where it has one: what was done and that it was done commit together."""
        said = dict(details or {})
        self.blockers = ()
        if structural and self.plan.fingerprint_relations:
            said["fingerprint"] = self.fingerprint(self.connection, self.plan.fingerprint_relations)
        notices = self.connection.notices()
        if notices:
            said["notices"] = "\n".join(notices[:20])
        self.record(
            StepDone(
                run=self.run,
                at=self.now(),
                fence=self.fence,
                step=step.id,
                milliseconds=int((self.clock.monotonic() - begun) * 1000),
                rows=rows,
                found_done=found_done,
                details=said,
            )
        )

    def session_before(self, step: str) -> Session | None:
        """The session that began the step, if it was another one."""
        session = self.state.step(step).session
        return None if session is None or session == self.connection.session else session
