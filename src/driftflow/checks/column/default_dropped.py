"""DF114: an INSERT that leaves the column out gets NULL from now on, or fails."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.checks.sizes import is_new
from driftflow.dialects.situation import Situation
from driftflow.model.catalog import Column
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import AlterIdentity, DropDefault, DropExpression

_Dropped = DropDefault | DropExpression | AlterIdentity


@check(
    "DF114",
    on=(DropDefault, DropExpression, AlterIdentity),
    page="column/default-dropped",
    title="A dropped default changes what running code inserts",
)
def default_dropped(operation: _Dropped, at: Situation) -> Iterator[Finding]:
    """An identity and the expression of a generated column are defaults too. Silent where another one is there at the commit."""
    if isinstance(operation, AlterIdentity) and operation.action != "drop":
        return
    table = at.table(operation.table)
    column = table.column(operation.column) if table is not None else None
    if is_new(at, operation.table) or (column is not None and not _gives_value(column)) or _given_again(operation, at):
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


def _gives_value(column: Column) -> bool:
    return column.default is not None or column.identity is not None or column.generated is not None


def _given_again(operation: _Dropped, at: Situation) -> bool:
    after = at.committed.table(operation.table) if at.committed is not None else None
    column = after.column(operation.column) if after is not None else None
    return column is not None and _gives_value(column)
