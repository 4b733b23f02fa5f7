"""Becoming the one executor of a run: the lease says who, the fence makes sure."""

from __future__ import annotations

from driftflow.dialects.base import ErrorKind
from driftflow.engine.context import Context
from driftflow.engine.ports import Connection, DatabaseFault, Lease
from driftflow.engine.state import RunState
from driftflow.errors import DriftflowError, LeaseLostError, LockTimeoutError
from driftflow.model.event import Session

POLL_SECONDS = 0.2
SESSION_LOCK_MS = 5_000
SESSION_STATEMENT_MS = 60_000
"""For what runs outside the steps' own transactions: our own small rows."""
FENCE_TRIES = 60


def take(context: Context, *, force: bool = False) -> None:
    """Take the lease, then raise the fence, which waits for the old executor's transaction to end."""
    _take_lease(context, force=force)
    context.fence = raise_fence(context, _old_sessions(context.state))


def _take_lease(context: Context, *, force: bool) -> None:
    first: Lease | None = None
    deadline = context.clock.monotonic() + context.lease_seconds + 2
    while True:
        holder = context.journal.take_lease(
            context.connection,
            context.run,
            context.executor,
            session=context.connection.session,
            seconds=context.lease_seconds,
            force=force,
        )
        if holder is None:
            return
        first = first or holder
        gone = holder.session is not None and context.connection.session_state(holder.session) == "gone"
        # A killed executor leaves its lease behind. Its session is gone, or at least its heartbeat stands still.
        if gone:
            force = True
            continue
        if holder.expires_ms > first.expires_ms or context.clock.monotonic() > deadline:
            raise LeaseLostError(
                "DF-E502",
                f"run {context.run} is being executed by {holder.executor}",
                why="its heartbeat is fresh; two executors never write",
                hint=f"driftflow watch {context.run}; or pause it there, then: driftflow resume {context.run} --take-over",
            )
        context.clock.sleep(POLL_SECONDS)


def raise_fence(context: Context, old: tuple[Session, ...]) -> int:
    """One more. An old transaction that still holds it is ended: it belongs to a session that the journal says was ours."""
    connection = context.connection
    for _ in range(FENCE_TRIES):
        try:
            connection.set_timeouts(lock_ms=1_000, statement_ms=30_000)
            token = context.journal.raise_fence(connection, context.run)
        except DatabaseFault as fault:
            connection.rollback()
            if not fault.kind.retryable:
                raise
            for session in old:
                if session != connection.session:
                    connection.end_session(session, force=True)
            context.clock.sleep(POLL_SECONDS)
        else:
            settle_timeouts(connection)
            return token
    raise LockTimeoutError(
        "DF-E503",
        f"the executor before us still holds run {context.run}",
        why="its transaction does not end",
        hint="driftflow doctor",
    )


def settle_timeouts(connection: Connection) -> None:
    """The session's limits between steps."""
    connection.set_timeouts(lock_ms=SESSION_LOCK_MS, statement_ms=SESSION_STATEMENT_MS)


def _old_sessions(state: RunState) -> tuple[Session, ...]:
    found = {step.session.id: step.session for step in state.steps.values() if step.session is not None and step.status != "done"}
    return tuple(found.values())


def settle_session(context: Context, session: Session, *, may_finish: bool) -> None:
    """Wait until the session that began a step has ended: what it still does would change what the probe sees.

    A statement outside a transaction (an index build) may go on after its client died, and is let go on; anything else is ended.
    """
    connection = context.connection
    while (state := connection.session_state(session)) in {"active", "idle"}:
        if state == "idle" or not may_finish:
            connection.end_session(session, force=True)
        else:
            context.safe_point("")
        context.clock.sleep(POLL_SECONDS)


def reconnect(context: Context, *, seconds: float = 90.0) -> None:
    """A new connection after the old one was lost, with the fence raised: an old COMMIT that is still under way is waited for, and then the
    journal says whether it happened."""
    old = context.connection.session
    context.connection.close()
    deadline = context.clock.monotonic() + seconds
    while True:
        try:
            context.connection = context.connector.connect("apply")
            if context.connection.session.id:
                break
        except (DatabaseFault, DriftflowError):
            if context.clock.monotonic() > deadline or context.signals().stop:
                raise
            context.clock.sleep(0.5)
    if old != context.connection.session and context.connection.session_state(old) != "gone":
        context.connection.end_session(old, force=True)
    settle_timeouts(context.connection)
    # Somebody may have taken over while we were away, and may even have finished and given the lease back: the fence tells, and is left alone.
    context.check_fence()
    _take_lease(context, force=False)
    context.check_fence()
    context.fence = raise_fence(context, (old,))


def lost(fault: DatabaseFault) -> bool:
    return fault.kind is ErrorKind.CONNECTION_LOST
