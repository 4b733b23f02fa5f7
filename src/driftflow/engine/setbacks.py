"""What the engine does when the server says no: rest and try again, let go on purpose, or note the failure."""

from __future__ import annotations

from driftflow.dialects.base import ErrorKind
from driftflow.engine.context import Context
from driftflow.engine.faults import step_error
from driftflow.engine.lease import lost
from driftflow.engine.ports import DatabaseFault
from driftflow.errors import DriftflowError, LeaseLostError
from driftflow.model.event import LockWaited, Retried, StepFailed
from driftflow.model.plan import Step

KILL_AFTER_TRIES = 3
SQLITE_REST_MS = 200
"""Nobody queues behind a busy SQLite file, so a short rest harms nobody."""


def meet(context: Context, step: Step, fault: DatabaseFault) -> None:
    """Decide what the server's error means for the run."""
    if lost(fault):
        raise fault
    if fault.kind.retryable:
        _rest_after(context, step, fault)
        return
    signals = context.signals()
    if fault.kind is ErrorKind.CANCELLED and (signals.stop or signals.abort):
        # We cancelled it ourselves. What it left is looked at when the run goes on.
        return
    error = step_error(fault, step, context.run)
    note_failure(context, step, error, sqlstate=fault.code)
    raise error from fault


def _rest_after(context: Context, step: Step, fault: DatabaseFault) -> None:
    attempt = context.state.step(step.id).tries + 1
    rest = max(context.policy.lock_rest_ms, 10 * step.lock_timeout_ms)
    rest = context.jitter(SQLITE_REST_MS if context.connection.dialect == "sqlite" else rest)
    if fault.kind is ErrorKind.LOCK_TIMEOUT:
        context.emit(
            LockWaited(
                run=context.run,
                at=context.now(),
                fence=context.fence,
                step=step.id,
                attempt=attempt,
                timeout_ms=step.lock_timeout_ms,
                rest_ms=rest,
                blockers=tuple(blocker.text for blocker in context.blockers),
            )
        )
    else:
        reason = f"{fault.kind.value}: {fault.message}"
        context.emit(
            Retried(
                run=context.run, at=context.now(), fence=context.fence, step=step.id, attempt=attempt, reason=reason, rest_ms=rest
            )
        )
    if context.kill_blockers and attempt >= KILL_AFTER_TRIES:
        end_blockers(context)


def end_blockers(context: Context) -> None:
    """Only when asked, and never what must not be ended. A session that runs something is cancelled, an idle one ended."""
    for blocker in context.blockers:
        if not blocker.untouchable:
            context.connection.end_session(blocker.session, force=blocker.state != "active")


def note_failure(context: Context, step: Step, error: DriftflowError, *, sqlstate: str = "") -> None:
    """Kept with the run. When even that cannot be written, the first error is still the one to tell."""
    try:
        with context.fenced(lock_ms=1_000):
            text = f"{error.summary}{': ' + error.why if error.why else ''}"
            context.record(
                StepFailed(
                    run=context.run,
                    at=context.now(),
                    fence=context.fence,
                    step=step.id,
                    error_code=error.code,
                    error=text,
                    sqlstate=sqlstate,
                )
            )
            context.journal.set_status(context.connection, context.run, "failed", error.summary)
    except (DatabaseFault, LeaseLostError) as second:
        error.add_note(f"and the journal could not note it: {second}")
