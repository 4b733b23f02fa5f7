"""What starts a run, and how it ended, as records."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from driftflow.config import Policy
from driftflow.engine.context import FingerprintOf
from driftflow.engine.control import StopSignal
from driftflow.engine.ports import (
    Clock,
    Connector,
    JournalStore,
    KnownReplicas,
    Listener,
    ReplicaPort,
    RunStatus,
    Signal,
)
from driftflow.model.plan import Phase
from driftflow.model.record import Record

Direction = Literal["forward", "backward"]


def this_process() -> str:
    """`host:pid`, the name of an executor."""
    return f"{socket.gethostname()}:{os.getpid()}"


class RunOptions(Record, frozen=True, kw_only=True):
    phase: Phase | None = None
    """Go up to the end of this phase, no further."""
    open_gates: tuple[str, ...] = ()
    executor: str = ""
    """`host:pid`; empty is this process."""
    take_over: bool = False
    """Even from an executor whose heartbeat is fresh. The fence keeps it from writing."""
    adopt: bool = False
    """Go on although the server is another one than the run began on (a restore, a clone, a failover)."""
    kill_blockers: bool = False
    accept: tuple[str, ...] = ()
    """Irreversible steps accepted by name for this command: a rollback leaves them as they are."""
    lease_seconds: int = 15


class RunReport(Record, frozen=True, kw_only=True):
    """How it ended, for people and for scripts."""

    run: str
    state: RunStatus
    steps_done: int = 0
    steps_total: int = 0
    steps_undone: int = 0
    gate: str = ""
    not_before: str = ""
    """A day: until then that gate stays shut, whoever opens it. Empty: it may be opened now."""
    longest_lock_wait_ms: int = 0
    message: str = ""
    next_command: str = ""


@dataclass(frozen=True, kw_only=True)
class Replicas:
    """Servers that questions about data may go to, and how those are seen that nobody named."""

    given: tuple[ReplicaPort, ...] = ()
    known: KnownReplicas | None = None


NO_REPLICAS = Replicas()


@dataclass(frozen=True)
class Parts:
    """What the caller hands in, once for all functions below."""

    connector: Connector
    journal: JournalStore
    fingerprint: FingerprintOf
    clock: Clock
    listener: Listener
    policy: Policy
    signals: Sequence[Signal]
    options: RunOptions
    sources: Callable[[str], Connector] | None
    stop: StopSignal = field(default_factory=StopSignal)
    folder: Path = Path()
    """The project's folder: where the plan's relative paths start."""
    replicas: Replicas = NO_REPLICAS

    @property
    def executor(self) -> str:
        return self.options.executor or this_process()
