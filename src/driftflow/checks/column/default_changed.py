"""DF115: clients that keep the old default in memory go on writing it."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.checks.sizes import is_new
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import SetDefault


@check("DF115", on=SetDefault, page="column/default-changed", title="Clients that cached the old default write it on")
def default_changed(operation: SetDefault, at: Situation) -> Iterator[Finding]:
    """Only where there was another default, and it is known."""
    table = at.table(operation.table)
    column = table.column(operation.column) if table is not None else None
    if column is None or column.default is None or column.default == operation.default or is_new(at, operation.table):
        return
    yield finding(
        at,
        f"the default of {operation.table.name}.{operation.column} becomes {operation.default}; old rows keep {column.default}",
        axis="breaks",
        severity="info",
        why="object mappers that read the default once write the old one until they are restarted",
        remedy=Remedy(summary="restart (or redeploy) such clients afterwards; decide what old rows should hold"),
        near=operation.column,
    )
