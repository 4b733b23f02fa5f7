"""CREATE TABLE, and the clauses of ALTER TABLE."""

from __future__ import annotations

from collections.abc import Sequence

from driftflow.dialects.mysql.keywords import quote, quote_string
from driftflow.dialects.mysql.render.clause import (
    column_text,
    constraint_text,
    default_text,
    index_text,
    option_text,
    quote_name,
)
from driftflow.model.catalog import Check, Column, Constraint, ForeignKey, Index, PrimaryKey
from driftflow.model.names import Name
from driftflow.model.operations import (
    AddColumn,
    AddConstraint,
    AlterConstraint,
    AlterIndex,
    AlterPartitions,
    AlterTableOption,
    ChangeColumn,
    Comment,
    ConvertCharset,
    CreateIndex,
    CreateTable,
    CreateTableAs,
    DropColumn,
    DropConstraint,
    DropDefault,
    DropIndex,
    Operation,
    RenameColumn,
    RenameIndex,
    RequestAlgorithm,
    RewriteTable,
    SetColumnOption,
    SetDefault,
)
from driftflow.model.record import replace

_MAINTAINS = {"optimize": "OPTIMIZE", "analyze": "ANALYZE", "check": "CHECK", "repair": "REPAIR"}


def create_table(operation: CreateTable, *, mariadb: bool) -> str:
    table = operation.table
    head = f"CREATE {'OR REPLACE ' if operation.or_replace else ''}{'TEMPORARY ' if table.kind == 'temporary' else ''}TABLE "
    head += f"{'IF NOT EXISTS ' if operation.if_not_exists else ''}{quote_name(table.name)}"
    if operation.like:
        return f"{head} LIKE {quote_name(operation.like[0][0])}"
    behind = [one for one in table.constraints if isinstance(one, Check) and one.column]
    lines = [column_text(column, [one for one in behind if one.column == column.name]) for column in table.columns]
    lines += [constraint_text(one) for one in table.constraints if isinstance(one, PrimaryKey)]
    lines += [index_text(one) + hidden(one, mariadb=mariadb) for one in table.indexes]
    lines += [constraint_text(one) for one in table.constraints if isinstance(one, ForeignKey | Check) and one not in behind]
    text = f"{head} (\n  " + ",\n  ".join(lines) + "\n)"
    for option in table.options:
        text += f" {option_text(option)}"
    if table.comment:
        text += f" COMMENT={quote_string(table.comment)}"
    if table.partitioning is not None:
        text += f" {table.partitioning.definition}"
    return text


def create_table_as(operation: CreateTableAs) -> str:
    head = f"CREATE {'OR REPLACE ' if operation.or_replace else ''}{'TEMPORARY ' if operation.temporary else ''}TABLE "
    head += f"{'IF NOT EXISTS ' if operation.if_not_exists else ''}{quote_name(operation.name)}"
    pieces = [head, operation.body, *map(option_text, operation.options), operation.duplicates, "AS", operation.query]
    return " ".join(piece for piece in pieces if piece)


def maintain(operation: RewriteTable) -> str:
    if operation.table is None:
        raise ValueError("MySQL maintains tables by name")
    return f"{_MAINTAINS[operation.action]} TABLE {quote_name(operation.table)} {operation.value}".rstrip()


def waiting(seconds: int | None) -> str:
    """MariaDB: how long a lock is awaited, behind the table's name."""
    return "" if seconds is None else f" WAIT {seconds}" if seconds else " NOWAIT"


def is_maintenance(operation: RewriteTable) -> bool:
    return operation.action in _MAINTAINS


def table_of(operation: Operation) -> Name | None:
    """The table whose ALTER the operation is a clause of; None where it is a statement of its own."""
    match operation:
        case CreateIndex():
            return operation.index.table
        case Comment(kind="table"):
            return operation.relation
        case RewriteTable():
            return None if is_maintenance(operation) else operation.table
        case (
            AddColumn()
            | AddConstraint()
            | AlterConstraint()
            | AlterIndex()
            | AlterPartitions()
            | AlterTableOption()
            | ChangeColumn()
            | ConvertCharset()
            | DropColumn()
            | DropConstraint()
            | DropDefault()
            | DropIndex()
            | RenameColumn()
            | RenameIndex()
            | RequestAlgorithm()
            | SetColumnOption()
            | SetDefault()
        ):
            return operation.table
        case _:
            return None


def works_on_partitions(operation: Operation) -> bool:
    """On single partitions, which is the whole statement: no other clause may stand beside it."""
    return isinstance(operation, AlterPartitions) and operation.action not in {"partition_by", "remove"}


def _behind(column: Column, constraints: Sequence[Constraint], *, mariadb: bool) -> str:
    """MariaDB shows JSON as LONGTEXT with a check, and takes it for another type where somebody says it so: then it copies (measured on 10.11 and 11.8)."""
    own = next(
        (one for one in constraints if isinstance(one, Check) and one.expression == f"json_valid({quote(column.name)})"), None
    )
    if mariadb and own is not None and (column.type, column.collation) == ("longtext", "utf8mb4_bin"):
        column = replace(column, type="json", charset="", collation="")
        constraints = [one for one in constraints if one is not own]
    return column_text(column, constraints)


def clause(operation: Operation, *, mariadb: bool) -> str:
    """One clause behind ALTER TABLE name. Raises ValueError for what is no clause."""
    match operation:
        case AddColumn():
            exists = "IF NOT EXISTS " if operation.if_not_exists else ""
            text = _behind(operation.column, operation.constraints, mariadb=mariadb)
            return f"ADD COLUMN {exists}{text}{_place(operation.position)}"
        case ChangeColumn():
            text = _behind(operation.definition, operation.constraints, mariadb=mariadb) + _place(operation.position)
            exists = "IF EXISTS " if operation.if_exists else ""
            if operation.definition.name == operation.column:
                return f"MODIFY COLUMN {exists}{text}"
            return f"CHANGE COLUMN {exists}{quote(operation.column)} {text}"
        case DropColumn():
            return f"DROP COLUMN {'IF EXISTS ' if operation.if_exists else ''}{quote(operation.column)}"
        case RenameColumn():
            return f"RENAME COLUMN {quote(operation.column)} TO {quote(operation.to)}"
        case SetDefault():
            return f"ALTER COLUMN {quote(operation.column)} SET DEFAULT {default_text(operation.default)}"
        case DropDefault():
            return f"ALTER COLUMN {quote(operation.column)} DROP DEFAULT"
        case SetColumnOption(option="visible"):
            return f"ALTER COLUMN {quote(operation.column)} SET {operation.value.upper()}"
        case AddConstraint():
            return f"ADD {constraint_text(operation.constraint)}"
        case AlterConstraint():
            return f"ALTER CHECK {quote(operation.name)} {'' if operation.enforced else 'NOT '}ENFORCED"
        case DropConstraint():
            if operation.name == "PRIMARY":
                return "DROP PRIMARY KEY"
            word = "FOREIGN KEY" if operation.foreign_key else "CONSTRAINT"
            return f"DROP {word} {'IF EXISTS ' if operation.if_exists else ''}{quote(operation.name)}"
        case CreateIndex():
            return f"ADD {index_text(operation.index, if_not_exists=operation.if_not_exists)}{hidden(operation.index, mariadb=mariadb)}"
        case DropIndex():
            return f"DROP INDEX {'IF EXISTS ' if operation.if_exists else ''}{quote(operation.name.name)}"
        case RenameIndex():
            return (
                f"RENAME INDEX {'IF EXISTS ' if operation.if_exists else ''}{quote(operation.name.name)} TO {quote(operation.to)}"
            )
        case AlterIndex(action="visible"):
            shown = operation.value == "visible"
            word = ("NOT IGNORED" if shown else "IGNORED") if mariadb else operation.value.upper()
            return f"ALTER INDEX {'IF EXISTS ' if operation.if_exists else ''}{quote(operation.name.name)} {word}"
        case ConvertCharset():
            collation = f" COLLATE {operation.collation}" if operation.collation else ""
            if operation.columns:
                return f"CONVERT TO CHARACTER SET {operation.charset or 'DEFAULT'}{collation}"
            return (f"DEFAULT CHARACTER SET {operation.charset}{collation}" if operation.charset else collation.strip()).strip()
        case RewriteTable():
            return _rewrite(operation)
        case Comment(kind="table"):
            return f"COMMENT={quote_string(operation.text or '')}"
        case AlterTableOption(option="mysql"):
            return option_text(operation.value)
        case AlterTableOption(option="add_period"):
            exists = "IF NOT EXISTS " if operation.if_not_exists else ""
            return f"ADD PERIOD {exists}FOR {quote(operation.value)} ({', '.join(map(quote, operation.columns))})"
        case AlterTableOption(option="drop_period"):
            return f"DROP PERIOD {'IF EXISTS ' if operation.if_exists else ''}FOR {quote(operation.value)}"
        case AlterPartitions():
            return _partitions(operation)
        case _:
            raise ValueError(f"{type(operation).__name__} is no clause of ALTER TABLE on MySQL")


def hidden(index: Index, *, mariadb: bool) -> str:
    """What makes the optimizer overlook an index: each server has its own word."""
    return "" if index.visible else " IGNORED" if mariadb else " INVISIBLE"


def request(operation: RequestAlgorithm) -> list[str]:
    """What stands behind the clauses."""
    pieces = [f"ALGORITHM={operation.algorithm}"] if operation.algorithm else []
    return pieces + ([f"LOCK={operation.lock}"] if operation.lock else [])


def _place(position: str) -> str:
    word, _, anchor = position.partition(" ")
    return f" {word}{f' {quote(anchor)}' if anchor else ''}" if word else ""


def _rewrite(operation: RewriteTable) -> str:
    match operation.action:
        case "force":
            return "FORCE"
        case "system_versioning":
            return f"{operation.value.upper()} SYSTEM VERSIONING"
        case "order_by":
            return f"ORDER BY {operation.value}"
        case "engine" | "row_format" | "key_block_size" | "tablespace":
            separator = " " if operation.action == "tablespace" else "="
            return f"{operation.action.upper()}{separator}{operation.value}"
        case "encryption":
            return f"ENCRYPTION={quote_string(operation.value)}"
        case other:
            raise ValueError(f"{other} is no clause of ALTER TABLE on MySQL")


def _partitions(operation: AlterPartitions) -> str:
    listed = "ALL" if operation.every else ", ".join(quote(name) for name in operation.partitions)
    exists = "IF EXISTS " if operation.if_exists else ""
    other = quote_name(operation.other) if operation.other is not None else ""
    validation = "" if operation.validated else " WITHOUT VALIDATION"
    match operation.action:
        case "partition_by":
            return operation.definition
        case "remove":
            return "REMOVE PARTITIONING"
        case "add":
            return f"ADD PARTITION {operation.definition or f'PARTITIONS {operation.count}'}"
        case "drop":
            return f"DROP PARTITION {exists}{listed}"
        case "coalesce":
            return f"COALESCE PARTITION {operation.count}"
        case "reorganize":
            return f"REORGANIZE PARTITION {listed}{f' INTO {operation.definition}' if operation.definition else ''}".rstrip()
        case "exchange":
            return f"EXCHANGE PARTITION {listed} WITH TABLE {other}{validation}"
        case "discard_tablespace" | "import_tablespace":
            return f"{operation.action.partition('_')[0].upper()} PARTITION {listed} TABLESPACE"
        case "convert_to_table":
            return f"CONVERT PARTITION {listed} TO TABLE {other}"
        case "convert_from_table":
            return f"CONVERT TABLE {other} TO PARTITION {operation.definition}{validation}"
        case "analyze" | "check" | "optimize" | "repair" | "rebuild" | "truncate":
            return f"{operation.action.upper()} PARTITION {listed}"
