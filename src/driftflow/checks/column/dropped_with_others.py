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
    dialects=("postgresql", "mysql", "mariadb"),
)
def column_takes_others(operation: DropColumn, at: Situation) -> Iterator[Finding]:
    """The server says nothing: no CASCADE is needed for what belongs to the table itself."""
    lost = [loss.what for loss in at.effects.loses if not loss.what.startswith("column ")]
    if at.dialect.one_pass:
        yield from _shortened(operation, at)
        return
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


def _shortened(operation: DropColumn, at: Situation) -> Iterator[Finding]:
    """MySQL and MariaDB take the column out of each index and keep the rest: a unique one may then find duplicates (error 1062)."""
    table = at.table(operation.table)
    if any(condition.certain for condition in at.effects.fails_if):
        return  # MariaDB takes no column out of a unique index
    for index in table.indexes if table is not None and not table.new else ():
        rest = [name for name in index.columns if name != operation.column]
        if operation.column not in index.columns or not rest:
            continue
        yield finding(
            at,
            f"{index.name.name} loses {operation.column} and goes on as an index of {', '.join(rest)}",
            axis="breaks" if index.unique else "loses",
            severity="warning",
            why=f"the statement fails as soon as two rows agree in {', '.join(rest)} (error 1062)"
            if index.unique
            else "queries that the whole index served become slow at once",
            remedy=Remedy(summary="drop the index, and build what is still needed without the column, before the column goes"),
            near=operation.column,
        )
