"""What to do next. Pure: (plan, state, signals, now) → one action; the loop in drive.py performs it and asks again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, assert_never

from driftflow.engine.ports import Reading
from driftflow.engine.state import RunState, milliseconds_until
from driftflow.model.names import Span
from driftflow.model.plan import PHASES, Backfill, Gate, Irreversible, Plan, Step, UndoNothing, UndoSteps
from driftflow.model.record import Record, replace


class Signals(Record, frozen=True, kw_only=True):
    """What the world asks of the run at this moment."""

    readings: tuple[Reading, ...] = ()
    pause: str = ""
    """Who asked to pause; empty when nobody does."""
    stop: bool = False
    """SIGTERM or Ctrl-C: end at a safe point."""
    abort: str = ""
    opened_gates: Mapping[str, str] = {}
    """Name of the gate to who opened it."""
    throttle_ms: int = 0


class Limits(Record, frozen=True, kw_only=True):
    """What bounds the run: how often a lock is asked for, and which irreversible steps were accepted by name."""

    lock_tries: int = 30
    accepted: tuple[str, ...] = ()
    phase: str = ""


class DoStep(Record, frozen=True, kw_only=True):
    step: Step
    attempt: int


class ProbeStep(Record, frozen=True, kw_only=True):
    """It was started, and nobody knows how far it came."""

    step: Step


class Wait(Record, frozen=True, kw_only=True):
    """Rest, then ask again. `reading` is the signal that asks for it, if one does."""

    milliseconds: int
    step: str = ""
    reading: Reading | None = None


class PauseRun(Record, frozen=True, kw_only=True):
    """Wait, keeping the lease, until somebody says resume."""

    by: str


class OpenGate(Record, frozen=True, kw_only=True):
    step: Gate
    by: str


class AwaitGate(Record, frozen=True, kw_only=True):
    """End this executor; the run keeps its claims and holds no lease. `name` opens it."""

    step: Gate
    name: str
    question: str


class UndoStep(Record, frozen=True, kw_only=True):
    """Nothing is left to run for it: note that it was taken back."""

    step: Step


class Finish(Record, frozen=True, kw_only=True):
    phase: str = ""


class Stop(Record, frozen=True, kw_only=True):
    """End without finishing. `blocked` carries the step that cannot go on."""

    why: Literal["stop", "abort", "lock_limit", "unknown", "irreversible"]
    by: str = ""
    step: Step | None = None


Action = DoStep | ProbeStep | Wait | PauseRun | OpenGate | AwaitGate | UndoStep | Finish | Stop


def decide(plan: Plan, state: RunState, signals: Signals, now: str, *, limits: Limits) -> Action:
    """The next action. What people ask comes before what the plan wants; a step that was under way is looked at before anything else."""
    urgent = interruption(signals)
    if urgent is not None:
        return urgent
    if state.direction == "backward":
        return _backward(plan, state, signals, now, limits)
    return _forward(plan, state, signals, now, limits)


def interruption(signals: Signals) -> Stop | PauseRun | None:
    """What takes precedence over any work, between steps and between chunks alike."""
    harm = next((reading for reading in signals.readings if reading.critical), None)
    if signals.abort:
        return Stop(why="abort", by=signals.abort)
    if harm is not None:
        return Stop(why="abort", by=f"signal {harm.signal}: {harm.value}")
    if signals.stop:
        return Stop(why="stop")
    if signals.pause:
        return PauseRun(by=signals.pause)
    return None


def pressure(signals: Signals, step: str) -> Wait | None:
    """Somebody outside needs the room: wait and look again in a second."""
    high = next((reading for reading in signals.readings if not reading.ok), None)
    return None if high is None else Wait(milliseconds=1_000, step=step, reading=high)


def _forward(plan: Plan, state: RunState, signals: Signals, now: str, limits: Limits) -> Action:
    for step in plan.steps:
        if state.done(step.id):
            continue
        if limits.phase and PHASES.index(step.phase) > PHASES.index(_phase(limits.phase)):
            return Finish(phase=limits.phase)
        if isinstance(step, Gate):
            return _gate(step, signals, now)
        if isinstance(step.undo, Irreversible) and step.undo.name not in limits.accepted:
            return Stop(why="irreversible", step=step)
        return _work(step, state, signals, now, limits)
    return Finish()


def _phase(text: str) -> Literal["expand", "migrate", "contract"]:
    match text:
        case "expand" | "migrate" | "contract":
            return text
        case _:
            raise ValueError(f"not a phase: {text}")


def shut(step: Gate, name: str, now: str) -> bool:
    """Whether the day has not come before which the gate stays shut. The way back is open at any time."""
    return name == step.name and now[:10] < step.not_before


def _gate(step: Gate, signals: Signals, now: str) -> Action:
    if step.name in signals.opened_gates and not shut(step, step.name, now):
        return OpenGate(step=step, by=signals.opened_gates[step.name])
    return AwaitGate(step=step, name=step.name, question=step.question)


def _work(step: Step, state: RunState, signals: Signals, now: str, limits: Limits) -> Action:
    found = state.step(step.id)
    if found.status == "unknown" and not found.unproved:
        return Stop(why="unknown", step=step)
    if found.unproved:
        return ProbeStep(step=step)
    if found.tries >= limits.lock_tries:
        return Stop(why="lock_limit", step=step)
    rest = milliseconds_until(found.rest_until, now)
    if rest:
        return Wait(milliseconds=rest, step=step.id)
    return pressure(signals, step.id) or DoStep(step=step, attempt=found.attempt + 1)


def _backward(plan: Plan, state: RunState, signals: Signals, now: str, limits: Limits) -> Action:
    stays = staying(plan, state)
    for step in reversed(plan.steps):
        found = state.step(step.id)
        if found.status in {"pending", "undone"} and not _partly_undone(step, state):
            continue
        if found.unproved and not _partly_undone(step, state):
            return ProbeStep(step=step)
        if found.status == "unknown":
            return Stop(why="unknown", step=step)
        if isinstance(step, Gate) and step.question_back and step.name_back not in signals.opened_gates:
            return AwaitGate(step=step, name=step.name_back, question=step.question_back)
        match step.undo:
            case UndoNothing():
                return UndoStep(step=step)
            case Irreversible(name=name) if name not in limits.accepted:
                return Stop(why="irreversible", step=step)
            case UndoSteps() | Irreversible() if step.span in stays:
                return UndoStep(step=step)
            case UndoSteps() | Irreversible():
                left = next((inner for inner in undo_steps(step) if not state.done(inner.id)), None)
                return UndoStep(step=step) if left is None else _work(left, state, signals, now, limits)
            case _:
                assert_never(step.undo)
    return Finish()


def staying(plan: Plan, state: RunState) -> frozenset[Span]:
    """Statements that stay as they are, because a step of theirs that was done is lost for good, and those that it stands on."""
    found: set[Span] = set()
    for step in plan.steps:
        match step.undo:
            case Irreversible(steps=(), stands_on=others) if step.span and state.step(step.id).status in ("done", "undone"):
                found |= {step.span, *others}
            case _:
                pass
    return frozenset(found)


def _partly_undone(step: Step, state: RunState) -> bool:
    return state.step(step.id).status != "undone" and any(inner.id in state.steps for inner in undo_steps(step))


def undo_steps(step: Step) -> tuple[Step, ...]:
    """What takes the step back, each with an id of its own: `3f2a9c01d4.1/undo1`."""
    if isinstance(step.undo, UndoNothing):
        return ()
    return tuple(replace(inner, id=f"{step.id}/undo{number}") for number, inner in enumerate(step.undo.steps, start=1))


def past_no_return(plan: Plan, state: RunState) -> Step | None:
    """The first finished step that cannot be taken back, if there is one."""
    return next((step for step in plan.steps if state.done(step.id) and isinstance(step.undo, Irreversible)), None)


def chunked(step: Step) -> bool:
    return isinstance(step, Backfill)
