"""From operations back to SQL. `parse(render(operation)) == operation` for every operation that PostgreSQL has."""

from __future__ import annotations

from typing import assert_never

from driftflow.dialects.postgresql.names import quote, quote_name, quote_text
from driftflow.dialects.postgresql.render import object as objects
from driftflow.dialects.postgresql.render import table as tables
from driftflow.dialects.postgresql.render.alter_table import CLAUSE_REWRITES, Clause, alter_table
from driftflow.model.names import Name
from driftflow.model.operations import (
    AddEnumValue,
    AlterDomain,
    AlterIndex,
    AlterObject,
    AlterPartitions,
    AlterPolicy,
    AlterSequence,
    AlterTrigger,
    AlterView,
    ChangeColumn,
    Comment,
    ConvertCharset,
    Copy,
    CreateExtension,
    CreateFunction,
    CreateIndex,
    CreatePolicy,
    CreateSchema,
    CreateSequence,
    CreateTable,
    CreateTableAs,
    CreateTrigger,
    CreateType,
    CreateView,
    Delete,
    DropFunction,
    DropIndex,
    DropObject,
    DropPolicy,
    DropSchema,
    DropSequence,
    DropTable,
    DropTrigger,
    DropType,
    DropView,
    Grant,
    Insert,
    LockTable,
    MoveTable,
    Operation,
    Pragma,
    RawSql,
    RefreshView,
    Reindex,
    RenameColumn,
    RenameConstraint,
    RenameEnumValue,
    RenameIndex,
    RenameTable,
    RequestAlgorithm,
    RewriteTable,
    Select,
    SetSetting,
    TransactionControl,
    Truncate,
    Update,
)


def render(*operations: Operation) -> str:
    """One statement, without terminator; several operations only as clauses of one ALTER TABLE. Raises ValueError otherwise."""
    if not operations:
        raise ValueError("there is nothing to render")
    if len(operations) == 1:
        return _one(operations[0])
    clauses = [one for one in operations if isinstance(one, Clause) or _is_clause(one)]
    if len(clauses) != len(operations):
        raise ValueError("only clauses of one ALTER TABLE can be combined into a statement")
    return alter_table(*clauses)  # type: ignore[arg-type]  # filtered above


def _is_clause(operation: Operation) -> bool:
    return isinstance(operation, RewriteTable) and operation.action in CLAUSE_REWRITES


def _one(operation: Operation) -> str:
    match operation:
        case RewriteTable():
            return alter_table(operation) if operation.action in CLAUSE_REWRITES else tables.maintain(operation)
        case (
            Insert()
            | Update()
            | Delete()
            | Select()
            | Copy()
            | RawSql()
            | TransactionControl()
            | SetSetting()
            | Grant()
            | AlterObject()
            | DropObject()
        ):
            return operation.sql
        case Pragma():
            raise ValueError("PRAGMA is SQLite's")
        case ChangeColumn() | ConvertCharset() | AlterPartitions() | RequestAlgorithm():
            raise ValueError(f"{type(operation).__name__} has no form on PostgreSQL")
        case CreateTable():
            return tables.create_table(operation)
        case CreateTableAs():
            return tables.create_table_as(operation)
        case RenameTable():
            return tables.rename(operation)
        case MoveTable():
            return tables.move(operation)
        case CreateIndex():
            return objects.create_index(operation)
        case AlterIndex():
            return objects.alter_index(operation)
        case Reindex():
            return objects.reindex(operation)
        case RenameIndex():
            return f"ALTER INDEX {'IF EXISTS ' if operation.if_exists else ''}{quote_name(operation.name)} RENAME TO {quote(operation.to)}"
        case CreateView():
            return objects.create_view(operation)
        case AlterView():
            kind = "MATERIALIZED VIEW" if operation.materialized else "VIEW"
            exists = "IF EXISTS " if operation.table_if_exists else ""
            return f"ALTER {kind} {exists}{quote_name(operation.name)} {operation.action}"
        case RefreshView():
            return objects.refresh(operation)
        case CreateTrigger():
            return objects.create_trigger(operation)
        case AlterTrigger():
            return objects.alter_trigger(operation)
        case CreateFunction():
            return operation.routine.definition
        case CreateType():
            return objects.create_type(operation)
        case AddEnumValue():
            return objects.add_enum_value(operation)
        case RenameEnumValue():
            return f"ALTER TYPE {quote_name(operation.name)} RENAME VALUE {quote_text(operation.value)} TO {quote_text(operation.to)}"
        case AlterDomain():
            return objects.alter_domain(operation)
        case CreateSequence():
            return objects.create_sequence(operation)
        case AlterSequence():
            return objects.alter_sequence(operation)
        case CreatePolicy():
            return objects.create_policy(operation)
        case AlterPolicy():
            return objects.alter_policy(operation)
        case CreateSchema():
            return objects.create_schema(operation)
        case CreateExtension():
            return objects.create_extension(operation)
        case Comment():
            return objects.comment(operation)
        case Truncate():
            restart = " RESTART IDENTITY" if operation.restart_identity else ""
            only = "ONLY " if operation.only else ""
            named = ", ".join(only + quote_name(table) for table in operation.tables)
            return f"TRUNCATE {named}{restart}{_cascade(operation.cascade)}"
        case LockTable():
            nowait = " NOWAIT" if operation.nowait else ""
            return f"LOCK TABLE {', '.join(map(quote_name, operation.tables))} IN {operation.mode} MODE{nowait}"
        case RenameColumn() | RenameConstraint():
            return _rename_part(operation)
        case (
            DropTable()
            | DropView()
            | DropIndex()
            | DropSequence()
            | DropType()
            | DropSchema()
            | DropFunction()
            | DropTrigger()
            | DropPolicy()
        ):
            return _drop(operation)
        case _:
            return alter_table(operation)


def _rename_part(operation: RenameColumn | RenameConstraint) -> str:
    kind = operation.relation_kind if isinstance(operation, RenameColumn) else "table"
    head = f"ALTER {tables.RELATION_WORDS[kind]} {'IF EXISTS ' if operation.table_if_exists else ''}{'ONLY ' if operation.only else ''}"
    match operation:
        case RenameColumn():
            word = "ATTRIBUTE" if kind == "type" else "COLUMN"
            return f"{head}{quote_name(operation.table)} RENAME {word} {quote(operation.column)} TO {quote(operation.to)}"
        case RenameConstraint():
            return f"{head}{quote_name(operation.table)} RENAME CONSTRAINT {quote(operation.name)} TO {quote(operation.to)}"
        case _:
            assert_never(operation)


Drop = DropTable | DropView | DropIndex | DropSequence | DropType | DropSchema | DropFunction | DropTrigger | DropPolicy


def _drop(operation: Drop) -> str:
    match operation:
        case DropTable():
            kind, target = "FOREIGN TABLE" if operation.foreign else "TABLE", quote_name(operation.name)
        case DropView():
            kind, target = "MATERIALIZED VIEW" if operation.materialized else "VIEW", quote_name(operation.name)
        case DropIndex():
            kind, target = f"INDEX{' CONCURRENTLY' if operation.concurrently else ''}", quote_name(operation.name)
        case DropSequence():
            kind, target = "SEQUENCE", quote_name(operation.name)
        case DropType():
            kind, target = "DOMAIN" if operation.domain else "TYPE", quote_name(operation.name)
        case DropSchema():
            kind, target = "SCHEMA", quote(operation.name)
        case DropFunction():
            return objects.drop_function(operation)
        case DropTrigger() | DropPolicy():
            kind = "TRIGGER" if isinstance(operation, DropTrigger) else "POLICY"
            target = f"{quote(operation.name)} ON {quote_name(_table_of(operation))}"
        case _:
            assert_never(operation)
    return f"DROP {kind} {'IF EXISTS ' if operation.if_exists else ''}{target}{_cascade(operation.cascade)}"


def _table_of(operation: DropTrigger | DropPolicy) -> Name:
    if operation.table is None:
        raise ValueError("PostgreSQL names the table of a trigger that is dropped")
    return operation.table


def _cascade(value: bool) -> str:
    return " CASCADE" if value else ""
