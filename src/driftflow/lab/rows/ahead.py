"""The start schema with what a migration will demand of rows that are there already: its new CHECKs, keys and NOT NULLs. Rows that are made as it
wants them let it run; whether yours are like that, only your database can say."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from driftflow.dialects.base import Dialect
from driftflow.errors import DriftflowError
from driftflow.lab.rows.checks import names_in
from driftflow.model.catalog import Catalog, Check, Constraint, ForeignKey, PrimaryKey, Table, Unique
from driftflow.model.migration import Migration
from driftflow.model.operations import Operation
from driftflow.model.record import replace


def with_what_comes(catalog: Catalog, migrations: Sequence[Migration], dialect: Dialect) -> Catalog:
    """The catalog, each table under every constraint that the migration leaves behind and that speaks of columns which are there now."""
    final = _after(
        catalog, [one for migration in migrations for statement in migration.statements for one in statement.operations], dialect
    )
    return catalog.with_tables(
        _bound(table, final.tables[name], catalog) for name, table in catalog.tables.items() if name in final.tables
    )


def _after(catalog: Catalog, operations: Sequence[Operation], dialect: Dialect) -> Catalog:
    """As far as it can be foretold."""
    final = catalog.in_versions()
    for operation in operations:
        with suppress(DriftflowError, ValueError, LookupError):
            final = final.after(dialect.resolve(operation, final))
    return final


def _bound(table: Table, final: Table, catalog: Catalog) -> Table:
    here = {column.name for column in table.columns}
    later = {column.name for column in final.columns} - here
    new = tuple(one for one in final.constraints if one not in table.constraints and _speaks_of(one, here, later, catalog))
    unique = tuple(
        index
        for index in final.indexes
        if index.unique and index not in table.indexes and index.columns and {*index.columns} <= here
    )
    columns = tuple(
        replace(column, nullable=False) if (last := final.column(column.name)) is not None and not last.nullable else column
        for column in table.columns
    )
    return replace(table, columns=columns, constraints=(*table.constraints, *new), indexes=(*table.indexes, *unique))


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
