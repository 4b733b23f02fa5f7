"""Guards: what must hold just before a step, or before the run begins. A guard that cannot be asked refuses too."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from driftflow.dialects.base import ErrorKind
from driftflow.engine.context import Context
from driftflow.engine.faults import why
from driftflow.engine.ports import Connection, DatabaseFault, Row
from driftflow.errors import RefusedError
from driftflow.model.event import Counted
from driftflow.model.plan import Guard

KEYS_MOST = 10


def check_guards(guards: Sequence[Guard], context: Context, *, where: str, step: str) -> None:
    """Those of one step, just before it. What only counts is told and stops nothing."""
    for guard in guards:
        with context.watched(0):
            if guard.refuse_if == "never":
                _tell(guard, context, step)
                continue
            check_guard(guard, context.connection, where=where, again=f"driftflow resume {context.run}")


def check_guard(guard: Guard, connection: Connection, *, where: str, again: str) -> None:
    """Raises RefusedError when it does not hold; DatabaseFault when the connection is lost or the statement was cancelled."""
    try:
        count = int(_asked(guard.query, guard, connection)[0][0])
    except DatabaseFault as fault:
        if fault.kind in {ErrorKind.CONNECTION_LOST, ErrorKind.CANCELLED}:
            raise
        raise RefusedError(
            "DF-E306", "a condition of the step could not be examined", where=where, why=why(fault), hint=guard.hint or again
        ) from fault
    if guard.refuse_if != "never" and (count != 0) == (guard.refuse_if == "not_zero"):
        keys = _keys(guard, connection)
        raise RefusedError(
            "DF-E305",
            guard.summary.replace("{count}", f"{count:,}"),
            where=where,
            why=f"among them the rows with the keys {', '.join(keys)}" if keys else "",
            hint=guard.hint or f"correct it, then: {again}",
        )


def _tell(guard: Guard, context: Context, step: str) -> None:
    """How many rows the step is about. Where the count takes longer than its cap, that is what is told."""
    try:
        count = int(_asked(guard.query, guard, context.connection)[0][0])
    except DatabaseFault as fault:
        if fault.kind is not ErrorKind.STATEMENT_TIMEOUT:
            raise
        said = f"more than can be counted in {guard.cap_ms // 1000} s"
        context.emit(_counted(guard, context, step, said, ()))
        return
    context.emit(_counted(guard, context, step, f"{count:,}", _keys(guard, context.connection) if count else ()))


def _counted(guard: Guard, context: Context, step: str, count: str, keys: tuple[str, ...]) -> Counted:
    text = guard.summary.replace("{count}", count)
    return Counted(run=context.run, at=context.now(), fence=context.fence, step=step, text=text, keys=keys)


def _keys(guard: Guard, connection: Connection) -> tuple[str, ...]:
    """The keys of a few rows; none where they cannot be had in time: what refuses is the count."""
    if guard.keys:
        with suppress(DatabaseFault):
            found = _asked(guard.keys, guard, connection)[:KEYS_MOST]
            return tuple(str(row[0]) if len(row) == 1 else f"({', '.join(map(str, row))})" for row in found)
    return ()


def _asked(query: str, guard: Guard, connection: Connection) -> list[Row]:
    """Read, within the guard's cap, and with the right to see every row or an error."""
    connection.begin(write=False)
    try:
        connection.set_timeouts(lock_ms=2_000, statement_ms=guard.cap_ms)
        if connection.dialect == "postgresql":
            connection.execute("SET LOCAL row_security = off")
        return connection.query(query)
    finally:
        connection.rollback()
