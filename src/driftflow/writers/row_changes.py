"""A backfill as plain SQL: one statement, or on PostgreSQL a block that commits after each stretch of keys."""

from __future__ import annotations

from driftflow.dialects.base import Dialect
from driftflow.model.plan import Backfill

CHUNK_ROWS = 5_000


def row_change(step: Backfill, dialect: Dialect, *, within: str = "") -> str:
    """The whole change, with what stands beside it; `within` narrows it further."""
    beside = (statement.replace("{rows}", within or "TRUE") for statement in (*step.before, "", *step.after))
    return ";\n".join(statement or _change(step, dialect, within) for statement in beside)


def _change(step: Backfill, dialect: Dialect, within: str) -> str:
    table = dialect.quote_name(step.table)
    where = " AND ".join(f"({one})" for one in (step.join, step.predicate, within) if one)
    condition = f" WHERE {where}" if where else ""
    if step.action == "delete":
        using = step.from_clause.removeprefix("FROM ").strip()
        return f"DELETE FROM {table}{f' USING {using}' if using else ''}{condition}"
    assignments = ", ".join(f"{dialect.quote(column)} = {expression}" for column, expression in step.assignments)
    return f"UPDATE {table} SET {assignments}{f' {step.from_clause}' if step.from_clause else ''}{condition}"


def in_chunks(step: Backfill, dialect: Dialect, *, rows: int = CHUNK_ROWS) -> str:
    """The change as a DO block over one key column. It commits, so it must not be inside a transaction; interrupted, it may run again.

    The two bounds are plain comparisons, so that each stretch is found through the key's index.
    """
    table, key = dialect.quote_name(step.table), dialect.quote(step.key[0])
    column = f"{dialect.quote(step.table.name)}.{key}"
    rest = row_change(step, dialect, within=f"{column} >= driftflow_low")
    stretch = row_change(step, dialect, within=f"{column} >= driftflow_low AND {column} < driftflow_high")
    kind = f"{table}.{key}%TYPE"
    return f"""\
DO $driftflow$
DECLARE
    driftflow_low {kind};
    driftflow_high {kind};
BEGIN
    SELECT {key} INTO driftflow_low FROM {table} ORDER BY {key} LIMIT 1;
    WHILE driftflow_low IS NOT NULL LOOP
        SELECT {key} INTO driftflow_high FROM {table} WHERE {key} >= driftflow_low ORDER BY {key} OFFSET {rows} LIMIT 1;
        IF driftflow_high IS NULL THEN
            {rest};
        ELSE
            {stretch};
        END IF;
        COMMIT;
        driftflow_low := driftflow_high;
    END LOOP;
END
$driftflow$"""
