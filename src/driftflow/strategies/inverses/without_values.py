"""What comes back of a dropped column when its values are gone and that was accepted: the column itself and its indexes, so that code which names it, and
what the plan did before the drop, can go on the way back."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.dialects.situation import Situation
from driftflow.model.catalog import Catalog, Check, Column, ForeignKey, Table, Unique
from driftflow.model.names import Name
from driftflow.model.operations import AddColumn, AddConstraint, CreateIndex, DropColumn, DropIndex, Operation, SetDefault
from driftflow.model.record import replace


def without_values(operation: Operation, before: Catalog, after: Catalog, at: Situation) -> tuple[Operation, ...]:
    """In order; nothing where the operation is another, or the column is not known. NOT NULL comes back only together with a default that gives
    old rows a value in an instant."""
    table = before.table(operation.table) if isinstance(operation, DropColumn) else None
    column = table.column(operation.column) if table is not None and isinstance(operation, DropColumn) else None
    if table is None or column is None or column.identity is not None or column.generated is not None:
        return ()
    return (*_column(table.name, column, after, at), *_indexes(table, column, after), *_constraints(table, column, after))


def _column(table: Name, column: Column, after: Catalog, at: Situation) -> tuple[Operation, ...]:
    bare = replace(column, autoincrement=False)
    whole = AddColumn(table=table, column=bare)
    if (bare.default is not None or bare.nullable) and not at.dialect.effects(whole, after).work:
        return (whole,)
    empty = AddColumn(table=table, column=replace(bare, nullable=True, default=None))
    return (empty,) if bare.default is None else (empty, SetDefault(table=table, column=bare.name, default=bare.default))


def _constraints(table: Table, column: Column, after: Catalog) -> Iterator[Operation]:
    """What an empty column fulfils: where there is a default, rows that have it may be no longer unique, or point at nothing."""
    now = after.table(table.name)
    for one in table.constraints:
        gone = now is None or now.constraint(one.name) is None
        match one:
            case Check() if gone:
                yield AddConstraint(table=table.name, constraint=one)
            case Unique(columns=columns) | ForeignKey(columns=columns) if (
                gone and column.name in columns and column.default is None
            ):
                yield AddConstraint(table=table.name, constraint=one)
            case _:
                pass


def _indexes(table: Table, column: Column, after: Catalog) -> tuple[Operation, ...]:
    """PostgreSQL and SQLite drop them with the column; on MySQL and MariaDB they lose it, and are gone with the last one."""
    now, found = after.table(table.name), list[Operation]()
    for index in table.indexes:
        if column.name in index.columns and not index.constraint:
            left = now.index(index.name.name) if now is not None else None
            found += [DropIndex(name=index.name, table=index.table)] if left is not None and left != index else []
            found += [CreateIndex(index=index)] if left != index else []
    return tuple(found)
