"""DF112: indexes and constraints over several columns disappear silently with one of them."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.checks.sizes import is_new
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import DropColumn


@check(
    "DF112",
    on=DropColumn,
    page="column/dropped-with-others",
    title="A dropped column takes indexes and constraints with it",
    dialects=("postgresql",),
)
def column_takes_others(operation: DropColumn, at: Situation) -> Iterator[Finding]:
    """The server says nothing: no CASCADE is needed for what belongs to the table itself."""
    lost = [loss.what for loss in at.effects.loses if not loss.what.startswith("column ")]
    if lost and not is_new(at, operation.table):
        yield finding(
            at,
            f"{', '.join(lost)} goes with {operation.table.name}.{operation.column}, without a word from the server",
            axis="loses",
            severity="warning",
            why="queries that the index served become slow at once; what the constraint guaranteed for the other columns is not guaranteed any more",
            remedy=Remedy(summary="build what is still needed without the column first (build_index_online), then drop"),
            near=operation.column,
        )
