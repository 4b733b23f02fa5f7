"""DF412: a column of a published table is made, renamed or dropped here and not on the subscriber."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import AddColumn, DropColumn, RenameColumn


@check(
    "DF412",
    on=(AddColumn, DropColumn, RenameColumn),
    page="table/published",
    title="Subscribers do not follow",
    dialects=("postgresql",),
)
def published(operation: AddColumn | DropColumn | RenameColumn, at: Situation) -> Iterator[Finding]:
    """Logical replication carries rows and no DDL, and finds columns by name. A dropped column is no fault of the publisher's."""
    table = at.table(operation.table)
    if table is None or table.new or not table.publications or isinstance(operation, DropColumn):
        return
    adds = isinstance(operation, AddColumn)
    name = operation.column.name if isinstance(operation, AddColumn) else operation.to
    yield finding(
        at,
        f"subscribers of {', '.join(table.publications)} stop at the next row of {table.name.name} unless they have {name}",
        axis="breaks",
        severity="warning",
        why="DDL is not replicated: the apply worker fails until the column is there, and the slot keeps the log meanwhile",
        remedy=Remedy(
            summary="add the column on every subscriber first, then here"
            if adds
            else "expand and contract on both sides; a rename cannot happen on both at once"
        ),
        known_by="catalog",
        near=name,
    )
