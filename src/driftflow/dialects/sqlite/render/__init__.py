"""Operations as SQLite's SQL, one statement each.

Also written are the standard forms that SQLite's ALTER TABLE lacks: a plan carries them out by rebuilding the table, and shows them as they were asked.
"""

from __future__ import annotations

from driftflow.dialects.sqlite.keywords import quote
from driftflow.dialects.sqlite.render.constraint import conflict, index_part, table_constraint
from driftflow.dialects.sqlite.render.table import (
    column_definition,
    create_table,
    create_virtual_table,
    default,
    quote_name,
)
from driftflow.model.catalog import Index, NotNull, View
from driftflow.model.names import Name
from driftflow.model.operations import (
    AddColumn,
    AddConstraint,
    AlterColumnType,
    AlterObject,
    CreateIndex,
    CreateTable,
    CreateTableAs,
    CreateTrigger,
    CreateView,
    Delete,
    DropColumn,
    DropConstraint,
    DropDefault,
    DropIndex,
    DropNotNull,
    DropTable,
    DropTrigger,
    DropView,
    Insert,
    Operation,
    Pragma,
    RawSql,
    Reindex,
    RenameColumn,
    RenameTable,
    RewriteTable,
    Select,
    SetDefault,
    SetNotNull,
    TransactionControl,
    Update,
)


def render(*operations: Operation) -> str:
    """One statement, without terminator. Raises ValueError for more than one operation, or one that SQLite has no words for."""
    if len(operations) != 1:
        raise ValueError("SQLite combines no operations in one statement")
    operation = operations[0]
    match operation:
        case Insert() | Update() | Delete() | Select() | RawSql() | Pragma() | TransactionControl() | AlterObject():
            return operation.sql
        case CreateTable():
            return _create_table(operation)
        case CreateTableAs():
            temporary = "TEMP " if operation.temporary else ""
            shown = quote(operation.name.name) if operation.temporary else quote_name(operation.name)
            return f"CREATE {temporary}TABLE {_unless(operation.if_not_exists)}{shown} AS {operation.query}"
        case CreateIndex():
            return create_index(operation.index, if_not_exists=operation.if_not_exists)
        case CreateView():
            return create_view(operation.view, if_not_exists=operation.if_not_exists, temporary=operation.temporary)
        case CreateTrigger():
            return _create_trigger(operation)
        case DropTable():
            return f"DROP TABLE {_if(operation.if_exists)}{quote_name(operation.name)}"
        case DropIndex():
            return f"DROP INDEX {_if(operation.if_exists)}{quote_name(operation.name)}"
        case DropView():
            return f"DROP VIEW {_if(operation.if_exists)}{quote_name(operation.name)}"
        case DropTrigger():
            schema = "" if operation.schema in {"", "main"} else f"{quote(operation.schema)}."
            return f"DROP TRIGGER {_if(operation.if_exists)}{schema}{quote(operation.name)}"
        case Reindex():
            return f"REINDEX {quote_name(operation.name)}" if operation.name else "REINDEX"
        case RewriteTable():
            return _rewrite(operation)
        case _:
            return _alter_table(operation)


def _alter_table(operation: Operation) -> str:
    match operation:
        case RenameTable():
            return f"{_alter(operation.name)} RENAME TO {quote(operation.to)}"
        case RenameColumn():
            return f"{_alter(operation.table)} RENAME COLUMN {quote(operation.column)} TO {quote(operation.to)}"
        case AddColumn():
            exists = _unless(operation.if_not_exists)
            return f"{_alter(operation.table)} ADD COLUMN {exists}{column_definition(operation.column, operation.constraints)}"
        case DropColumn():
            return f"{_alter(operation.table)} DROP COLUMN {_if(operation.if_exists)}{quote(operation.column)}"
        case AddConstraint(constraint=NotNull() as rule):
            return f"{_column(operation.table, rule.column)} SET NOT NULL{conflict(rule.on_conflict)}"
        case AddConstraint():
            return f"{_alter(operation.table)} ADD {table_constraint(operation.constraint)}"
        case DropConstraint():
            return f"{_alter(operation.table)} DROP CONSTRAINT {_if(operation.if_exists)}{quote(operation.name)}"
        case SetNotNull():
            return f"{_column(operation.table, operation.column)} SET NOT NULL"
        case DropNotNull():
            return f"{_column(operation.table, operation.column)} DROP NOT NULL"
        case SetDefault():
            return f"{_column(operation.table, operation.column)} SET DEFAULT {default(operation.default)}"
        case DropDefault():
            return f"{_column(operation.table, operation.column)} DROP DEFAULT"
        case AlterColumnType():
            collation = f" COLLATE {quote(operation.collation)}" if operation.collation else ""
            using = f" USING {operation.using}" if operation.using else ""
            return f"{_column(operation.table, operation.column)} TYPE {operation.type}{collation}{using}"
        case _:
            raise ValueError(f"SQLite has no statement for {type(operation).__name__}")


def _alter(table: Name) -> str:
    return f"ALTER TABLE {quote_name(table)}"


def _column(table: Name, column: str) -> str:
    return f"{_alter(table)} ALTER COLUMN {quote(column)}"


def _if(exists: bool) -> str:
    return "IF EXISTS " if exists else ""


def _unless(exists: bool) -> str:
    return "IF NOT EXISTS " if exists else ""


def _create_table(operation: CreateTable) -> str:
    if operation.table.kind == "virtual":
        return create_virtual_table(operation.table, if_not_exists=operation.if_not_exists)
    return create_table(operation.table, if_not_exists=operation.if_not_exists)


def create_index(index: Index, *, if_not_exists: bool = False) -> str:
    unique = "UNIQUE " if index.unique else ""
    parts = ", ".join(index_part(part) for part in index.parts)
    where = f" WHERE {index.predicate}" if index.predicate else ""
    return f"CREATE {unique}INDEX {_unless(if_not_exists)}{quote_name(index.name)} ON {quote(index.table.name)} ({parts}){where}"


def create_view(view: View, *, if_not_exists: bool = False, temporary: bool = False) -> str:
    columns = f" ({', '.join(quote(column) for column in view.columns)})" if view.columns else ""
    opening = "CREATE TEMP VIEW" if temporary else "CREATE VIEW"
    shown = quote(view.name.name) if temporary else quote_name(view.name)
    return f"{opening} {_unless(if_not_exists)}{shown}{columns} AS {view.definition}"


def _create_trigger(operation: CreateTrigger) -> str:
    text = operation.trigger.definition
    if not operation.if_not_exists:
        return text
    opening, rest = text.split(" TRIGGER ", 1)
    return f"{opening} TRIGGER IF NOT EXISTS {rest}"


def _rewrite(operation: RewriteTable) -> str:
    match operation.action:
        case "vacuum_full" | "vacuum":
            return f"VACUUM {operation.value}".rstrip()
        case "analyze":
            return f"ANALYZE {quote_name(operation.table)}" if operation.table else "ANALYZE"
        case _:
            raise ValueError(f"SQLite has no statement for {operation.action}")
