"""What SQLite has no statement for (SET NOT NULL, ADD CONSTRAINT): the table made anew in one transaction, as its documentation says to do by hand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from driftflow.dialects.base import Dialect
from driftflow.drivers.catalogs import catalog_of
from driftflow.engine.ports import Connection, DatabaseFault
from driftflow.model.catalog import Catalog, Table
from driftflow.model.migration import Statement
from driftflow.model.names import Name
from driftflow.model.operations import CreateIndex, CreateTable, DropTable
from driftflow.model.record import replace

TEMPORARY = "original_anew"


def rebuilt(statement: Statement, connection: Connection, dialect: Dialect) -> str:
    """Why it cannot be done; empty when it is."""
    before = catalog_of(connection)
    after = before
    for operation in statement.operations:
        after = after.after(dialect.resolve(operation, after))
    # What points at them is text in other tables, which stays as it is.
    named = {getattr(operation, "table", None) for operation in statement.operations}
    spoken_of = {name.name.lower() for name in named if name is not None}
    changed = [
        table for name, table in after.tables.items() if before.tables.get(name) != table and table.name.name.lower() in spoken_of
    ]
    connection.execute("PRAGMA foreign_keys = OFF")
    connection.execute("PRAGMA legacy_alter_table = ON")
    try:
        connection.begin()
        for table in changed:
            _anew(before, table, connection, dialect)
        connection.commit()
    except (DatabaseFault, ValueError) as fault:
        return f"{statement.span}: {fault}"
    finally:
        connection.rollback()
        connection.execute("PRAGMA legacy_alter_table = OFF")
        connection.execute("PRAGMA foreign_keys = ON")
    return ""


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


def _anew(before: Catalog, table: Table, connection: Connection, dialect: Dialect) -> None:
    was = before.tables[table.name.text]
    both = [column.name for column in table.columns if column.generated is None and was.column(column.name) is not None]
    listed = ", ".join(map(dialect.quote, both))
    new = Name(schema=table.name.schema, name=TEMPORARY)
    # Indexes and triggers have statements of their own.
    bare = replace(table, name=new, indexes=(), triggers=(), definition="")
    connection.execute(dialect.render(CreateTable(table=bare)))
    connection.execute(f"INSERT INTO {dialect.quote_name(new)} ({listed}) SELECT {listed} FROM {dialect.quote_name(was.name)}")
    connection.execute(f"DROP TABLE {dialect.quote_name(was.name)}")
    connection.execute(f"ALTER TABLE {dialect.quote_name(new)} RENAME TO {dialect.quote(table.name.name)}")
    for index in table.indexes:
        if not index.constraint:
            connection.execute(dialect.render(CreateIndex(index=index)))
    for trigger in table.triggers:
        connection.execute(trigger.definition)
