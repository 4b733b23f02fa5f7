"""DF665: old rows silently get 0, '' or '0000-00-00'."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.checks.sizes import is_new
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import AddColumn


@check(
    "DF665",
    on=AddColumn,
    page="mysql/implicit-default",
    title="NOT NULL without a default gives old rows a value nobody chose",
    dialects=("mysql", "mariadb"),
)
def implicit_default(operation: AddColumn, at: Situation) -> Iterator[Finding]:
    """No error, unlike PostgreSQL: 0, '' or '0000-00-00' appears in every old row."""
    said = next((one.what for one in at.effects.loses if "implicit" in one.what), "")
    refused = any(condition.kind == "not_empty" for condition in at.effects.fails_if)  # DF002
    if not said or refused or is_new(at, operation.table):
        return
    table, name = at.dialect.quote_name(operation.table), at.dialect.quote(operation.column.name)
    yield finding(
        at,
        said,
        axis="loses",
        severity="warning",
        why="nobody can tell these rows from those where the value was meant; and in strict mode an INSERT of running code that leaves the column "
        "out fails",
        remedy=Remedy(
            summary="add it nullable, let the application write it, fill old rows in chunks, then make it NOT NULL",
            sql=f"ALTER TABLE {table} ADD COLUMN {name} {operation.column.type}, ALGORITHM=INSTANT;",
        ),
        near=operation.column.name,
    )
