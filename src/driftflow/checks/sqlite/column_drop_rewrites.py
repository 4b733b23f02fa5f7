"""DF657: DROP COLUMN writes every row of the table again while the file is locked."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.checks.sizes import severity_of_block, size
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import DropColumn


@check("DF657", on=DropColumn, page="sqlite/column-drop-rewrites", title="DROP COLUMN rewrites the table", dialects=("sqlite",))
def column_drop_rewrites(operation: DropColumn, at: Situation) -> Iterator[Finding]:
    severity = severity_of_block(at, operation.table)
    if severity is not None and operation.table in at.effects.rewrites:
        yield finding(
            at,
            f"DROP COLUMN {operation.column} writes {size(at, operation.table)} of {operation.table.name} again",
            axis="blocks",
            severity="warning" if severity == "error" else "info",
            why="every writer of the file waits for it (unlike PostgreSQL, where a dropped column stays in the rows)",
            remedy=Remedy(summary="run it off-peak; or leave the column where it is and stop using it"),
            near=operation.column,
        )
