"""What takes a redefined column, a converted character set, or a change of partitions back (MySQL, MariaDB)."""

from __future__ import annotations

from typing import assert_never

from driftflow.model.catalog import Catalog
from driftflow.model.operations import AlterPartitions, ChangeColumn, ConvertCharset, Operation, RequestAlgorithm
from driftflow.model.plan import Irreversible, UndoNothing

Redefinition = ChangeColumn | ConvertCharset | AlterPartitions | RequestAlgorithm


def redefinition(operation: Redefinition, before: Catalog) -> tuple[Operation, ...] | UndoNothing | Irreversible:
    """The old definition where no value changed on the way; a reason where values or partitions do not come back by themselves."""
    match operation:
        case ChangeColumn():
            return _column(operation, before)
        case ConvertCharset(columns=False):
            return UndoNothing(reason="only columns that are added later take the table's default character set")
        case ConvertCharset():
            name = f"convert_charset {operation.table}"
            return Irreversible(reason="characters that the old character set lacks do not come back", name=name)
        case AlterPartitions(action="analyze" | "check" | "optimize" | "repair" | "rebuild"):
            return UndoNothing(reason="it changes how rows are stored, not what they are")
        case AlterPartitions():
            return Irreversible(
                reason="the partitions as they were are not kept", name=f"alter_partitions {operation.table} {operation.action}"
            )
        case RequestAlgorithm():
            return UndoNothing(reason="it says how the statement is carried out, and ends with it")
        case _:
            assert_never(operation)


def _column(operation: ChangeColumn, before: Catalog) -> tuple[Operation, ...] | Irreversible:
    name = f"change_column {operation.table}.{operation.column}"
    table = before.table(operation.table)
    column = table.column(operation.column) if table is not None else None
    if table is None or column is None:
        return Irreversible(reason="the definition before is not known", name=name)
    if column.type != operation.definition.type or column.charset != operation.definition.charset:
        return Irreversible(
            reason=f"values changed from {column.type} to {operation.definition.type} may not come back the same", name=name
        )
    place = ""
    if operation.position:
        at = [one.name for one in table.columns].index(column.name)
        place = f"AFTER {table.columns[at - 1].name}" if at else "FIRST"
    return (ChangeColumn(table=operation.table, column=operation.definition.name, definition=column, position=place),)
