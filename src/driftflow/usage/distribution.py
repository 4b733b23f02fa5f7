"""How the rows of a table will spread over a new column (a tenant, an owner), counted before anything is planned.

The answer decides two things that cannot be decided from the schema: whether partitioning by that column would pay, and whether rows would be
left without a value. Counts and shares only; no row value leaves the server but the keys' number.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from driftflow.dialects.registry import dialect_named
from driftflow.engine.ports import DatabaseFault
from driftflow.model.finding import Assessment
from driftflow.model.names import Name
from driftflow.model.operations import AddColumn
from driftflow.strategies import spoken
from driftflow.strategies.spoken import BackfillRequest

if TYPE_CHECKING:
    from driftflow.engine.ports import Connection

CAP_MS = 10_000
PARTITION_ROWS = 100_000_000
"""Below this a leading column in an index serves every query that names the key; partitions cost planning time and unique keys."""
SKEWED_SHARE = 0.5


def distributions(connection: Connection, assessment: Assessment) -> tuple[str, ...]:
    """One or two sentences per new column that is filled by a join. Each count runs under a time limit of ten seconds."""
    facts: list[str] = []
    for assessed in assessment.statements:
        for operation in assessed.statement.operations:
            if isinstance(operation, AddColumn):
                for request in spoken.backfills(assessed.statement):
                    if request.from_clause and operation.column.name in request.columns:
                        facts += _facts(connection, operation.table, operation.column.name, request)
    return tuple(facts)


def _facts(connection: Connection, table: Name, column: str, request: BackfillRequest) -> Iterator[str]:
    sql = (
        "SELECT count(CASE WHEN k IS NOT NULL THEN 1 END), sum(n), max(CASE WHEN k IS NOT NULL THEN n ELSE 0 END),"
        f" sum(CASE WHEN k IS NULL THEN n ELSE 0 END) FROM (SELECT {request.expression} AS k, count(*) AS n FROM {dialect_named(connection.dialect).quote_name(table)}"
        f" LEFT JOIN {request.from_clause} ON {request.join} GROUP BY 1) spread"
    )
    where = f"{table.name}.{column}"
    connection.begin(write=False)
    try:
        connection.set_timeouts(statement_ms=CAP_MS)
        groups, rows, largest, without = (int(value or 0) for value in connection.query(sql)[0])
    except DatabaseFault as fault:
        yield f"{where}: the distribution was not counted ({fault.message.splitlines()[0]}; limit {CAP_MS // 1000} s)"
        return
    finally:
        connection.rollback()
    yield from _sentences(where, column, groups=groups, rows=rows, largest=largest, without=without)


def _sentences(where: str, column: str, *, groups: int, rows: int, largest: int, without: int) -> Iterator[str]:
    if not groups:
        yield f"{where}: none of {rows:,} rows would get a value"
        return
    share = largest / rows
    yield (
        f"{where}: {rows:,} rows spread over {groups:,} values; the largest holds {largest:,} ({share:.0%}),"
        f" {without:,} rows would get none (counted just now)"
    )
    if rows < PARTITION_ROWS:
        yield (
            f"{where}: partitioning by it does not pay at this size (worth a look from about {PARTITION_ROWS:,} rows, or when whole values must be"
            f" dropped at once): an index that begins with {column} serves"
        )
    elif share > SKEWED_SHARE:
        yield f"{where}: one value holds most rows: list partitions would be lopsided; hash partitions or an index that begins with {column} serve better"
    else:
        yield f"{where}: at this size list or hash partitions by {column} are worth deciding now: later it means moving every row"
    yield f"{where}: build its index after the backfill, so that the chunks need not keep it up to date (the plan does)"
