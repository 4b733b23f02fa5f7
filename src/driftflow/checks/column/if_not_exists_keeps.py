"""DF124: IF NOT EXISTS keeps a column that is there already, whatever its type."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.dialects.situation import Situation
from driftflow.model.catalog import Column, Index
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import AddColumn, CreateIndex, CreateTable

_WHY = "IF NOT EXISTS looks at the name alone: the migration counts as applied, and the code meets another {} than it expects"
_REMEDY = Remedy(summary="find out who made it, and change it to what is wanted with a statement of its own")


@check(
    "DF124",
    on=(AddColumn, CreateTable, CreateIndex),
    page="column/if-not-exists-keeps",
    title="IF NOT EXISTS keeps another definition",
    only=("if_not_exists",),
)
def if_not_exists_keeps(operation: AddColumn | CreateTable | CreateIndex, at: Situation) -> Iterator[Finding]:
    """Only where the catalog has the column, the table or the index, and it is another one than the statement says."""
    if isinstance(operation, CreateIndex):
        yield from _index(operation, at)
        return
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
                why=_WHY.format("column"),
                remedy=_REMEDY,
                known_by="catalog",
                near=column.name,
            )


def _differs(there: Column, wanted: Column) -> str:
    if there.type != wanted.type:
        return f"is there as {there.type}, not {wanted.type}"
    if there.nullable != wanted.nullable:
        return "is there and " + ("may hold NULL" if there.nullable else "is NOT NULL")
    return ""


def _index(operation: CreateIndex, at: Situation) -> Iterator[Finding]:
    wanted, table = operation.index, at.table(operation.index.table)
    there = table.index(wanted.name.name) if table is not None and wanted.name.name else None
    differs = _another(there, wanted) if there is not None else ""
    if table is not None and there is not None and differs:
        yield finding(
            at,
            f"{wanted.name.name} is there {differs}, and the statement builds nothing",
            axis="breaks",
            severity="warning",
            why=_WHY.format("index"),
            remedy=_REMEDY,
            known_by="catalog",
            near=wanted.name.name,
        )


def _another(there: Index, wanted: Index) -> str:
    """Expressions are not compared: the server writes them in words of its own."""
    if there.unique != wanted.unique:
        return "and " + ("unique" if there.unique else "not unique")
    plain = not any(part.expression for part in (*there.parts, *wanted.parts))
    if (plain and there.columns != wanted.columns) or len(there.parts) != len(wanted.parts):
        return f"over ({', '.join(part.column or part.expression for part in there.parts)})"
    if bool(there.predicate) != bool(wanted.predicate):
        return f"WHERE {there.predicate}" if there.predicate else "over every row"
    return ""
