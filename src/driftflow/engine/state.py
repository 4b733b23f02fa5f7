"""What a run is, folded from its events. Pure: the same events give the same state, and any prefix of them loses no finished step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, assert_never

from driftflow.model.event import (
    Aborted,
    AnyEvent,
    ChunkDone,
    Counted,
    GateOpened,
    GateReached,
    LockWaited,
    OutcomeUnknown,
    Paused,
    Resumed,
    Retried,
    RunDone,
    RunStarted,
    Session,
    StepDone,
    StepFailed,
    StepRepaired,
    StepStarted,
    StepUndone,
    TakenOver,
    Throttled,
)
from driftflow.model.record import Record, replace

StepStatus = Literal["pending", "started", "done", "undone", "failed", "unknown"]


class StepState(Record, frozen=True, kw_only=True):
    """One step as the journal knows it. `unproved` means that it was started and that nobody has looked since."""

    status: StepStatus = "pending"
    attempt: int = 0
    session: Session | None = None
    before: Mapping[str, str] = {}
    tries: int = 0
    """Locks not granted, deadlocks and serialization failures since the step last got on."""
    rest_until: str = ""
    unproved: bool = False
    chunks: int = 0
    gate_reached: bool = False


class RunState(Record, frozen=True, kw_only=True):
    """`stopped` is why the run is not going on, empty while it goes on."""

    direction: Literal["forward", "backward"] = "forward"
    phase: str = ""
    steps: Mapping[str, StepState] = {}
    fingerprint: str = ""
    """Of the plan's relations, as the last structural step left them; empty before the first."""
    stopped: Literal["", "paused", "waiting_at_gate", "aborted", "failed", "unknown", "phase_done", "done", "rolled_back"] = ""
    paused: bool = False
    fence: int = 0
    starts: int = 0

    def step(self, id: str) -> StepState:
        return self.steps.get(id, StepState())

    def done(self, id: str) -> bool:
        return self.step(id).status == "done"


def fold(events: Iterable[AnyEvent], state: RunState | None = None) -> RunState:
    """The state after the events, from the beginning or from `state`."""
    state = state or RunState()
    for event in events:
        state = after(state, event)
    return state


def after(state: RunState, event: AnyEvent) -> RunState:
    """The state after one more event."""
    state = replace(state, fence=max(state.fence, event.fence))
    match event:
        case RunStarted():
            # Whatever was under way when the executor before this one ended must be looked at before it is done again.
            steps = {
                id: replace(step, unproved=step.status in {"started", "failed", "unknown"}, rest_until="", tries=0)
                for id, step in state.steps.items()
            }
            return replace(
                state,
                direction=event.direction,
                phase=event.phase,
                stopped="",
                paused=False,
                starts=state.starts + 1,
                steps=steps,
            )
        case StepStarted():
            return _step(
                state,
                event.step,
                status="started",
                attempt=event.attempt,
                session=event.session,
                before=event.before,
                unproved=False,
            )
        case StepDone():
            fingerprint = event.details.get("fingerprint", state.fingerprint)
            return replace(
                _step(state, event.step, status="done", unproved=False, tries=0, rest_until=""), fingerprint=fingerprint
            )
        case StepUndone():
            return _step(state, event.step, status="undone", unproved=False, tries=0, rest_until="")
        case StepFailed():
            return replace(_step(state, event.step, status="failed", unproved=True), stopped="failed")
        case StepRepaired():
            return _step(state, event.step, status="pending", unproved=False)
        case OutcomeUnknown():
            return replace(_step(state, event.step, status="unknown", unproved=False), stopped="unknown")
        case ChunkDone():
            return _step(state, event.step, chunks=event.chunk, tries=0, rest_until="")
        case LockWaited() | Retried():
            until = later(event.at, event.rest_ms)
            return _step(state, event.step, tries=state.step(event.step).tries + 1, rest_until=until, unproved=False)
        case GateReached():
            return replace(_step(state, event.step, gate_reached=True), stopped="waiting_at_gate")
        case GateOpened():
            return _step(state, event.step, status="done")
        case Paused():
            return replace(state, paused=True, stopped="paused")
        case Resumed():
            return replace(state, paused=False, stopped="")
        case Aborted():
            return replace(state, stopped="aborted")
        case RunDone():
            ended: Literal["rolled_back", "phase_done", "done"] = "done"
            ended = "rolled_back" if event.direction == "backward" else "phase_done" if event.phase else ended
            return replace(state, stopped=ended)
        case Counted() | Throttled() | TakenOver():
            return state
        case _:
            assert_never(event)


def looked_at(state: RunState, id: str) -> RunState:
    """The step was probed and can be done (again)."""
    return _step(state, id, unproved=False)


def _step(state: RunState, id: str, **changes: object) -> RunState:
    return replace(state, steps={**state.steps, id: replace(state.step(id), **changes)})


def later(at: str, milliseconds: int) -> str:
    """The time that many milliseconds after `at` (ISO 8601, UTC)."""
    from datetime import datetime, timedelta

    moment = datetime.fromisoformat(at) + timedelta(milliseconds=milliseconds)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def milliseconds_until(moment: str, now: str) -> int:
    """How long from `now` until `moment`; 0 when it is past or empty."""
    from datetime import datetime

    if not moment:
        return 0
    gap = datetime.fromisoformat(moment) - datetime.fromisoformat(now)
    return max(0, int(gap.total_seconds() * 1000))
