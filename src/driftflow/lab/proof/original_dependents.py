"""What stands on a column, where the server refuses the original's statement because of it: taken away and made again by hand, as a team would write it."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.dialects.base import Dialect
from driftflow.drivers.catalogs import catalog_of
from driftflow.engine.ports import Connection
from driftflow.lab.catalog_rights import rights_of
from driftflow.lab.catalog_sql import statements_of
from driftflow.model.catalog import Catalog, Table, View
from driftflow.model.migration import Statement
from driftflow.model.names import Name
from driftflow.model.operations import AlterColumnType, DropColumn, dependents
from driftflow.model.operations.column_dependents import column_dependents
from driftflow.model.record import replace

UNDER_VIEWS = "used by a view or rule"
"""What PostgreSQL says of a column whose type is to become another one."""


def take_along(statement: Statement, connection: Connection, dialect: Dialect) -> None:
    """MySQL and MariaDB have no CASCADE: what the directive of that name says is taken away before, one after the other."""
    if not dialect.one_pass or not any(one.verb == "cascade" for one in statement.directives):
        return
    for operation in statement.operations:
        if isinstance(operation, DropColumn):
            catalog = catalog_of(connection)
            table = table_named(operation.table, catalog)
            for one in column_dependents(catalog, table.name, operation.column) if table is not None else ():
                if one.removal is not None:
                    connection.execute(dialect.render(one.removal))


def views_over(statement: Statement, connection: Connection) -> tuple[View, ...]:
    """Views that read a column whose type the statement changes, and those over them, in the order in which they can be made."""
    catalog = catalog_of(connection)
    found: dict[Name, View] = {}
    for operation in statement.operations:
        table = table_named(operation.table, catalog) if isinstance(operation, AlterColumnType) else None
        if table is not None and isinstance(operation, AlterColumnType):
            direct = dependents.views_on_column(catalog, table.name, operation.column)
            found |= {view.name: view for view in dependents.in_order(catalog, direct)}
    return tuple(found.values())


def dropped(views: tuple[View, ...], dialect: Dialect) -> Iterator[str]:
    for view in reversed(views):
        yield f"DROP {'MATERIALIZED ' if view.materialized else ''}VIEW {dialect.quote_name(view.name)}"


def made_again(views: tuple[View, ...], catalog: Catalog, dialect: Dialect) -> Iterator[str]:
    """With their owner, rights, comments and indexes."""
    bare = replace(
        catalog, tables={}, views={view.name.text: view for view in views}, types={}, sequences={}, routines={}, schemas=(),
        extensions=(),
    )  # fmt: skip
    yield from (sql for _, sql in statements_of(bare, dialect) if sql)
    yield from (sql for _, sql in rights_of(bare, dialect) if sql)
    for view in views:
        kind = "MATERIALIZED VIEW" if view.materialized else "VIEW"
        if view.owner:
            yield f"ALTER {kind} {dialect.quote_name(view.name)} OWNER TO {dialect.quote(view.owner)}"


def table_named(name: Name, catalog: Catalog) -> Table | None:
    """As a statement says it, with or without its schema."""
    return next(
        (one for one in catalog.tables.values() if one.name.name == name.name and name.schema in ("", one.name.schema)), None
    )
