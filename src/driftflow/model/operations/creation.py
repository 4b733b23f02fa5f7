"""CREATE TABLE: the table as the catalog will hold it."""

from __future__ import annotations

from driftflow.model.catalog import Catalog, Check, Column, Constraint, ForeignKey, NotNull, Publication, Table, TableStatistics
from driftflow.model.names import Name
from driftflow.model.operations import heirs
from driftflow.model.operations.keys import as_kept, with_key_indexes, with_not_null, with_referencing_index
from driftflow.model.operations.lookup import put, refuse, type_named
from driftflow.model.operations.rules import keys_have_indexes
from driftflow.model.operations.sequences import as_kept as column_as_kept
from driftflow.model.operations.sequences import with_owned_sequences
from driftflow.model.record import replace

EMPTY = TableStatistics(rows=0, bytes=0, table_bytes=0, basis="created by this release")


def create(catalog: Catalog, table: Table) -> Catalog:
    """The catalog with the table in it."""
    parents = [found for name in parents_of(table) if (found := _parent(catalog, name)) is not None]
    partition = table.partition_of is not None
    own = tuple(column_as_kept(catalog, table.name, column) for column in table.columns)
    table = replace(
        table,
        columns=merged_columns(catalog, parents, own, partition=partition),
        constraints=tuple(as_kept(catalog, one) for one in table.constraints),
        new=True,
        statistics=EMPTY,
        replica_identity=table.replica_identity or ("d" if keys_have_indexes(catalog) else ""),
        publications=publications_of(catalog, table),
    )
    table = _with_not_null(catalog, table, parents)
    for key in table.foreign_keys:
        table = with_referencing_index(catalog, table, key)
    catalog = put(catalog, with_key_indexes(catalog, table))
    for column in table.columns:
        catalog = with_owned_sequences(catalog, table.name, column)
    for parent in parents:
        catalog = _from_parent(catalog, table.name, parent, partition=partition)
    return catalog


def parents_of(table: Table) -> tuple[Name, ...]:
    return (table.partition_of,) if table.partition_of is not None else table.inherits


def _parent(catalog: Catalog, name: Name) -> Table | None:
    found = catalog.table(name)
    if found is None:
        refuse(catalog, f"table {name} does not exist")
    return found


def merged_columns(catalog: Catalog, parents: list[Table], own: tuple[Column, ...], *, partition: bool) -> tuple[Column, ...]:
    """The parents' columns first, in their order; a column that is repeated adds what it says to the inherited one."""
    columns: dict[str, Column] = {}
    for parent in parents:
        for column in parent.columns:
            columns.setdefault(column.name, replace(heirs.inherited_column(catalog, column, partition=partition), comment=""))
    for column in own:
        inherited = columns.get(column.name)
        columns[column.name] = column if inherited is None else _overlaid(inherited, column)
    return tuple(columns.values())


def _overlaid(inherited: Column, own: Column) -> Column:
    return replace(
        inherited,
        nullable=inherited.nullable and own.nullable,
        default=own.default if own.default is not None else inherited.default,
        generated=own.generated or inherited.generated,
        comment=own.comment,
    )


def _with_not_null(catalog: Catalog, table: Table, parents: list[Table]) -> Table:
    """NOT NULL of the columns that are, and of a primary key's; inherited ones carry the parent's name."""
    inherited: dict[str, NotNull] = {}
    for parent in parents:
        inherited |= {one.column: one for one in parent.constraints if isinstance(one, NotNull) and not one.no_inherit}
    for column, one in inherited.items():
        table = with_not_null(catalog, table, (column,), name=one.name)
    key = table.primary_key
    wanted = {column.name for column in table.columns if not column.nullable}
    if key is not None and keys_have_indexes(catalog):
        wanted |= set(key.columns)
    return with_not_null(catalog, table, wanted)


def _from_parent(catalog: Catalog, name: Name, parent: Table, *, partition: bool) -> Catalog:
    parent = replace(parent, constraints=tuple(_valid(one) for one in parent.constraints))
    if partition:
        return heirs.give_everything(catalog, name, parent)
    kept: list[Constraint] = [one for one in parent.constraints if isinstance(one, Check | NotNull)]
    for constraint in kept:
        catalog = heirs.give_constraint(catalog, name, constraint, parent.name, partition=False)
    return catalog


def _valid(constraint: Constraint) -> Constraint:
    """A new table is empty: what is NOT VALID on the parent holds there."""
    match constraint:
        case Check(enforced=True) | ForeignKey(enforced=True) | NotNull():
            return replace(constraint, validated=True)
        case _:
            return constraint


def publications_of(catalog: Catalog, table: Table) -> tuple[str, ...]:
    """A publication of everything, of the schema, or of the partitioned parent carries a new table from its first row."""
    if table.unlogged or table.kind != "table":
        return ()
    parent = catalog.table(table.partition_of) if table.partition_of is not None else None
    inherited = parent.publications if parent is not None else ()
    return tuple(one.name for one in catalog.publications if _carries(one, table) or one.name in inherited)


def _carries(publication: Publication, table: Table) -> bool:
    return publication.all_tables or table.name.schema in publication.schemas


def typed(catalog: Catalog, table: Table) -> Table:
    """With the columns of its type, where it is made OF one; known only in part where nobody knows the type."""
    if not table.of_type:
        return table
    known = type_named(catalog, table.of_type)
    if known is None:
        return replace(table, partial=True)
    said = {column.name: column for column in table.columns}
    return replace(table, columns=tuple(said.get(one.name, one) for one in known.attributes))
