"""What takes a redefined column, a converted character set, or a change of partitions back (MySQL, MariaDB)."""

from __future__ import annotations

from typing import assert_never

from driftflow.dialects.situation import Situation
from driftflow.model.catalog import Catalog, Column, Index, Table
from driftflow.model.operations import (
    AlterPartitions,
    ChangeColumn,
    ConvertCharset,
    CreateIndex,
    DropIndex,
    Operation,
    RequestAlgorithm,
)
from driftflow.model.operations.redefinition import own_checks
from driftflow.model.operations.table import VERSIONED
from driftflow.model.plan import Irreversible, UndoNothing
from driftflow.model.record import replace
from driftflow.strategies import spoken

Redefinition = ChangeColumn | ConvertCharset | AlterPartitions | RequestAlgorithm


def redefinition(operation: Redefinition, before: Catalog, at: Situation) -> tuple[Operation, ...] | UndoNothing | Irreversible:
    """The old definition where no value changed on the way; a reason where values or partitions do not come back by themselves."""
    match operation:
        case ChangeColumn():
            return _column(operation, before, at)
        case ConvertCharset(columns=False):
            table = before.table(operation.table)
            options = dict(option.partition("=")[::2] for option in table.options) if table is not None else {}
            if "CHARSET" in options:
                return (replace(operation, charset=options["CHARSET"], collation=options.get("COLLATE", "")),)
            return UndoNothing(reason="only columns that are added later take the table's default character set")
        case ConvertCharset():
            return _charset(operation, before, at)
        case AlterPartitions(action="analyze" | "check" | "optimize" | "repair" | "rebuild"):
            return UndoNothing(reason="it changes how rows are stored, not what they are")
        case AlterPartitions(action="exchange"):
            return (operation,)
        case AlterPartitions(action="add" | "reorganize" | "coalesce" | "partition_by" | "remove") if (
            back := _partitioned(operation, before)
        ) is not None:
            return (back,)
        case AlterPartitions():
            return Irreversible(
                reason="the partitions as they were are not kept", name=f"alter_partitions {operation.table} {operation.action}"
            )
        case RequestAlgorithm():
            return UndoNothing(reason="it says how the statement is carried out, and ends with it")
        case _:
            assert_never(operation)


def _partitioned(operation: AlterPartitions, before: Catalog) -> AlterPartitions | None:
    """The rows are all there: the table is divided as it was. One that a partition of the release alone has a place for stops that, and stays. Of a version of the
    history nothing is known."""
    table = before.table(operation.table)
    if table is None or VERSIONED in table.options:
        return None
    parts = table.partitioning
    if parts is None:
        return AlterPartitions(table=table.name, action="remove") if operation.action == "partition_by" else None
    return AlterPartitions(table=table.name, action="partition_by", definition=parts.definition, partitioning=parts)


def _charset(operation: ConvertCharset, before: Catalog, at: Situation) -> tuple[Operation, ...] | Irreversible:
    """Each column as it was, and the table's default: they need not have had one character set."""
    name = f"convert_charset {operation.table}"
    table = before.table(operation.table)
    columns = [column for column in table.columns if column.charset] if table is not None else []
    if table is None or not all(_kept(column, operation, at) for column in columns):
        return Irreversible(reason="characters that the new character set lacks do not come back", name=name)
    options = dict(option.partition("=")[::2] for option in table.options)
    default = ConvertCharset(
        table=table.name, charset=options.get("CHARSET", ""), collation=options.get("COLLATE", ""), columns=False
    )
    back = tuple(ChangeColumn(table=table.name, column=column.name, definition=column) for column in columns)
    known = bool(default.charset or default.collation)
    return (*back, *((at.dialect.resolve(default, before),) if known else ()))


def _kept(column: Column, operation: ConvertCharset, at: Situation) -> bool:
    return _comes_back(column, replace(column, charset=operation.charset, collation=operation.collation), at)


def _comes_back(old: Column, new: Column, at: Situation) -> bool:
    """What does not fit was refused before, unless the statement was taken literally."""
    return at.dialect.keeps(old, new) and not (spoken.as_is(at) and at.dialect.unfit(old, new, "v"))


def _column(operation: ChangeColumn, before: Catalog, at: Situation) -> tuple[Operation, ...] | Irreversible:
    name = f"change_column {operation.table}.{operation.column}"
    table = before.table(operation.table)
    column = table.column(operation.column) if table is not None else None
    if table is None or column is None:
        return Irreversible(reason="the definition before is not known", name=name)
    if column.generated is None and operation.definition.generated is not None:
        return Irreversible(
            reason=f"the values of {operation.table}.{column.name} before it was generated are not kept", name=name
        )
    if not _comes_back(column, operation.definition, at):
        return Irreversible(
            reason=f"values changed from {column.type} to {operation.definition.type} may not come back the same", name=name
        )
    place = ""
    if operation.position:
        number = [one.name for one in table.columns].index(column.name)
        place = f"AFTER {table.columns[number - 1].name}" if number else "FIRST"
    own = own_checks(table, column.name) if before.vendor == "mariadb" else ()
    back = ChangeColumn(
        table=operation.table, column=operation.definition.name, definition=column, constraints=own, position=place
    )
    return with_its_indexes(operation, back, before)


def with_its_indexes(operation: ChangeColumn, back: ChangeColumn, before: Catalog) -> tuple[Operation, ...]:
    """Those over the beginning of the column are made again."""
    table = before.table(operation.table)
    if table is None:
        return (back,)
    cut = _no_longer_cut(table, operation.after(before).table(operation.table))
    return (
        *(DropIndex(name=index.name, table=table.name) for index in cut),
        back,
        *(CreateIndex(index=replace(index, bytes=None)) for index in cut),
    )


def _no_longer_cut(table: Table, after: Table | None) -> list[Index]:
    """Indexes over the beginning of the column that became those of all of it, since it is no longer than that: the longer type, come back, would
    have an index of another length, or on MySQL none at all (error 1170)."""
    found = []
    for index in table.indexes:
        left = after.index(index.name.name) if after is not None else None
        if left is not None and not index.constraint:
            lost = any(old.prefix is not None and new.prefix is None for old, new in zip(index.parts, left.parts, strict=False))
            found += [index] if lost else []
    return found
