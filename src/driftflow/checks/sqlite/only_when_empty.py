"""DF655: SQLite accepts the column only while the table is empty: tests pass, production fails."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.checks.sizes import is_new
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import AddColumn


@check("DF655", on=AddColumn, page="sqlite/only-when-empty", title="Accepted only while the table is empty", dialects=("sqlite",))
def only_when_empty(operation: AddColumn, at: Situation) -> Iterator[Finding]:
    """A default that is no constant (CURRENT_TIMESTAMP, an expression), a STORED column. NOT NULL without a default is DF102."""
    column = operation.column
    if is_new(at, operation.table) or (not column.nullable and column.default is None and column.generated is None):
        return
    for condition in at.effects.fails_if:
        if condition.kind == "not_empty":
            table, name = at.dialect.quote_name(operation.table), at.dialect.quote(column.name)
            yield finding(
                at,
                f"will fail when {operation.table.name} holds rows: {condition.summary}",
                axis="breaks",
                severity="error",
                why="SQLite keeps one default for all old rows, so it must be a constant",
                remedy=Remedy(
                    summary="add it nullable, fill old rows in chunks, let the application (or a trigger) fill new ones",
                    sql=f"ALTER TABLE {table} ADD COLUMN {name} {column.type};\nUPDATE {table} SET {name} = {column.default or '…'} WHERE {name} IS NULL AND …;",
                ),
                near=column.name,
            )
