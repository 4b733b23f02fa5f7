"""Virtual columns among the clauses of one ALTER TABLE: what they make impossible in place, and what an index over one of them costs.

Measured on MySQL 9.7, MariaDB 10.11 and 11.8 with statements made by chance.
"""

from __future__ import annotations

from dataclasses import replace

from driftflow.dialects.mysql.effects.change import has_virtual, is_indexed, is_virtual, stays
from driftflow.dialects.mysql.effects.company import Graded
from driftflow.dialects.mysql.effects.grade import Grade, Lock
from driftflow.model.catalog import Table
from driftflow.model.operations import (
    AddColumn,
    ChangeColumn,
    CreateIndex,
    DropColumn,
    DropDefault,
    DropIndex,
    Operation,
    SetDefault,
)


def with_virtual(graded: Graded, table: Table | None, whole: Grade) -> Grade:
    """Adding or dropping a virtual column goes in place only beside its like and beside indexes."""
    added = {one.column.name for one, _ in graded if isinstance(one, AddColumn) and is_virtual(one.column)}
    dropped = {one.column for one, _ in graded if isinstance(one, DropColumn) and _drops_virtual(one, table)}
    if not added and not dropped:
        return whole
    p = graded[0][1]
    others = [
        one
        for one, _ in graded
        if not _is_virtual(one, added, dropped)
        and not isinstance(one, CreateIndex | DropIndex)
        and not _changes_nothing(one, table)
    ]
    if any(isinstance(one, CreateIndex) and added & set(one.index.columns) for one, _ in graded) and whole.inplace == "NONE":
        if table is not None and table.partitioning is not None:
            return _copied(whole)
        whole = replace(whole, inplace="SHARED", reason="an index over a new virtual column is built while writers wait")
    if p.mariadb:
        partitioned = table is not None and table.partitioning is not None
        if (added and partitioned) or whole.rebuilds or any(not isinstance(one, DropColumn) for one in others):
            return _copied(whole)
        return whole
    if any(not isinstance(one, AddColumn | DropColumn | SetDefault | DropDefault) for one in others):
        return _copied(whole)
    if dropped and any(isinstance(one, AddColumn) for one in others):
        return _copied(whole)
    if any(isinstance(one, AddColumn | DropColumn) for one in others):
        return replace(whole, inplace="")
    return whole


def with_functional(graded: Graded, table: Table | None, whole: Grade) -> Grade:
    """MySQL: an index over an expression has a hidden virtual column, and one that takes another's place makes a copy."""
    if table is None or graded[0][1].mariadb:
        return whole
    known = {index.name.name for index in table.indexes if any(part.expression for part in index.parts)}
    goes = any(isinstance(one, DropIndex) and one.name.name in known for one, _ in graded)
    comes = any(isinstance(one, CreateIndex) and any(part.expression for part in one.index.parts) for one, _ in graded)
    return _copied(whole) if goes and comes else whole


def with_virtual_order(graded: Graded, table: Table | None, after: Table | None, whole: Grade) -> Grade:
    """MariaDB: a virtual column that gets another place in the row is nothing that it does in place together with anything but DROP COLUMN; and a
    table with an index over a virtual column is written anew by what is instant elsewhere, while writers wait. Both: such a column goes from a table with
    partitions by a copy."""
    if table is None or after is None or not has_virtual(table):
        return whole
    moved = _order_changes(table, after)
    indexed = [one.name for one in table.columns if is_virtual(one) and is_indexed(table, one.name)]
    kept = [name for name in indexed if after.column(name) is not None and is_indexed(after, name)]
    gone = [name for name in indexed if after.column(name) is None]
    if gone and table.partitioning is not None:
        return _copied(whole)
    if not graded[0][1].mariadb or not (moved or indexed):
        return whole
    drops = [one for one, _ in graded if isinstance(one, DropColumn) and one.column not in indexed]
    others = [one for one, _ in graded if not (isinstance(one, DropColumn) or _is_last_virtual(one))]
    if (moved and (others or kept or whole.rebuilds)) or (gone and drops):
        return replace(whole, instant=False, inplace="", reason="a virtual column gets another place in the row")
    shaped = any(_shapes(one, table) for one, _ in graded)
    if kept and shaped and any(_is_last_virtual(one) for one, _ in graded):
        return _copied(whole)
    if indexed and (whole.rebuilds or shaped) and whole.inplace:
        lock: Lock = "SHARED" if kept else whole.inplace
        return replace(whole, instant=False, inplace=lock, rebuilds=True, reason="the table has an index over a virtual column")
    return whole


def _is_last_virtual(operation: Operation) -> bool:
    return isinstance(operation, AddColumn) and is_virtual(operation.column) and not operation.position


def _order_changes(table: Table, after: Table) -> bool:
    names = [one.name for one in after.columns]
    return any(
        is_virtual(one) and one.name in names and names.index(one.name) != place for place, one in enumerate(table.columns)
    )


def _shapes(operation: Operation, table: Table) -> bool:
    """Whether the rows get another column, one less, or another order of them."""
    match operation:
        case AddColumn(column=column):
            return not is_virtual(column)
        case DropColumn(column=name):
            dropped = table.column(name)
            return dropped is not None and not is_virtual(dropped)
        case ChangeColumn(column=name, position=position):
            return bool(position) and table.column(name) is not None and not stays(table, name, position)
        case _:
            return False


def _changes_nothing(operation: Operation, table: Table | None) -> bool:
    """A MODIFY that states the column as it is."""
    if not isinstance(operation, ChangeColumn) or table is None:
        return False
    return operation.definition == table.column(operation.column) and not operation.position


def _copied(whole: Grade) -> Grade:
    reason = "a virtual column is added or dropped together with another change"
    return replace(whole, instant=False, inplace="", reason=reason)


def _is_virtual(operation: Operation, added: set[str], dropped: set[str]) -> bool:
    match operation:
        case AddColumn():
            return operation.column.name in added
        case DropColumn():
            return operation.column in dropped
        case _:
            return False


def _drops_virtual(operation: DropColumn, table: Table | None) -> bool:
    column = table.column(operation.column) if table is not None else None
    return column is not None and is_virtual(column)
