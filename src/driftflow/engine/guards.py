"""Guards: what must hold just before a step, or before the run begins. A guard that cannot be asked refuses too."""

from __future__ import annotations

from collections.abc import Sequence

from driftflow.dialects.base import ErrorKind
from driftflow.engine.context import Context
from driftflow.engine.faults import why
from driftflow.engine.ports import Connection, DatabaseFault
from driftflow.errors import RefusedError
from driftflow.model.plan import Guard


def check_guards(guards: Sequence[Guard], context: Context, *, where: str) -> None:
    for guard in guards:
        with context.watched(0):
            check_guard(guard, context.connection, where=where, again=f"driftflow resume {context.run}")


def check_guard(guard: Guard, connection: Connection, *, where: str, again: str) -> None:
    """Raises RefusedError when it does not hold; DatabaseFault when the connection is lost or the statement was cancelled."""
    connection.begin(write=False)
    try:
        connection.set_timeouts(lock_ms=2_000, statement_ms=guard.cap_ms)
        if connection.dialect == "postgresql":
            connection.execute("SET LOCAL row_security = off")
        count = int(connection.query(guard.query)[0][0])
    except DatabaseFault as fault:
        if fault.kind in {ErrorKind.CONNECTION_LOST, ErrorKind.CANCELLED}:
            raise
        raise RefusedError(
            "DF-E306", "a condition of the step could not be examined", where=where, why=why(fault), hint=guard.hint or again
        ) from fault
    finally:
        connection.rollback()
    if (count != 0) == (guard.refuse_if == "not_zero"):
        raise RefusedError(
            "DF-E305",
            guard.summary.replace("{count}", f"{count:,}"),
            where=where,
            hint=guard.hint or f"correct it, then: {again}",
        )
