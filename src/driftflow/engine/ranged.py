"""A question about a large table, asked of one range of its key after another: no query reads for long, no snapshot is held, and who asks for a pause gets it."""

from __future__ import annotations

from typing import Any

from driftflow.engine.context import Context
from driftflow.engine.keyset import escaped
from driftflow.model.event import Counted
from driftflow.model.plan import Ranges

ROWS = 50_000
"""Rows of one range, to begin with: about what a backfill reads at once."""


def counted_in_ranges(ranges: Ranges, context: Context, *, step: str, cap_ms: int, most: int) -> int:
    """Rows (or groups of them) that the question is about, up to `most`. Each range is a transaction of its own, so what is written behind us meanwhile is not seen:
    the constraint itself is what holds in the end.

    Raises DatabaseFault, and Interrupted between two ranges.
    """
    table, key, where, group = (escaped(part) for part in (ranges.table, ranges.key, ranges.where, ranges.group))
    begun, found, asked = context.clock.monotonic(), 0, 0
    low: Any = None
    while found < most:
        context.safe_point(step)
        behind, values = (f"WHERE {key} > %s", (low,)) if asked else (f"WHERE {key} IS NOT NULL", ())
        high = _one(
            context,
            f"SELECT max(k) FROM (SELECT {key} AS k FROM {table} {behind} ORDER BY {key} LIMIT {ROWS}) AS r",
            values,
            cap_ms,
        )
        if high is None:
            break
        within = f"{key} > %s AND {key} <= %s" if asked else f"{key} <= %s"
        rows = f"FROM {table} WHERE {within} AND ({where})"
        counted = f"FROM (SELECT 1 {rows} GROUP BY {group} HAVING count(*) > 1) AS g" if group else rows
        found += int(_one(context, f"SELECT count(*) {counted}", (*values, high), cap_ms))
        low, asked = high, asked + 1
    seconds = context.clock.monotonic() - begun
    text = f"the table was looked through in {asked:,} ranges of {'a column' if group else 'its key'}, which took {seconds:.0f} s"
    context.emit(Counted(run=context.run, at=context.now(), fence=context.fence, step=step, text=text))
    return min(found, most)


def _one(context: Context, query: str, values: tuple[Any, ...], cap_ms: int) -> Any:
    connection = context.connection
    connection.begin(write=False)
    try:
        connection.set_timeouts(lock_ms=2_000, statement_ms=cap_ms)
        if connection.dialect == "postgresql":
            connection.execute("SET LOCAL row_security = off")
        return connection.query(query, values)[0][0]
    finally:
        connection.rollback()
