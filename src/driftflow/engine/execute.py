"""One executor of one run, from taking the lease to giving it back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from driftflow.engine import actions, lease
from driftflow.engine.begin import accepted_names, check_dialect, compare
from driftflow.engine.clock import ServerClock
from driftflow.engine.context import Context
from driftflow.engine.control import Control
from driftflow.engine.decide import Limits, undo_steps
from driftflow.engine.drive import drive
from driftflow.engine.parts import Direction, Parts, RunReport
from driftflow.engine.ports import (
    Connection,
    DatabaseFault,
    RunRow,
    RunStatus,
)
from driftflow.engine.replicas import with_replicas
from driftflow.engine.state import fold
from driftflow.engine.watch import Watcher
from driftflow.errors import RefusedError
from driftflow.model.event import RunStarted, TakenOver
from driftflow.model.plan import Gate, Plan
from driftflow.model.record import encode


def execute(plan: Plan, row: RunRow, parts: Parts, connection: Connection, direction: Direction) -> RunReport:
    check_dialect(plan, parts, connection.dialect)
    context = _context(plan, row, parts, connection, direction)
    _check_identity(context, row, parts)
    lease.settle_timeouts(connection)
    hint = f"undo that change, or: driftflow rollback {row.id}"
    context.check_schema = lambda: compare(
        context.state.fingerprint or row.fingerprint, plan, parts, context.connection, "since the run stopped", hint
    )
    context.state = fold(parts.journal.events(connection, row.id))
    previous = row.executor if context.state.starts else ""
    lease.take(context, force=parts.options.take_over)
    # Taking it may have waited for an executor that went on, and perhaps to the end, meanwhile: what it did must not be done again.
    context.state = fold(parts.journal.events(connection, row.id))
    watcher = Watcher(
        connector=parts.connector,
        journal=parts.journal,
        run=row.id,
        executor=parts.executor,
        lease_seconds=parts.options.lease_seconds,
        control=context.control,
        signals=parts.signals,
        clock=parts.clock,
    )
    status: RunStatus = "failed"
    try:
        with _tool_lock(plan, parts), watcher:
            watcher.guard(context.connection)
            _begin(context, parts, row, direction, previous=previous)
            with with_replicas(context, parts.replicas.given):
                status, message = drive(context, reconnect=lambda: _again(context, parts, row, direction, watcher))
            if status in {"paused", "aborted", "waiting_at_gate"}:
                parts.journal.set_status(context.connection, row.id, status, message)
    finally:
        # When the connection is gone, the lease runs out by itself.
        with suppress(DatabaseFault):
            if not context.control.lease_lost:
                parts.journal.release_lease(context.connection, row.id, parts.executor)
        if context.connection is not connection:
            context.connection.close()
    return _report(context, status, message)


def _context(plan: Plan, row: RunRow, parts: Parts, connection: Connection, direction: Direction) -> Context:
    limits = Limits(
        lock_tries=parts.policy.lock_tries,
        accepted=accepted_names(plan, parts, direction),
        phase=parts.options.phase or "",
    )
    return Context(
        plan=plan,
        run=row.id,
        connector=parts.connector,
        connection=connection,
        journal=parts.journal,
        fingerprint=parts.fingerprint,
        clock=parts.clock,
        listener=parts.listener,
        policy=parts.policy,
        limits=limits,
        executor=parts.executor,
        control=Control(parts.stop),
        server_clock=ServerClock(parts.clock, connection.server_now()),
        kill_blockers=parts.options.kill_blockers,
        lease_seconds=parts.options.lease_seconds,
        sources=parts.sources,
        known_replicas=parts.replicas.known,
        folder=parts.folder,
        deadlock_timeout_ms=_deadlock_timeout(connection),
    )


def _deadlock_timeout(connection: Connection) -> int:
    if connection.dialect != "postgresql":
        return 0
    return int(connection.query("SELECT setting FROM pg_catalog.pg_settings WHERE name = 'deadlock_timeout'")[0][0])


def _check_identity(context: Context, row: RunRow, parts: Parts) -> None:
    """A restored or cloned database carries the journal of a run that may still be going on elsewhere."""
    now = context.connection.identity()
    if row.identity is None or now == row.identity:
        return
    if parts.options.adopt:
        parts.journal.set_identity(context.connection, row.id, now)
        return
    raise RefusedError(
        "DF-E607",
        f"run {row.id} began on another server or copy of this database",
        where=parts.connector.display,
        why=f"then {_identity_text(row.identity)}, now {_identity_text(now)}: a restore, a clone or a failover",
        hint=f"driftflow resume {row.id} --adopt when this is the one that counts; else: driftflow abort {row.id}",
    )


def _identity_text(identity: object) -> str:
    return encode(identity).decode()


def _begin(context: Context, parts: Parts, row: RunRow, direction: Direction, *, previous: str = "", first: bool = True) -> None:
    """Note who executes from now on, and look whether somebody else changed the schema since the run stopped."""
    resumed = bool(context.state.starts)
    for name in parts.options.open_gates:
        parts.journal.open_gate(context.connection, row.id, name, parts.executor)
    context.control.opened(parts.journal.opened_gates(context.connection, row.id))
    if resumed and not _half_changed(context):
        context.check_schema()
    with context.fenced():
        if previous and previous != parts.executor:
            context.record(TakenOver(run=row.id, at=context.now(), fence=context.fence, by=parts.executor, previous=previous))
        context.record(
            RunStarted(
                run=row.id,
                at=context.now(),
                fence=context.fence,
                plan_digest=row.plan_digest,
                direction=direction,
                phase=context.limits.phase,
                executor=parts.executor,
                resumed=resumed,
            )
        )
        parts.journal.set_status(context.connection, row.id, "running")
        if first:
            # Asked while nobody executed: a pause of then says nothing about now.
            stale = [request.id for request in parts.journal.requests(context.connection, row.id)]
            parts.journal.mark_taken(context.connection, row.id, stale)


def _half_changed(context: Context) -> bool:
    """Whether a step is open that changes the schema outside a transaction: its probe speaks first, then the schema is compared."""
    everything = [inner for step in context.plan.steps for inner in (step, *undo_steps(step))]
    return any(context.state.step(step.id).status in OPEN and actions.may_finish(step) for step in everything)


def _again(context: Context, parts: Parts, row: RunRow, direction: Direction, watcher: Watcher) -> None:
    """After a lost connection: as after a crash."""
    lease.reconnect(context)
    _check_identity(context, row, parts)
    watcher.guard(context.connection)
    context.state = fold(parts.journal.events(context.connection, row.id))
    _begin(context, parts, row, direction, first=False)


@contextmanager
def _tool_lock(plan: Plan, parts: Parts) -> Iterator[None]:
    """The migration tool's own lock, on a session of its own with no open transaction, for as long as we execute."""
    if plan.tool_lock is None:
        yield
        return
    connection = parts.connector.connect("tool lock")
    try:
        rows = connection.query(plan.tool_lock.acquire)
        if not rows or not rows[0][0] or str(rows[0][0]).lower() in {"0", "f", "false"}:
            raise RefusedError(
                "DF-E317", f"{plan.tool_lock.tool} holds its own migration lock", where=parts.connector.display,
                why="it is migrating this database right now", hint="wait until it ends, then: driftflow apply",
            )  # fmt: skip
        yield
        with suppress(DatabaseFault):
            connection.query(plan.tool_lock.release)
    finally:
        connection.close()


OPEN = {"started", "failed", "unknown"}
NEXT: dict[RunStatus, str] = {
    "done": "driftflow status {run}",
    "phase_done": "driftflow resume {run}",
    "waiting_at_gate": "driftflow gate open {run} {gate}, then: driftflow resume {run}",
    "paused": "driftflow resume {run}",
    "aborted": "driftflow resume {run}, or driftflow rollback {run}",
    "rolled_back": "driftflow clean",
}


def _report(context: Context, status: RunStatus, message: str) -> RunReport:
    states = [context.state.step(step.id).status for step in context.plan.steps]
    gate = message if status == "waiting_at_gate" else ""
    return RunReport(
        run=context.run,
        state=status,
        steps_done=states.count("done"),
        steps_undone=states.count("undone"),
        steps_total=len(states),
        gate=gate,
        not_before=next((step.not_before for step in context.plan.steps if isinstance(step, Gate) and step.name == gate), ""),
        longest_lock_wait_ms=context.longest_wait_ms,
        message=message,
        next_command=NEXT.get(status, "driftflow status {run}").format(run=context.run, gate=gate),
    )
