"""DF124: IF NOT EXISTS keeps a column that is there already, whatever its type."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.dialects.situation import Situation
from driftflow.model.catalog import Column
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import AddColumn, CreateTable


@check(
    "DF124",
    on=(AddColumn, CreateTable),
    page="column/if-not-exists-keeps",
    title="IF NOT EXISTS keeps another definition",
    only=("if_not_exists",),
)
def if_not_exists_keeps(operation: AddColumn | CreateTable, at: Situation) -> Iterator[Finding]:
    """Only where the catalog has the column, or the table, and it is another one than the statement says."""
    wanted: tuple[Column, ...]
    if isinstance(operation, AddColumn):
        table, wanted = at.table(operation.table), (operation.column,)
    else:
        table, wanted = at.table(operation.table.name), operation.table.columns
    if table is None or table.partial:
        return
    for column in wanted:
        there = table.column(column.name)
        differs = _differs(there, column) if there is not None else "is not there" if isinstance(operation, CreateTable) else ""
        if differs:
            yield finding(
                at,
                f"{table.name.name}.{column.name} {differs}, and the statement does nothing about it",
                axis="breaks",
                severity="warning",
                why="IF NOT EXISTS looks at the name alone: the migration counts as applied, and the code meets another column than it expects",
                remedy=Remedy(summary="find out who made it, and change it to what is wanted with a statement of its own"),
                known_by="catalog",
                near=column.name,
            )


def _differs(there: Column, wanted: Column) -> str:
    if there.type != wanted.type:
        return f"is there as {there.type}, not {wanted.type}"
    if there.nullable != wanted.nullable:
        return "is there and " + ("may hold NULL" if there.nullable else "is NOT NULL")
    return ""
