"""Guards: what must hold just before a step. A guard that cannot be asked refuses too; one that only counts says that it does not know.

No question of ours may read more rows than the policy allows (`probe_rows`), by the server's own estimate: what only counts is then left out, and
what decides goes through the table in ranges of its key, or has to be accepted by name.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress

from driftflow.dialects.base import ErrorKind
from driftflow.engine.context import Context
from driftflow.engine.estimated import rows_read
from driftflow.engine.faults import why
from driftflow.engine.ports import Connection, DatabaseFault, Row
from driftflow.engine.ranged import counted_in_ranges
from driftflow.engine.replicas import replicas_asked, tell_who_was_not_asked
from driftflow.errors import RefusedError
from driftflow.model.event import Counted
from driftflow.model.plan import Guard
from driftflow.model.record import replace

KEYS_MOST = 10
COUNT_MOST = 1_000
"""A guard that decides needs to know that there are rows, and roughly how many."""


def check_guards(guards: Sequence[Guard], context: Context, *, where: str, step: str) -> None:
    """Those of one step, just before it. What only counts is told and stops nothing; where a replica is given, it is read there."""
    for guard in guards:
        with context.watched(0):
            if guard.refuse_if == "never":
                for connection in _readers(guard, context):
                    _tell(guard, context, step, connection)
            elif guard.wait_ms:
                _wait(guard, context, where=where, step=step)
            else:
                _decide(guard, context, where=where, step=step)
    if any(guard.everywhere for guard in guards):
        tell_who_was_not_asked(context, step)


def _decide(guard: Guard, context: Context, *, where: str, step: str) -> None:
    """On the primary, whatever replicas there are: it is the primary that will be changed. Raises RefusedError (DF-E755) for what reads too much."""
    again = f"driftflow resume {context.run}"
    most, name = context.policy.probe_rows, f"probe {step}"
    read = rows_read(guard.query, context.connection) if most else None
    if read is not None and read > most and name not in context.limits.accepted:
        if guard.ranges is None:
            raise RefusedError(
                "DF-E755",
                "a condition of the step would read more rows than a query of ours may",
                where=where,
                why=f"about {read:,} rows by the server's estimate, and probe_rows is {most:,}",
                hint=f"{again} --accept '{name}' asks it all the same, for {guard.cap_ms // 1000} s at most; or raise probe_rows",
            )
        found = counted_in_ranges(guard.ranges, context, step=step, cap_ms=guard.cap_ms, most=COUNT_MOST)
        # The keys of rows that are not alone are found by looking at all of them at once.
        asked = replace(guard, keys="") if guard.ranges.group else guard
        judge(asked, found, context.connection, where=where, again=again)
        return
    check_guard(guard, context.connection, where=where, again=again)
    if guard.everywhere:
        for replica in replicas_asked(context):
            check_guard(guard, replica, where=f"{where}, on the replica {context.replica_names[replica]}", again=again)


def _wait(guard: Guard, context: Context, *, where: str, step: str) -> None:
    """Until it holds, as long as it may. Pause, stop and abort are obeyed meanwhile."""
    end, told = context.clock.monotonic() + guard.wait_ms / 1000, False
    while True:
        try:
            check_guard(guard, context.connection, where=where, again=f"driftflow resume {context.run}")
        except RefusedError as refused:
            blind = isinstance(refused.__cause__, DatabaseFault) and refused.__cause__.kind is ErrorKind.RIGHTS
            if not blind and context.clock.monotonic() >= end:
                raise
            if not told:
                text = f"not seen, for want of a right, whether {guard.summary}" if blind else f"waiting: {refused.summary}"
                text = text.replace("{count}", "any")
                context.emit(Counted(run=context.run, at=context.now(), fence=context.fence, step=step, text=text, keys=()))
            if blind:
                return
            told = True
            context.safe_point(step)
            context.clock.sleep(1.0)
        else:
            return


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
    judge(guard, count, connection, where=where, again=again)


def judge(guard: Guard, count: int, connection: Connection, *, where: str, again: str) -> None:
    """Raises RefusedError (DF-E305) where the count says that the guard does not hold."""
    if guard.refuse_if != "never" and (count != 0) == (guard.refuse_if == "not_zero"):
        keys = _keys(guard, connection)
        raise RefusedError(
            "DF-E305",
            guard.summary.replace("{count}", f"{count:,}"),
            where=where,
            why=f"among them the rows with the keys {', '.join(keys)}" if keys else "",
            hint=guard.hint or f"correct it, then: {again}",
        )


def _readers(guard: Guard, context: Context) -> Iterator[Connection]:
    """Where something is counted: on every server, where each has its own; else on a replica, where one is given."""
    if guard.everywhere:
        yield context.connection
        yield from replicas_asked(context)
    else:
        yield next(replicas_asked(context), context.connection)


def _tell(guard: Guard, context: Context, step: str, connection: Connection) -> None:
    """How many rows the step is about. Where the count takes longer than its cap, or would read too much, that is what is told."""
    replica = connection is not context.connection
    try:
        said, keys = _told(guard, context, connection)
    except DatabaseFault as fault:
        if not replica and fault.kind is not ErrorKind.STATEMENT_TIMEOUT:
            raise
        slow = f"more than can be counted in {guard.cap_ms // 1000} s"
        said, keys = slow if fault.kind is ErrorKind.STATEMENT_TIMEOUT else f"an unknown number of ({why(fault)})", ()
    text = guard.summary.replace("{count}", said)
    if replica:
        text = f"{text} (on the replica {context.replica_names[connection]})"
    context.emit(Counted(run=context.run, at=context.now(), fence=context.fence, step=step, text=text, keys=keys))


def _told(guard: Guard, context: Context, connection: Connection) -> tuple[str, tuple[str, ...]]:
    most = context.policy.probe_rows
    read = rows_read(guard.query, connection) if most else None
    if read is not None and read > most:
        return f"an unknown number of (not counted: that would read about {read:,} rows, and probe_rows is {most:,})", ()
    count = int(_asked(guard.query, guard, connection)[0][0])
    return f"{count:,}", _keys(guard, connection) if count else ()


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
