"""The start schema with what a migration will demand of rows that are there already: its new CHECKs, keys and NOT NULLs. Rows that are made as it
wants them let it run; whether yours are like that, only your database can say."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from driftflow.dialects.base import Dialect
from driftflow.errors import DriftflowError
from driftflow.lab.rows.checks import names_in
from driftflow.lab.rows.spelling import limit_of
from driftflow.model.catalog import Catalog, Check, Column, Constraint, ForeignKey, Index, PrimaryKey, Table, Unique
from driftflow.model.migration import Migration
from driftflow.model.operations import CreateIndex, DropColumn, Operation
from driftflow.model.record import replace


def with_what_comes(catalog: Catalog, migrations: Sequence[Migration], dialect: Dialect, *, written: bool = False) -> Catalog:
    """The catalog, each table under every constraint that the migration leaves behind and that speaks of columns which are there now. What is `written` while it
    runs has no texts that would have to be cut any more: the server refuses them from then on."""
    final = _after(
        catalog, [one for migration in migrations for statement in migration.statements for one in statement.operations], dialect
    )
    spoken = {
        (table.name, column)
        for migration in migrations
        for statement in migration.statements
        if any(one.verb in SAYS_WHAT_BECOMES and not (written and one.verb == "too-long") for one in statement.directives)
        for operation in statement.operations
        if (table := getattr(operation, "table", None)) is not None and (column := getattr(operation, "column", None))
    }
    return catalog.with_tables(
        _bound(table, final.tables[name], catalog, spoken, _alike(migrations))
        for name, table in catalog.tables.items()
        if name in final.tables
    )


SAYS_WHAT_BECOMES = frozenset(("convert", "too-long"))
"""Verbs by which values that do not fit the new type become others: those are to be there."""


def left_alone(migrations: Sequence[Migration]) -> frozenset[tuple[str, str]]:
    """(table, column) that `if-unused` says nobody writes: the rows hold the default, and so does whatever the application inserts."""
    return frozenset(
        (operation.table.name, operation.column)
        for migration in migrations
        for statement in migration.statements
        if any(one.verb == "if-unused" for one in statement.directives)
        for operation in statement.operations
        if isinstance(operation, DropColumn)
    )


def _after(catalog: Catalog, operations: Sequence[Operation], dialect: Dialect) -> Catalog:
    """As far as it can be foretold."""
    final = catalog.in_versions()
    for operation in operations:
        with suppress(DriftflowError, ValueError, LookupError):
            final = final.after(dialect.resolve(operation, final))
    return final


def _bound(table: Table, final: Table, catalog: Catalog, spoken: set[tuple[str, str]], alike: frozenset[str]) -> Table:
    here = {column.name for column in table.columns}
    later = {column.name for column in final.columns} - here
    new = tuple(one for one in final.constraints if one not in table.constraints and _speaks_of(one, here, later, catalog))
    unique = tuple(
        index for index in final.indexes if index.unique and index not in table.indexes and _known(index, here, later, catalog)
    )
    unique = tuple(replace(one, nulls_not_distinct=True) if one.name.name in alike else one for one in unique)
    columns = tuple(
        _fitting(column, last, table, catalog, said=(table.name.name, column.name) in spoken)
        if (last := final.column(column.name)) is not None
        else column
        for column in table.columns
    )
    return replace(table, columns=columns, constraints=(*table.constraints, *new), indexes=(*table.indexes, *unique))


def _known(index: Index, columns: set[str], later: set[str], catalog: Catalog) -> bool:
    """Whether rows can be held against it now."""
    texts = [index.predicate, *(part.expression for part in index.parts)]
    words = {word for text in texts if text for word in names_in(text, catalog.vendor)}
    return {*index.columns} <= columns and not words & {name.lower() for name in later}


def _alike(migrations: Sequence[Migration]) -> frozenset[str]:
    """Names of indexes in which NULL equals NULL, as a directive says."""
    return frozenset(
        operation.index.name.name
        for migration in migrations
        for statement in migration.statements
        if any(one.verb == "nulls-not-distinct" for one in statement.directives)
        for operation in statement.operations
        if isinstance(operation, CreateIndex)
    )


def _fitting(column: Column, last: Column, table: Table, catalog: Catalog, *, said: bool) -> Column:
    """The column as it is, of which values are made that the migration's own form of it takes: no NULL, no text that is too long, no text that is not of
    the new type. A text that a CHECK looks at stays one."""
    column = replace(column, nullable=column.nullable and last.nullable)
    if said or last.type == column.type or not _is_text(column.type):
        return column
    if _is_text(last.type):
        was, becomes = limit_of(column.type), limit_of(last.type)
        return replace(column, type=last.type) if becomes is not None and (was is None or becomes < was) else column
    looked_at = any(
        isinstance(one, Check) and column.name.lower() in names_in(one.expression, catalog.vendor) for one in table.constraints
    )
    return (
        column if looked_at or last.type.lower().startswith(("enum", "set", "bytea", "blob")) else replace(column, type=last.type)
    )


def _is_text(type: str) -> bool:
    return any(word in type.lower() for word in ("char", "text", "clob"))


def _speaks_of(constraint: Constraint, columns: set[str], later: set[str], catalog: Catalog) -> bool:
    match constraint:
        case Check():
            words = names_in(constraint.expression, catalog.vendor)
            return bool(words & {name.lower() for name in columns}) and not words & {name.lower() for name in later}
        case ForeignKey():
            return {*constraint.columns} <= columns and catalog.table(constraint.referenced) is not None
        case PrimaryKey() | Unique():
            return {*constraint.columns} <= columns
        case _:
            return False
