"""Which relations hang together: partitions and children, indexes, owned sequences, users of a domain, and how new indexes are named."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from driftflow.dialects.postgresql.effects.locks import ACCESS_EXCLUSIVE, SHARE
from driftflow.dialects.postgresql.effects.prediction import Prediction
from driftflow.dialects.postgresql.names import columns_part, make_object_name
from driftflow.model.catalog import Catalog, Column, Index, Table
from driftflow.model.names import Name
from driftflow.model.operations.naming import index_columns
from driftflow.patterns import lazy_regex

SYSTEM_SCHEMAS = frozenset({"pg_catalog", "information_schema"})
"""The server's own: the catalog leaves them out."""


def existing(p: Prediction, name: Name, *, if_exists: bool = False) -> Table | None:
    """The table, or None when the catalog does not have it: a certain failure in a complete catalog."""
    table = p.catalog.table(name)
    if table is None:
        p.size_unknown = True
        if p.catalog.complete and name.text not in p.catalog.views and not if_exists and name.schema not in SYSTEM_SCHEMAS:
            p.fails("missing", f'relation "{name.text}" does not exist', relation=name, certain=True)
    return table


def with_rows(p: Prediction, name: Name) -> Table | None:
    """The table, or the materialized view as a table with its indexes; None, with its failure, for anything else."""
    view = p.catalog.views.get(name.text)
    if view is not None and view.materialized:
        return Table(name=view.name, indexes=view.indexes)
    return existing(p, name)


def descendants(catalog: Catalog, name: Name) -> tuple[Table, ...]:
    """Partitions and inheritance children, at every depth, in the order of the catalog."""
    found: list[Table] = []
    wanted = [name]
    while wanted:
        for table in catalog.children(wanted.pop(0)):
            if table not in found:
                found.append(table)
                wanted.append(table.name)
    return tuple(found)


def tree(p: Prediction, name: Name, *, only: bool = False) -> tuple[Table, ...]:
    """The table and, unless ONLY, everything below it. A table that is not known stands alone, with nothing known about it."""
    table = p.catalog.table(name)
    if table is None:
        return (Table(name=name),)
    return (table,) if only else (table, *descendants(p.catalog, name))


def with_storage(tables: Iterable[Table]) -> tuple[Table, ...]:
    """Those that hold rows themselves."""
    return tuple(table for table in tables if table.partitioning is None)


def lock_tree(p: Prediction, name: Name, *modes: str, only: bool = False) -> tuple[Table, ...]:
    """Lock the relation and what is below it; returns the tables among them."""
    p.lock(name, *modes)
    tables = tree(p, name, only=only)
    for table in tables[1:]:
        p.lock(table.name, *modes, why=f"{'partition' if table.partition_of else 'child'} of {name.name}")
    return tables


def altered(p: Prediction, table: Name, column: str, *, only: bool, mode: str = ACCESS_EXCLUSIVE) -> tuple[Table, ...]:
    """Lock the tree and say so when the column is not there."""
    known = existing(p, table)
    tables = lock_tree(p, table, mode, only=only)
    if known is not None and known.column(column) is None:
        p.fails("missing", f'column "{column}" of "{table.text}" does not exist', relation=table, certain=True)
    return tables


def index_names(table: Table) -> tuple[Name, ...]:
    """Every index of the table, those that implement constraints among them, also where the catalog lists only the constraint."""
    names = [index.name for index in table.indexes]
    for constraint in table.constraints:
        if type(constraint).__name__ in {"PrimaryKey", "Unique", "Exclusion"} and constraint.name:
            name = Name(schema=table.name.schema, name=constraint.name)
            if name not in names and not any(index.constraint == constraint.name for index in table.indexes):
                names.append(name)
    return tuple(names)


def rewrite(p: Prediction, table: Table, why: str) -> None:
    """The heap is written anew and with it every index: the file of each changes."""
    p.lock(table.name, ACCESS_EXCLUSIVE, SHARE)
    p.does("scan", table.name)
    p.does("rewrite", table.name, why)
    for index in index_names(table):
        p.lock(index, ACCESS_EXCLUSIVE, why=f"index of {table.name.name}")
        p.does("rewrite", index, "written anew with its table")


def rewrite_tree(p: Prediction, tables: Iterable[Table], why: str) -> None:
    for table in with_storage(tables):
        rewrite(p, table, why)


def scan_tree(p: Prediction, tables: Iterable[Table], why: str = "") -> None:
    for table in with_storage(tables):
        p.does("scan", table.name, why)


def default_partition(catalog: Catalog, parent: Name) -> Table | None:
    return next(
        (table for table in catalog.partitions(parent) if table.partition_bound.strip().upper().endswith("DEFAULT")), None
    )


def owned_sequences(catalog: Catalog, table: Name, column: str = "") -> tuple[Name, ...]:
    """Sequences owned by the table's columns (or by that one)."""
    owner = f"{table.text}.{column}"
    return tuple(one.name for one in catalog.sequences_of(table) if not column or one.owned_by == owner)


_NEXTVAL = lazy_regex(r"nextval\('(?P<name>[^']+)'(?:::regclass)?\)")


def made_sequence(catalog: Catalog, table: Name, column: Column) -> Name | None:
    """The sequence that a serial or identity column brings along: the one that its default names and nobody has made yet."""
    if column.identity is not None or column.serial:
        return new_name(table.schema, table.name, (column.name,), "seq")
    match = _NEXTVAL.fullmatch(column.default or "")
    if match is None:
        return None
    schema, _, bare = match["name"].replace('"', "").rpartition(".")
    name = Name(schema=schema or table.schema, name=bare)
    made = name.text not in catalog.sequences and (catalog.complete or bare.endswith(f"_{column.name}_seq"))
    return name if made else None


def new_name(schema: str, table: str, columns: Sequence[str], label: str) -> Name:
    """The name that the server chooses for an index or sequence it must name itself: `table_column_label`, cut to 63 bytes."""
    return Name(schema=schema, name=make_object_name(table, columns_part(tuple(columns)), label))


def child_index(child: Table, index: Index) -> Name:
    """How the server names the index that it makes on a partition for one of the parent."""
    if index.constraint:
        key = next((c for c in child.constraints if c.name == index.constraint), None)
        label = "pkey" if index.constraint.endswith("_pkey") or type(key).__name__ == "PrimaryKey" else "key"
        return new_name(child.name.schema, child.name.name, () if label == "pkey" else index.columns, label)
    return Name(schema=child.name.schema, name=make_object_name(child.name.name, index_columns(index), "idx"))


def columns_of_type(catalog: Catalog, type_name: Name) -> Iterator[tuple[Table, Column]]:
    """Columns declared with a user-defined type, by its bare or qualified name, arrays of it included."""
    spellings = {type_name.name, type_name.text, f'"{type_name.name}"'}
    for table in catalog.tables.values():
        for column in table.columns:
            if column.type.removesuffix("[]") in spellings:
                yield table, column
