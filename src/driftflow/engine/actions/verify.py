"""Verify: what must be true now. Every expectation runs in a transaction that is rolled back, whatever it wrote."""

from __future__ import annotations

from driftflow.dialects.base import ErrorKind
from driftflow.engine.actions.walked import walked
from driftflow.engine.context import Context
from driftflow.engine.faults import place, why
from driftflow.engine.ports import Connection, DatabaseFault
from driftflow.errors import StepFailedError
from driftflow.model.plan import Expectation, Outcome, Verify

PASSED_ON = {ErrorKind.CONNECTION_LOST, ErrorKind.LOCK_TIMEOUT, ErrorKind.DEADLOCK, ErrorKind.SERIALIZATION, ErrorKind.CANCELLED}
"""These say nothing about the expectation: the loop tries again or stops."""


def perform(step: Verify, context: Context) -> None:
    begun = context.clock.monotonic()
    context.started(step)
    for expectation in step.expectations:
        context.safe_point(step.id)
        failure = (walked if expectation.walk is not None else _examine)(expectation, step, context)
        if failure:
            raise StepFailedError(
                "DF-E530",
                f"not as expected: {expectation.summary}",
                where=place(step),
                why=failure,
                hint=f"correct it, then: driftflow resume {context.run}; or driftflow rollback {context.run}",
            )
    with context.fenced():
        context.finished(step, begun, structural=False, details={"verified": str(len(step.expectations))})


def _examine(expectation: Expectation, step: Verify, context: Context) -> str:
    """Why it does not hold; empty when it does."""
    connection = context.connection
    connection.begin(write=bool(expectation.setup) or bool(expectation.sqlstates))
    try:
        connection.set_timeouts(lock_ms=step.lock_timeout_ms, statement_ms=step.statement_timeout_ms)
        with context.watched(step.lock_timeout_ms):
            return _outcome(expectation, connection)
    finally:
        connection.rollback()
        connection.notices()


def _outcome(expectation: Expectation, connection: Connection) -> str:
    try:
        for statement in expectation.setup:
            connection.execute(statement)
    except DatabaseFault as fault:
        if fault.kind in PASSED_ON:
            raise
        return f"its preparation failed: {why(fault)}"
    try:
        rows = connection.query(expectation.query)
    except DatabaseFault as fault:
        if fault.kind in PASSED_ON:
            raise
        return "" if fault.code in expectation.sqlstates else f"it failed: {why(fault)}"
    if expectation.expect is None:
        return f"it should have failed with {' or '.join(expectation.sqlstates)}" if expectation.sqlstates else ""
    found = as_text(rows[0][0] if rows else None)
    return "" if found == expectation.expect else f"expected {expectation.expect}, found {found}"


def as_text(value: object) -> str:
    """One value as plans write it."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case bytes():
            return value.hex()
        case _:
            return str(value)


def probe(step: Verify, context: Context) -> Outcome:
    """It changes nothing, so it can always be done again."""
    return "not_done"
