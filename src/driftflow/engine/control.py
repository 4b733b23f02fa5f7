"""What the background thread and the main thread tell each other: requests from other terminals, signals, and who waits for what."""

from __future__ import annotations

import os
import signal
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from types import FrameType

from driftflow.dialects.base import ErrorKind
from driftflow.engine.decide import Signals
from driftflow.engine.ports import Blocker, Reading, Request
from driftflow.model.event import Session

STALE_SECONDS = 10.0
"""A reading older than this is no reading: stop and say so."""


class StopSignal:
    """The rope that SIGTERM and Ctrl-C pull: once to end at a safe point, twice to cancel what runs.

    Signals arrive through a pipe that the background thread reads. Python runs a handler only between two bytecodes of the main thread, and
    that one may sit inside a statement of SQLite for minutes.
    """

    def __init__(self) -> None:
        self._read, self._write = os.pipe()
        os.set_blocking(self._read, False)
        os.set_blocking(self._write, False)
        # Once, by close() or with the object: a second close would hit whoever was given the number since.
        self._end = weakref.finalize(self, _close, self._read, self._write)
        self._pulls = 0
        self._lock = threading.Lock()

    def fileno(self) -> int:
        return self._read

    def stop(self) -> None:
        """Pull once. Safe from any thread and from a signal handler."""
        with suppress(OSError):
            os.write(self._write, b"\0")

    @property
    def pulls(self) -> int:
        """How often it was pulled until now."""
        with self._lock, suppress(BlockingIOError, OSError):
            while data := os.read(self._read, 64):
                self._pulls += len(data)
        return self._pulls

    @contextmanager
    def listening(self) -> Iterator[None]:
        """SIGINT and SIGTERM pull the rope while the body runs. Only from the main thread."""
        before = {number: signal.signal(number, _nothing) for number in (signal.SIGINT, signal.SIGTERM)}
        descriptor = signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        try:
            yield
        finally:
            signal.set_wakeup_fd(descriptor)
            for number, handler in before.items():
                signal.signal(number, handler)

    def close(self) -> None:
        self._end()


def _close(*descriptors: int) -> None:
    for descriptor in descriptors:
        with suppress(OSError):
            os.close(descriptor)


def _nothing(number: int, frame: FrameType | None) -> None:
    """The wake-up pipe carries the signal; the handler only keeps the default one from ending us."""


@dataclass
class Waiting:
    """The main thread runs a statement that may wait for a lock."""

    session: Session
    since: float
    lock_ms: int
    statement_ms: int = 0
    """How long it may run in all; only asked where the server's own limit does not end it (MySQL, but for SELECT)."""
    blockers: tuple[Blocker, ...] = ()
    sampled: bool = False
    waits_since: float = 0.0
    """When it was first seen to wait, by the local clock; 0 while it was not."""
    cut: ErrorKind | None = None
    """We ended it, where the server's own limit is too coarse or is none: what it answers means this."""


@dataclass
class Control:
    """Shared between the two threads; every method takes the lock."""

    stop: StopSignal
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _pause: str = ""
    _resumed_by: str = ""
    _abort: str = ""
    _throttle_ms: int = 0
    _gates: dict[str, str] = field(default_factory=dict)
    _readings: tuple[Reading, ...] = ()
    _read_at: float = 0.0
    _expected: int = 0
    _waiting: Waiting | None = None
    lease_lost: bool = False

    def obey(self, request: Request) -> None:
        """Take one request in."""
        who = request.by or "another terminal"
        with self._lock:
            match request.verb:
                case "pause":
                    self._pause = who
                case "resume":
                    self._pause, self._resumed_by = "", who
                case "abort":
                    self._abort = who
                case "throttle":
                    self._throttle_ms = int(request.arguments.get("milliseconds", "0"))
                case "gate":
                    self._gates[request.arguments.get("name", "")] = who

    def expect_readings(self, count: int) -> None:
        with self._lock:
            self._expected = count

    def set_readings(self, readings: tuple[Reading, ...], now: float) -> None:
        with self._lock:
            self._readings, self._read_at = readings, now

    def opened(self, gates: Mapping[str, str]) -> None:
        with self._lock:
            self._gates.update(gates)

    @property
    def resumed_by(self) -> str:
        return self._resumed_by

    def signals(self, now: float) -> Signals:
        """As decide() takes them. A reading that is missing or old means wait."""
        pulls = self.stop.pulls
        with self._lock:
            readings = self._readings
            if self._expected and now - self._read_at > STALE_SECONDS:
                readings = (Reading(signal="signals", value=f"no reading for {STALE_SECONDS:.0f} s", ok=False),)
            return Signals(
                readings=readings,
                pause=self._pause,
                stop=pulls > 0,
                abort=self._abort,
                opened_gates=dict(self._gates),
                throttle_ms=self._throttle_ms,
            )

    @contextmanager
    def waiting(self, session: Session, since: float, lock_ms: int, statement_ms: int = 0) -> Iterator[Waiting]:
        """While the body runs, the background thread looks once who is in the way."""
        mine = Waiting(session=session, since=since, lock_ms=lock_ms, statement_ms=statement_ms)
        with self._lock:
            self._waiting = mine
        try:
            yield mine
        finally:
            with self._lock:
                self._waiting = None

    def anew(self, now: float) -> None:
        """Limits are counted from now on: until now the statement has waited nowhere."""
        with self._lock:
            if self._waiting is not None:
                self._waiting.since, self._waiting.waits_since = now, 0.0

    def cut(self, waiting: Waiting, kind: ErrorKind, end: Callable[[], None]) -> None:
        """End the statement, unless the main thread has left it: what comes next must not be hit."""
        with self._lock:
            if self._waiting is waiting:
                waiting.cut = kind
                end()

    @property
    def running(self) -> Waiting | None:
        with self._lock:
            return self._waiting
