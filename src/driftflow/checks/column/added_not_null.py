"""DF102: a NOT NULL column without a default fails as soon as the table has one row."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.checks.remedies import quote
from driftflow.checks.sizes import is_new
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import AddColumn


@check(
    "DF102",
    on=AddColumn,
    page="column/added-not-null",
    title="NOT NULL without a default fails on rows",
    dialects=("postgresql", "sqlite"),
)
def added_not_null(operation: AddColumn, at: Situation) -> Iterator[Finding]:
    """Passes every test on an empty database and fails in production: an error of its own, apart from what it blocks."""
    column = operation.column
    valued = column.default is not None or column.generated is not None or column.identity is not None or column.serial
    not_null = not column.nullable or any(one.kind == "not_empty" for one in at.effects.fails_if)  # of its domain
    if not not_null or valued or is_new(at, operation.table):
        return
    table, name = at.dialect.quote_name(operation.table), quote(at, column.name)
    yield finding(
        at,
        f"will fail when {operation.table.name} holds rows: {column.name} is NOT NULL and has no default",
        axis="breaks",
        severity="error",
        why="existing rows would hold NULL; and code that is running inserts rows without the column",
        remedy=Remedy(
            summary="add it nullable, let the application write it, fill old rows in chunks, then prove NOT NULL (add_column_not_null)",
            sql=f"ALTER TABLE {table} ADD COLUMN {name} {column.type};\n-- in chunks: UPDATE {table} SET {name} = … WHERE {name} IS NULL AND …;",
        ),
        near=column.name,
    )
