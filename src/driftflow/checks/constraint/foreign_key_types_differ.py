"""DF205: the two sides of a foreign key have different types: lookups cannot use the index as they should, or numbers overflow."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.model.catalog import Column, ForeignKey
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import AddColumn, AddConstraint, CreateTable


@check(
    "DF205",
    on=(AddConstraint, AddColumn, CreateTable),
    page="constraint/foreign-key-types-differ",
    title="The two sides of a foreign key differ in type",
    only=("adds_foreign_key",),
)
def foreign_key_types_differ(operation: AddConstraint | AddColumn | CreateTable, at: Situation) -> Iterator[Finding]:
    for key, columns in _keys(operation, at):
        referenced = at.table(key.referenced)
        for here, there in zip(columns, key.referenced_columns, strict=False):
            other = referenced.column(there) if referenced is not None else None
            if here is None or other is None or _alike(here, other, at):
                continue
            yield finding(
                at,
                f"{here.name} is {here.type}, {key.referenced.name}.{there} is {other.type}",
                axis="breaks",
                severity="warning",
                why="the narrower side overflows first, and comparing different types may keep an index from being used",
                remedy=Remedy(summary="give both the same type", sql=f"{at.dialect.quote(here.name)} {other.type}"),
                near=here.name,
            )


def _keys(
    operation: AddConstraint | AddColumn | CreateTable, at: Situation
) -> Iterator[tuple[ForeignKey, tuple[Column | None, ...]]]:
    match operation:
        case CreateTable():
            for key in operation.table.foreign_keys:
                yield key, tuple(operation.table.column(name) for name in key.columns)
        case AddColumn():
            for item in operation.constraints:
                if isinstance(item, ForeignKey):
                    yield item, (operation.column,)
        case AddConstraint(constraint=ForeignKey() as key):
            table = at.table(operation.table)
            yield key, tuple(table.column(name) if table is not None else None for name in key.columns)
        case _:
            pass


def _alike(here: Column, other: Column, at: Situation) -> bool:
    """SQLite compares by the affinity that a type's name gives: int, integer and bigint are one there."""
    if here.type == other.type:
        return True
    if not at.can(Capability.SINGLE_WRITER):
        return False
    from driftflow.dialects.sqlite.types import affinity

    return affinity(here.type) == affinity(other.type)
