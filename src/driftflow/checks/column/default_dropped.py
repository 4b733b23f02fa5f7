"""DF114: an INSERT that leaves the column out gets NULL from now on, or fails."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.checks.sizes import is_new
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import DropDefault


@check("DF114", on=DropDefault, page="column/default-dropped", title="A dropped default changes what running code inserts")
def default_dropped(operation: DropDefault, at: Situation) -> Iterator[Finding]:
    table = at.table(operation.table)
    column = table.column(operation.column) if table is not None else None
    if is_new(at, operation.table) or (column is not None and column.default is None):
        return
    fails = column is not None and not column.nullable
    yield finding(
        at,
        f"an INSERT that leaves {operation.table.name}.{operation.column} out {'fails' if fails else 'stores NULL'} from now on",
        axis="breaks",
        severity="error" if fails else "warning",
        why="code of the version before this one may rely on the default",
        remedy=Remedy(summary="deploy code that always writes the column first; drop the default in the contract phase"),
        near=operation.column,
    )
