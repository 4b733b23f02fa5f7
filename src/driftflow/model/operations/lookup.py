"""Finding what an operation names, and saying in a sentence when it does not fit.

A conflict is raised only where the catalog is complete: one that was built from migration files alone may simply not know the object.
"""

from __future__ import annotations

from collections.abc import Callable

from driftflow.model.catalog import Catalog, Column, Index, Table, TypeDefinition, View
from driftflow.model.names import Name
from driftflow.model.operations.base import CatalogConflict
from driftflow.model.operations.rules import indexes_are_named_per_table
from driftflow.model.record import replace


def refuse(catalog: Catalog, sentence: str) -> None:
    """Raise CatalogConflict, or return where the catalog may not know everything."""
    if catalog.complete:
        raise CatalogConflict(sentence)


def find_table(catalog: Catalog, name: Name, *, if_exists: bool = False) -> Table | None:
    """The table, or None where it is missing and that is allowed or unknown. A view counts as not a table, and is no conflict:
    some ALTER TABLE forms take views."""
    table = catalog.tables.get(name.text)
    if table is None and not if_exists and name.text not in catalog.views:
        refuse(catalog, f"table {name} does not exist")
    return table


def find_column(catalog: Catalog, table: Table, column: str) -> Column | None:
    """The column, or None where not all columns of the table are known."""
    found = table.column(column)
    if found is None and not table.partial:
        refuse(catalog, f"column {column} of table {table.name} does not exist")
    return found


def parents(catalog: Catalog, table: Table) -> list[Table]:
    """What the table is a partition of, or inherits from, as far as it is known."""
    names = [name for name in (table.partition_of, *table.inherits) if name is not None]
    return [found for name in names if (found := catalog.table(name)) is not None]


def inherited_from(catalog: Catalog, table: Table, column: str) -> Name | None:
    """The parent that the column comes from: it can only change there."""
    return next((parent.name for parent in parents(catalog, table) if parent.column(column) is not None), None)


def find_index(catalog: Catalog, name: Name, table: Name | None = None) -> tuple[Table | View, Index] | None:
    """The index with the relation that it is on. With `table` only that one is looked at."""
    if table is None:
        return next(iter(catalog.indexes_named(name)), None)
    holder = catalog.tables.get(table.text) or catalog.views.get(table.text)
    return next(((holder, index) for index in holder.indexes if index.name == name), None) if holder is not None else None


def taken(catalog: Catalog, schema: str) -> Callable[[str], bool]:
    """Whether a relation of that name (table, view, sequence, index) is in the schema already."""

    def is_taken(name: str) -> bool:
        wanted = Name(schema=schema, name=name)
        key = wanted.text
        if key in catalog.tables or key in catalog.views or key in catalog.sequences:
            return True
        return not indexes_are_named_per_table(catalog) and bool(catalog.indexes_named(wanted))

    return is_taken


def index_taken(catalog: Catalog, holder: Table | View, name: Name) -> bool:
    """Whether an index on `holder` cannot be called that: by another of its own, or by any relation of the schema."""
    if indexes_are_named_per_table(catalog):
        return any(index.name.name.lower() == name.name.lower() for index in holder.indexes)
    return taken(catalog, name.schema)(name.name)


def children(catalog: Catalog, name: Name) -> list[Table]:
    """Direct partitions and inheritance children."""
    return list(catalog.children(name))


def put(catalog: Catalog, table: Table) -> Catalog:
    """The catalog with the changed table. A kept CREATE TABLE text would be stale, so it goes."""
    return catalog.with_table(replace(table, definition="") if table.definition else table)


def put_view(catalog: Catalog, view: View) -> Catalog:
    return catalog.with_view(view)


def put_holder(catalog: Catalog, holder: Table | View) -> Catalog:
    return put(catalog, holder) if isinstance(holder, Table) else put_view(catalog, holder)


def change_each(catalog: Catalog, name: Name, change: Callable[[Table], Table], *, only: bool = False) -> Catalog:
    """Apply a change to the table and, unless `only`, to everything that inherits from it or is a partition of it."""
    table = catalog.tables.get(name.text)
    if table is None:
        return catalog
    catalog = put(catalog, change(table))
    if only:
        return catalog
    for child in children(catalog, name):
        catalog = change_each(catalog, child.name, change)
    return catalog


def replace_column(table: Table, column: Column) -> Table:
    """The table with the column of that name replaced."""
    return replace(table, columns=tuple(column if one.name == column.name else one for one in table.columns))


def placed(columns: tuple[Column, ...], column: Column, position: str) -> tuple[Column, ...]:
    """At the end, or where MySQL's FIRST or AFTER says."""
    word, _, anchor = position.partition(" ")
    if word.upper() == "FIRST":
        return (column, *columns)
    if word.upper() == "AFTER":
        at = next((index for index, one in enumerate(columns) if one.name == anchor), len(columns) - 1) + 1
        return (*columns[:at], column, *columns[at:])
    return (*columns, column)


def type_named(catalog: Catalog, spelling: str) -> TypeDefinition | None:
    """A user-defined type by its bare or qualified spelling, as the search path finds it."""
    bare = spelling.replace('"', "")
    keys = (bare, *(f"{schema}.{bare}" for schema in catalog.search_path or ("public",)))
    return next((catalog.types[key] for key in keys if key in catalog.types), None)
