"""Statements as they are written on a catalog: what a column has from its table is left unsaid, for MySQL keeps a collation that was said, and SHOW CREATE TABLE repeats it ever after; and a foreign key is called one.

Measured on MySQL 9.7: a column whose collation is the table's is shown with it exactly where a statement said so. A team that keeps the output of
mysqldump beside its migrations would find a difference in every column that a plan has touched.
"""

from __future__ import annotations

from collections.abc import Sequence

from driftflow.model.catalog import Catalog, Column, Table
from driftflow.model.operations import AddColumn, ChangeColumn, ConvertCharset, CreateTable, DropConstraint, Operation
from driftflow.model.record import replace


def without_inherited(operations: Sequence[Operation], catalog: Catalog) -> Sequence[Operation]:
    """The clauses of one statement as it is written on this catalog. A statement that changes the table's own collation says everything."""
    if any(isinstance(one, ConvertCharset) for one in operations):
        return operations
    return [_without(one, catalog) for one in operations]


def _without(operation: Operation, catalog: Catalog) -> Operation:
    match operation:
        case AddColumn():
            return replace(operation, column=_unsaid(operation.column, catalog.table(operation.table)))
        case ChangeColumn():
            return replace(operation, definition=_unsaid(operation.definition, catalog.table(operation.table)))
        case DropConstraint(table=name) if (table := catalog.table(name)) is not None:
            # Where it copies the table, MariaDB leaves a foreign key that DROP CONSTRAINT names, and says nothing (measured on 10.11 and 11.8).
            return replace(
                operation, foreign_key=operation.foreign_key or any(key.name == operation.name for key in table.foreign_keys)
            )
        case CreateTable(table=table) if not operation.like:
            return replace(operation, table=replace(table, columns=tuple(_unsaid(one, table) for one in table.columns)))
        case _:
            return operation


def _unsaid(column: Column, table: Table | None) -> Column:
    if table is None or not column.collation or f"COLLATE={column.collation}" not in table.options:
        return column
    return replace(column, charset="", collation="")
