"""DF116: readers see NULL where they never did, and the way back has to read the table."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.checks.sizes import is_new
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import DropNotNull


@check("DF116", on=DropNotNull, page="column/nullable", title="A column that may be NULL from now on")
def not_null_dropped(operation: DropNotNull, at: Situation) -> Iterator[Finding]:
    table = at.table(operation.table)
    column = table.column(operation.column) if table is not None else None
    if not is_new(at, operation.table) and (column is None or not column.nullable):
        yield finding(
            at,
            f"{operation.table.name}.{operation.column} may hold NULL from now on",
            axis="breaks",
            severity="info",
            why="readers that never met a NULL there meet one; taking this back means proving NOT NULL again",
            remedy=Remedy(summary="make sure that every reader handles NULL before the first one is written"),
            near=operation.column,
        )
