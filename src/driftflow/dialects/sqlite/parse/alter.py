"""ALTER TABLE: SQLite's own forms, and the standard ones that it lacks and a rebuild of the table stands in for."""

from __future__ import annotations

from driftflow.dialects.sqlite.normal import normal
from driftflow.dialects.sqlite.parse.column import column_definition, default_value, type_name
from driftflow.dialects.sqlite.parse.constraint import OPENS_TABLE_CONSTRAINT, on_conflict, table_constraint
from driftflow.dialects.sqlite.parse.cursor import Cursor, Unread, expression_of
from driftflow.model.catalog import NotNull
from driftflow.model.names import Name
from driftflow.model.operations import (
    AddColumn,
    AddConstraint,
    AlterColumnType,
    DropColumn,
    DropConstraint,
    DropDefault,
    DropNotNull,
    Operation,
    RenameColumn,
    RenameTable,
    SetDefault,
    SetNotNull,
)


def alter_table(cursor: Cursor) -> Operation:
    """Behind ALTER TABLE."""
    table = cursor.qualified()
    if cursor.accept("RENAME"):
        return _rename(cursor, table)
    if cursor.accept("ADD"):
        return _add(cursor, table)
    if cursor.accept("DROP"):
        return _drop(cursor, table)
    if cursor.accept("ALTER"):
        cursor.accept("COLUMN")
        return _alter_column(cursor, table, cursor.name())
    raise Unread(f"ALTER TABLE knows nothing that begins {cursor.here()}")


def _rename(cursor: Cursor, table: Name) -> Operation:
    if cursor.accept("TO"):
        return RenameTable(name=table, to=cursor.name())
    cursor.accept("COLUMN")
    column = cursor.name()
    cursor.expect("TO")
    return RenameColumn(table=table, column=column, to=cursor.name())


def _add(cursor: Cursor, table: Name) -> Operation:
    if cursor.peek().key in OPENS_TABLE_CONSTRAINT:
        constraint, autoincrement = table_constraint(cursor, None)
        if constraint is None or autoincrement:
            raise Unread("a constraint that ALTER TABLE cannot add")
        return AddConstraint(table=table, constraint=constraint)
    cursor.accept("COLUMN")
    if_not_exists = cursor.accept("IF", "NOT", "EXISTS")
    draft = column_definition(cursor, None)
    return AddColumn(
        table=table,
        column=draft.column(),
        constraints=tuple(draft.constraints),
        if_not_exists=if_not_exists,
    )


def _drop(cursor: Cursor, table: Name) -> Operation:
    if cursor.accept("CONSTRAINT"):
        if_exists = cursor.accept("IF", "EXISTS")
        return DropConstraint(table=table, name=cursor.name(), if_exists=if_exists)
    cursor.accept("COLUMN")
    if_exists = cursor.accept("IF", "EXISTS")
    return DropColumn(table=table, column=cursor.name(), if_exists=if_exists)


def _alter_column(cursor: Cursor, table: Name, column: str) -> Operation:
    if cursor.accept("DROP", "DEFAULT"):
        return DropDefault(table=table, column=column)
    if cursor.accept("DROP", "NOT", "NULL"):
        return DropNotNull(table=table, column=column)
    if cursor.accept("SET", "DEFAULT"):
        return SetDefault(table=table, column=column, default=_default(cursor))
    if cursor.accept("SET", "NOT", "NULL"):
        if conflict := on_conflict(cursor):  # only a constraint of its own can hold what it says
            return AddConstraint(table=table, constraint=NotNull(column=column, on_conflict=conflict))
        return SetNotNull(table=table, column=column)
    if cursor.accept("SET", "DATA", "TYPE") or cursor.accept("TYPE"):
        return _type(cursor, table, column)
    raise Unread(f"ALTER COLUMN knows nothing that begins {cursor.here()}")


def _default(cursor: Cursor) -> str:
    """A literal as SQLite's own DEFAULT takes it, or (as the standard has it) an expression without parentheses."""
    start = cursor.index
    if not cursor.at("("):
        value = default_value(cursor)
        if cursor.done:
            return value
        cursor.index = start
    return expression_of(cursor.rest(), frozenset())


def _type(cursor: Cursor, table: Name, column: str) -> AlterColumnType:
    type = type_name(cursor)
    if not type:
        raise Unread("the new type is missing")
    collation = cursor.name() if cursor.accept("COLLATE") else ""
    using = normal(cursor.rest()) if cursor.accept("USING") else ""
    return AlterColumnType(table=table, column=column, type=type, collation=collation, using=using)
