"""What SQLite has no statement for, or refuses (SET NOT NULL, ADD CONSTRAINT, a STORED column, a column with an index): the table made anew in one transaction, as its documentation says to do by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from driftflow.dialects.base import Dialect
from driftflow.drivers.catalogs import catalog_of
from driftflow.engine.ports import Connection, DatabaseFault
from driftflow.errors import DriftflowError
from driftflow.model.catalog import Catalog, Table
from driftflow.model.migration import Statement
from driftflow.model.names import Name
from driftflow.model.operations import AlterColumnType, CreateIndex, CreateTable, DropColumn, DropTable
from driftflow.model.record import replace

TEMPORARY = "original_anew"


def rebuilt(
    statement: Statement, connection: Connection, dialect: Dialect, *, otherwise: str, values: Mapping[tuple[str, str], str] = {}
) -> str:
    """Why it cannot be done; empty when it is. `otherwise` is what SQLite itself said of the statement: it stands where the statement changes no table that
    is there. `values` are those of columns that do not stay as they are, by (table, column)."""
    before = catalog_of(connection)
    try:
        after = _after(statement, before, dialect)
    except (DriftflowError, ValueError, LookupError):
        return otherwise
    # What points at them is text in other tables, which stays as it is.
    named = {getattr(operation, "table", None) for operation in statement.operations}
    spoken_of = {name.name.lower() for name in named if name is not None}
    changed = [
        table
        for name, table in after.tables.items()
        if name in before.tables and before.tables[name] != table and table.name.name.lower() in spoken_of
    ]
    if not changed:
        return otherwise
    connection.execute("PRAGMA foreign_keys = OFF")
    connection.execute("PRAGMA legacy_alter_table = ON")
    try:
        connection.begin()
        for name, view in before.views.items():
            if name not in after.views:
                connection.execute(f"DROP VIEW {dialect.quote_name(view.name)}")
        for table in changed:
            _anew(before, table, {**_using(statement, table), **_of(table, values)}, connection, dialect)
        connection.commit()
    except (DatabaseFault, ValueError) as fault:
        return f"{statement.span}: {fault}"
    finally:
        connection.rollback()
        connection.execute("PRAGMA legacy_alter_table = OFF")
        connection.execute("PRAGMA foreign_keys = ON")
    return ""


def _after(statement: Statement, catalog: Catalog, dialect: Dialect) -> Catalog:
    """SQLite has no CASCADE: there the author's directive says it."""
    cascade = any(one.verb == "cascade" for one in statement.directives)
    for operation in statement.operations:
        whole = replace(operation, cascade=True) if cascade and isinstance(operation, DropColumn) else operation
        catalog = catalog.after(dialect.resolve(whole, catalog))
    return catalog


def _using(statement: Statement, table: Table) -> dict[str, str]:
    return {
        one.column: one.using
        for one in statement.operations
        if isinstance(one, AlterColumnType) and one.using and one.table.name.lower() == table.name.name.lower()
    }


def _of(table: Table, values: Mapping[tuple[str, str], str]) -> dict[str, str]:
    return {column: text for (name, column), text in values.items() if name == table.name.text}


@contextmanager
def unbound(statement: Statement, connection: Connection) -> Iterator[None]:
    """DROP TABLE as the tools run it that make a table anew by hand: with foreign keys off, else it deletes what points at the rows."""
    if not any(isinstance(one, DropTable) for one in statement.operations):
        yield
        return
    connection.execute("PRAGMA foreign_keys = OFF")
    try:
        yield
    finally:
        connection.execute("PRAGMA foreign_keys = ON")


def _anew(before: Catalog, table: Table, values: Mapping[str, str], connection: Connection, dialect: Dialect) -> None:
    was = before.tables[table.name.text]
    both = [column.name for column in table.columns if column.generated is None and was.column(column.name) is not None]
    listed = ", ".join(map(dialect.quote, both))
    given = ", ".join(values.get(column, dialect.quote(column)) for column in both)
    new = Name(schema=table.name.schema, name=TEMPORARY)
    # Indexes and triggers have statements of their own.
    bare = replace(table, name=new, indexes=(), triggers=(), definition="")
    connection.execute(dialect.render(CreateTable(table=bare)))
    connection.execute(f"INSERT INTO {dialect.quote_name(new)} ({listed}) SELECT {given} FROM {dialect.quote_name(was.name)}")
    connection.execute(f"DROP TABLE {dialect.quote_name(was.name)}")
    connection.execute(f"ALTER TABLE {dialect.quote_name(new)} RENAME TO {dialect.quote(table.name.name)}")
    for index in table.indexes:
        if not index.constraint:
            connection.execute(dialect.render(CreateIndex(index=index)))
    for trigger in table.triggers:
        connection.execute(trigger.definition)
