"""What happens during a run, as records. The journal keeps the durable part; terminal, reports and metrics read the same stream."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from driftflow.model.record import Record


class Session(Record, frozen=True, kw_only=True):
    """A server session that can be looked for after a crash: process id and start time (PostgreSQL), connection id elsewhere."""

    id: int
    started_at: str = ""


class Event(Record, frozen=True, kw_only=True, tag_field="kind"):
    """The base: which run, when by the server's clock (UTC, ISO 8601, microseconds), and the fence the writer held."""

    run: str
    at: str
    fence: int = 0


class RunStarted(Event, frozen=True, kw_only=True, tag="run_started"):
    plan_digest: str
    direction: Literal["forward", "backward"] = "forward"
    phase: str = ""
    executor: str = ""
    resumed: bool = False


class StepStarted(Event, frozen=True, kw_only=True, tag="step_started"):
    step: str
    attempt: int = 1
    session: Session | None = None
    before: Mapping[str, str] = {}
    """What the step needs to remember about the state before it: fingerprint of the slice, upper bound of a backfill, ..."""


class Counted(Event, frozen=True, kw_only=True, tag="counted"):
    """What a guard found that only tells: how many rows a step is about, and the keys of a few of them."""

    step: str
    text: str
    keys: tuple[str, ...] = ()


class ChunkDone(Event, frozen=True, kw_only=True, tag="chunk_done"):
    """Not an event row in the journal: the one progress row of the step is updated in the chunk's own transaction."""

    step: str
    chunk: int
    cursor: tuple[str | int | None, ...]
    rows: int
    rows_total: int
    rows_estimate: int | None = None
    milliseconds: int = 0
    eta_seconds: int | None = None
    eta_high_seconds: int | None = None
    """The pessimistic end of the range: from the slowest tenth of the recent chunks."""
    rows_per_second: int | None = None


class Throttled(Event, frozen=True, kw_only=True, tag="throttled"):
    step: str
    signal: str
    reading: str
    wait_ms: int


class LockWaited(Event, frozen=True, kw_only=True, tag="lock_waited"):
    """A lock was not granted within its timeout; the step rolled back and rests before the next try."""

    step: str
    attempt: int
    timeout_ms: int
    rest_ms: int
    blockers: tuple[str, ...] = ()


class Retried(Event, frozen=True, kw_only=True, tag="retried"):
    step: str
    attempt: int
    reason: str
    rest_ms: int


class StepDone(Event, frozen=True, kw_only=True, tag="step_done"):
    step: str
    milliseconds: int = 0
    rows: int | None = None
    found_done: bool = False
    """The probe found that it had already happened."""
    details: Mapping[str, str] = {}


class StepUndone(Event, frozen=True, kw_only=True, tag="step_undone"):
    step: str
    milliseconds: int = 0


class StepFailed(Event, frozen=True, kw_only=True, tag="step_failed"):
    step: str
    error_code: str
    error: str
    sqlstate: str = ""


class StepRepaired(Event, frozen=True, kw_only=True, tag="step_repaired"):
    """Half done was found (an INVALID index), and was taken away so that the step can run again."""

    step: str
    repair: str


class OutcomeUnknown(Event, frozen=True, kw_only=True, tag="outcome_unknown"):
    step: str
    reason: str


class GateReached(Event, frozen=True, kw_only=True, tag="gate_reached"):
    step: str
    question: str = ""


class GateOpened(Event, frozen=True, kw_only=True, tag="gate_opened"):
    step: str
    by: str = ""


class Paused(Event, frozen=True, kw_only=True, tag="paused"):
    by: str = ""
    reason: str = ""


class Resumed(Event, frozen=True, kw_only=True, tag="resumed"):
    by: str = ""
    step: str = ""
    chunk: int = 0


class Aborted(Event, frozen=True, kw_only=True, tag="aborted"):
    by: str = ""
    reason: str = ""


class RunDone(Event, frozen=True, kw_only=True, tag="run_done"):
    direction: Literal["forward", "backward"] = "forward"
    phase: str = ""
    """Empty when the whole plan is done; else the phase that this run was asked for."""
    milliseconds: int = 0


class TakenOver(Event, frozen=True, kw_only=True, tag="taken_over"):
    by: str = ""
    previous: str = ""


AnyEvent = (
    RunStarted
    | StepStarted
    | ChunkDone
    | Throttled
    | Counted
    | LockWaited
    | Retried
    | StepDone
    | StepUndone
    | StepFailed
    | StepRepaired
    | OutcomeUnknown
    | GateReached
    | GateOpened
    | Paused
    | Resumed
    | Aborted
    | RunDone
    | TakenOver
)
