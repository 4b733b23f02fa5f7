"""The loop: ask decide() what comes next, do it, and let the journal remember. The only place that waits.

It is crash-only: a lost connection is handled as a crash is, by taking the run up again from what the journal says.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import assert_never

from driftflow.engine import actions
from driftflow.engine.actions import gate
from driftflow.engine.actions.rebuild_removal import remove_replaced
from driftflow.engine.context import Context, Interrupted
from driftflow.engine.decide import (
    AwaitGate,
    DoStep,
    Finish,
    OpenGate,
    PauseRun,
    ProbeStep,
    Stop,
    UndoStep,
    Wait,
    decide,
    shut,
)
from driftflow.engine.faults import irreversible_error, lock_error, place, unknown_error
from driftflow.engine.guards import check_guards
from driftflow.engine.lease import lost, settle_session
from driftflow.engine.ports import DatabaseFault, RunStatus
from driftflow.engine.setbacks import meet, note_failure
from driftflow.engine.state import looked_at
from driftflow.errors import DriftflowError, LeaseLostError
from driftflow.model.event import Aborted, OutcomeUnknown, Paused, RunDone, StepUndone
from driftflow.model.plan import Irreversible, RebuildTable, RunSql, Step, UndoNothing

RECONNECTS_MOST = 20


def drive(context: Context, *, reconnect: Callable[[], None]) -> tuple[RunStatus, str]:
    """Until the run is over, waits at a gate, or must end here: its status, and the gate or reason. Raises what stopped it otherwise.

    `reconnect` gives the context a new connection, with the fence raised and the state folded anew.
    """
    reconnects, cleared = 0, False
    while True:
        try:
            if not cleared:
                # What a rebuild before us set aside and did not live to remove.
                remove_replaced(context)
                cleared = True
            ended = _turn(context)
        except DatabaseFault as fault:
            reconnects += 1
            if not lost(fault) or reconnects > RECONNECTS_MOST:
                raise
            reconnect()
            continue
        except Interrupted as interrupted:
            ended = _stop(context, interrupted.stop)
        if ended is not None:
            return ended


def _turn(context: Context) -> tuple[RunStatus, str] | None:
    """One action. None: go on."""
    action = decide(context.plan, context.state, context.signals(), context.now(), limits=context.limits)
    match action:
        case DoStep(step=step):
            _attempt(context, step)
        case ProbeStep(step=step):
            _look(context, step)
        case Wait():
            context.rest(action)
        case PauseRun(by=by):
            context.pause(by)
        case OpenGate(step=step, by=by):
            gate.opened(step, context, by)
        case AwaitGate(step=step, name=name, question=question):
            # Asked once more: it may have been opened in the meantime, or while nobody was executing.
            context.control.opened(context.journal.opened_gates(context.connection, context.run))
            if name not in context.signals().opened_gates or shut(step, name, context.now()):
                gate.reach(step, context, question)
                return "waiting_at_gate", name
        case UndoStep(step=step):
            context.record(StepUndone(run=context.run, at=context.now(), fence=context.fence, step=step.id))
        case Finish(phase=phase):
            return _finish(context, phase)
        case Stop() as stop:
            return _stop(context, stop)
        case _:
            assert_never(action)
    return None


def _finish(context: Context, phase: str) -> tuple[RunStatus, str]:
    """The last event, and with it the end of the claims: nothing of the plan is half done any more."""
    backward = context.state.direction == "backward"
    status: RunStatus = "rolled_back" if backward else "phase_done" if phase else "done"
    with context.fenced():
        context.record(
            RunDone(run=context.run, at=context.now(), fence=context.fence, direction=context.state.direction, phase=phase)
        )
        context.journal.set_status(context.connection, context.run, status)
        if status != "phase_done":
            context.journal.release_claims(context.connection, context.run)
    return status, phase


def _stop(context: Context, stop: Stop) -> tuple[RunStatus, str]:
    """What ends the executor but not the run."""
    match stop.why:
        case "stop":
            context.record(Paused(run=context.run, at=context.now(), fence=context.fence, reason="stopped by a signal"))
            return "paused", "stopped at a safe point"
        case "abort":
            context.record(Aborted(run=context.run, at=context.now(), fence=context.fence, by=stop.by))
            return "aborted", f"aborted by {stop.by}"
        case "lock_limit":
            assert stop.step is not None
            tries = context.state.step(stop.step.id).tries
            error = lock_error(stop.step, context.run, tries, context.blockers, dialect=context.connection.dialect)
            note_failure(context, stop.step, error)
            raise error
        case "irreversible":
            assert stop.step is not None and isinstance(stop.step.undo, Irreversible)
            raise irreversible_error(stop.step, context.run, backward=context.state.direction == "backward")
        case "unknown":
            assert stop.step is not None
            raise unknown_error(stop.step, context.run)
        case _:
            assert_never(stop.why)


def _attempt(context: Context, step: Step) -> None:
    """Guards, then the step. A lock that is not granted becomes an event and a rest; any other refusal of the server ends the run."""
    try:
        if context.state.step(step.id).status != "started" or _at_once(step):
            check_guards(step.guards, context, where=place(step), step=step.id)
        actions.perform(step, context)
    except DatabaseFault as fault:
        context.connection.rollback()
        meet(context, step, fault)
    except DriftflowError as error:
        context.connection.rollback()
        if not isinstance(error, LeaseLostError):
            note_failure(context, step, error)
        raise


def _at_once(step: Step) -> bool:
    """It happens wholly or not at all. So whenever it is tried again, after a lock that was not granted or after a crash, nothing of it has
    happened, and what must hold just before it is asked again: the world went on meanwhile."""
    if isinstance(step, RebuildTable):
        return step.online is None
    return isinstance(step, RunSql) and (step.transaction == "own" or len(step.statements) == 1)


def _untouched(step: Step, context: Context) -> bool:
    """Of a step that is not done: it changed nothing, since it happens at once, or what must hold before it did not and it never began."""
    return not isinstance(step.undo, UndoNothing) and (_at_once(step) or not context.state.step(step.id).attempt)


def _look(context: Context, step: Step) -> None:
    """It was under way when its executor ended. First the server must be done with it, then the probe says."""
    session = context.session_before(step.id)
    if session is not None:
        settle_session(context, session, may_finish=actions.may_finish(step))
    try:
        outcome = actions.probe(step, context)
    except DriftflowError as error:
        note_failure(context, step, error)
        raise
    match outcome:
        case "done":
            with context.fenced():
                context.finished(step, context.clock.monotonic(), found_done=True)
        case "not_done" if context.state.direction == "backward" and _untouched(step, context):
            # Nothing happened, so there is nothing to take back; and its way back begins where it would have led.
            context.record(StepUndone(run=context.run, at=context.now(), fence=context.fence, step=step.id))
        case "not_done":
            context.state = looked_at(context.state, step.id)
            context.check_schema()
        case "again":
            context.state = looked_at(context.state, step.id)
        case "half_done":
            actions.repair(step, context)
            context.check_schema()
        case "running":
            context.safe_point(step.id)
            context.clock.sleep(0.5)
        case "unknown":
            with context.fenced():
                context.record(
                    OutcomeUnknown(run=context.run, at=context.now(), fence=context.fence, step=step.id, reason="no probe")
                )
                context.journal.set_status(context.connection, context.run, "unknown", step.purpose)
            raise unknown_error(step, context.run)
        case _:
            assert_never(outcome)
