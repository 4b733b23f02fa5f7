"""RunSql: statements and their journal entry in one transaction; or one statement alone, with a probe for what a crash leaves open."""

from __future__ import annotations

from collections.abc import Sequence

from driftflow.dialects.base import ErrorKind
from driftflow.engine.actions.acting import acting_as
from driftflow.engine.actions.as_held import as_it_was, that_go
from driftflow.engine.actions.locked_tables import locked_tables
from driftflow.engine.actions.when_free import execute_when_free, executed_when_free
from driftflow.engine.context import Context
from driftflow.engine.faults import place
from driftflow.engine.lease import lost, settle_timeouts
from driftflow.engine.ports import Connection, DatabaseFault
from driftflow.errors import StepFailedError
from driftflow.model.effects import LockClaim
from driftflow.model.event import StepRepaired
from driftflow.model.plan import Outcome, Probe, RunSql
from driftflow.model.record import replace


def perform(step: RunSql, context: Context) -> None:
    dropper, _, undoes = step.id.partition("/undo")
    if undoes:
        step = replace(step, statements=as_it_was(step.statements, context.state.step(dropper).before))
    context.started(step, before=None if undoes else that_go(step.statements, context.connection))
    if step.transaction == "own":
        _together(step, context)
    else:
        _alone(step, context)


def _together(step: RunSql, context: Context) -> None:
    begun = context.clock.monotonic()
    with (
        context.watched(step.lock_timeout_ms, step.statement_timeout_ms * len(step.statements)),
        context.fenced(lock_ms=step.lock_timeout_ms, statement_ms=step.statement_timeout_ms),
    ):
        rows = run_as(step, context.connection)
        context.finished(step, begun, rows=rows)


def run_as(step: RunSql, connection: Connection) -> int | None:
    """The statements under the step's settings and role; rows changed by the last one that says. The role is given back before the journal
    is written."""
    rows: int | None = None
    with acting_as(step, connection):
        for statement in step.statements:
            affected = connection.execute(statement)
            rows = affected if affected >= 0 else rows
    return rows


LONG_LOCK_MS = 6_000
"""MySQL: the server's own limit, in whole seconds, of a statement that may work for long and waits for its lock again at the end. The watcher
ends what waits for longer than it may, and at the beginning that is the step's own limit."""


def _alone(step: RunSql, context: Context) -> None:
    """Timeouts are the session's here: SET LOCAL needs a transaction."""
    begun = context.clock.monotonic()
    context.check_fence()
    asked = step.probe is not None and (step.probe.first or context.state.step(step.id).tries)
    if asked and step.probe is not None and ask(step.probe, step, context) == "done":
        # The lock was not granted, or so it seemed: the statement was ended just when it got through.
        with context.fenced():
            context.finished(step, begun, found_done=True)
        return
    lock_ms = step.lock_timeout_ms
    if lock_ms and not step.statement_timeout_ms and context.connection.dialect in {"mysql", "mariadb"}:
        lock_ms = max(lock_ms, LONG_LOCK_MS)
    try:
        context.connection.set_timeouts(lock_ms=lock_ms, statement_ms=step.statement_timeout_ms)
        with (
            context.watched(step.lock_timeout_ms, step.statement_timeout_ms),
            acting_as(step, context.connection),
            locked_tables(step.lock_tables, context.connection, lambda sql: _lock(sql, step, context)),
        ):
            for statement in step.statements[_done_under_locks(step, context) :]:
                execute_when_free(statement, _waits_at_its_start(step), context)
    finally:
        if not context.connection.in_transaction:
            settle_timeouts(context.connection)
    with context.fenced():
        context.finished(step, begun)


def _lock(sql: str, step: RunSql, context: Context) -> bool:
    execute_when_free(sql, step.claims, context)
    return True


def _done_under_locks(step: RunSql, context: Context) -> int:
    """How many of the statements were run under locks that the step may have beside its own, and that were free at one moment. What the server refuses
    there (no right to lock, a table that is gone) is left to be tried without."""
    locks, connection, done = step.locked_when_free, context.connection, 0
    if locks is None or not connection.sees_holders():
        return 0
    try:
        with locked_tables(
            locks.sql, connection, lambda sql: executed_when_free(sql, step.claims, context, door=locks.door)
        ) as locked:
            for statement in step.statements if locked else ():
                connection.execute(statement)
                done += 1
    except DatabaseFault as fault:
        if lost(fault) or fault.kind.retryable or fault.kind in {ErrorKind.CANCELLED, ErrorKind.STATEMENT_TIMEOUT}:
            raise
    return done


def _waits_at_its_start(step: RunSql) -> Sequence[LockClaim]:
    """What may be tried again for nothing: locks that are held for an instant, and not those of work that would be lost at its last one. Between LOCK
    TABLES and UNLOCK TABLES nobody else has them."""
    beside = step.locked_when_free.beside if step.locked_when_free is not None else ()
    own = [claim for claim in step.claims if claim.relation not in beside]
    instant = all(claim.held == "instant" for claim in own)
    return own if instant and not step.lock_tables else ()


def probe(step: RunSql, context: Context) -> Outcome:
    """A transactional step that has no StepDone did not happen. Alone, its own probe says; without one nobody knows."""
    if step.transaction == "own":
        return "not_done"
    return "unknown" if step.probe is None else ask(step.probe, step, context)


def ask(probe: Probe, step: RunSql, context: Context) -> Outcome:
    rows = context.connection.query(probe.query)
    answer = str(rows[0][0]) if rows else ""
    match answer:
        case "done" | "not_done" | "half_done" | "again":
            return answer
        case _:
            raise StepFailedError(
                "DF-E517", f"the step's probe answered {answer!r}", where=place(step), why="it must say done, not_done, half_done or again",
                hint="correct the plan's probe",
            )  # fmt: skip


def repair(step: RunSql, context: Context) -> None:
    """One statement at a time and outside a transaction, as DROP INDEX CONCURRENTLY needs it."""
    for statement in step.probe.repair if step.probe else ():
        context.check_fence()
        context.connection.set_timeouts(lock_ms=step.lock_timeout_ms, statement_ms=step.statement_timeout_ms)
        try:
            context.connection.execute(statement)
        finally:
            settle_timeouts(context.connection)
        context.record(StepRepaired(run=context.run, at=context.now(), fence=context.fence, step=step.id, repair=statement))
