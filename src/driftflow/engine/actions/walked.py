"""A proof that reads a whole table, chunk by chunk: no read lasts long, so none holds up the removal of old row versions, and a stop is obeyed between two."""

from __future__ import annotations

from driftflow.engine import pace as pacing
from driftflow.engine.context import Context
from driftflow.engine.keyset import Keyset, escaped, keyset
from driftflow.engine.ports import Row
from driftflow.model.plan import Expectation, Verify

ROWS = "{rows}"


def walked(expectation: Expectation, step: Verify, context: Context) -> str:
    """Why the sum is not what was expected; empty when it is. Rows that come behind the last key of the beginning are not asked about: what keeps
    new rows right is there already."""
    assert expectation.walk is not None
    walk = expectation.walk
    keys, pace, total = keyset(context.connection, walk.table, walk.key), pacing.start(walk.chunk), 0
    upper = keys.upper(context.connection)
    low: Row | None = None
    while upper is not None:
        context.safe_point(step.id)
        begun = context.clock.monotonic()
        high, count = _one(expectation, step, context, walk=keys, low=low, upper=upper, size=pace.keys)
        total += count
        milliseconds = int((context.clock.monotonic() - begun) * 1000)
        rested = pacing.rest_ms(walk.chunk, milliseconds) + context.signals().throttle_ms
        pace = pacing.after_chunk(pace, walk.chunk, keys=pace.keys, milliseconds=milliseconds, rested_ms=rested)
        if high == upper:
            break
        low = high
        context.sleep_ms(rested)
    return "" if str(total) == expectation.expect else f"expected {expectation.expect}, found {total}"


def _one(
    expectation: Expectation, step: Verify, context: Context, *, walk: Keyset, low: Row | None, upper: Row, size: int
) -> tuple[Row, int]:
    """The last key of the chunk, and what the query counts up to it."""
    connection = context.connection
    connection.begin(write=False)
    try:
        connection.set_timeouts(lock_ms=step.lock_timeout_ms, statement_ms=step.statement_timeout_ms)
        high = walk.boundary(connection, low=low, upper=upper, keys=size)
        condition, parameters = walk.range(low, high)
        rows = connection.query(escaped(expectation.query).replace(ROWS, condition), parameters * expectation.query.count(ROWS))
        return high, int(rows[0][0])
    finally:
        connection.rollback()
