"""What a partition or an inheritance child gets from its parent: indexes, keys, foreign keys, checks, NOT NULL, row triggers."""

from __future__ import annotations

from driftflow.model.catalog import (
    Catalog,
    Check,
    Column,
    Constraint,
    ForeignKey,
    Index,
    NotNull,
    PrimaryKey,
    Table,
    Trigger,
    Unique,
)
from driftflow.model.names import Name
from driftflow.model.operations.identifiers import rename_relation
from driftflow.model.operations.keys import copy_of_key, with_not_null
from driftflow.model.operations.lookup import put, taken
from driftflow.model.operations.naming import index_columns, made_name
from driftflow.model.operations.rules import not_null_is_named, partitions_share_identity
from driftflow.model.record import replace


def inherited_column(catalog: Catalog, column: Column, *, partition: bool) -> Column:
    """A parent's column as the child gets it. Identity passes to partitions only, and only since PostgreSQL 17."""
    if column.identity is None or (partition and partitions_share_identity(catalog)):
        return (
            column
            if column.identity is None
            else replace(column, identity=replace(column.identity, options=type(column.identity.options)()))
        )
    return replace(column, identity=None)


def give_index(catalog: Catalog, child: Name, index: Index) -> Catalog:
    """The parent's index on the child and its partitions: one that is there and equal is attached, else one with a made-up name is built."""
    table = catalog.tables[child.text]
    match_ = next((one for one in table.indexes if one.parent is None and same_shape(one, index) and not one.constraint), None)
    if match_ is not None:
        attached = replace(match_, parent=index.name)
        table = replace(table, indexes=tuple(attached if one.name == match_.name else one for one in table.indexes))
    else:
        name = made_name(child.name, index_columns(index), "idx", taken(catalog, child.schema))
        attached = replace(
            index,
            name=Name(schema=child.schema, name=name),
            table=child,
            parent=index.name,
            bytes=None,
            comment="",
            valid=True,
        )
        table = replace(table, indexes=(*table.indexes, attached))
    catalog = put(catalog, table)
    for grandchild in catalog.partitions(child):
        catalog = give_index(catalog, grandchild.name, attached)
    return catalog


def same_shape(one: Index, other: Index) -> bool:
    """Whether two indexes index the same thing in the same way."""
    return (one.parts, one.include, one.unique, one.method, one.predicate, one.nulls_not_distinct) == (
        other.parts,
        other.include,
        other.unique,
        other.method,
        other.predicate,
        other.nulls_not_distinct,
    )


def give_constraint(catalog: Catalog, child: Name, constraint: Constraint, parent: Name, *, partition: bool) -> Catalog:
    """The parent's constraint on one child (not further down). `parent` is the table it comes from."""
    table = catalog.tables[child.text]
    match constraint:
        case PrimaryKey() | Unique():
            if partition:
                index = Name(schema=parent.schema, name=constraint.name)
                table = copy_of_key(catalog, table, constraint, index)
                if isinstance(constraint, PrimaryKey):
                    table = _with_inherited_not_null(catalog, table, constraint.columns, catalog.tables[parent.text])
        case ForeignKey():
            if partition and not _has_equal_key(table, constraint):
                table = replace(table, constraints=(*table.constraints, constraint))
        case Check(no_inherit=False):
            if table.constraint(constraint.name) is None:
                table = replace(table, constraints=(*table.constraints, replace(constraint, comment="")))
        case NotNull(no_inherit=False):
            table = with_not_null(catalog, table, (constraint.column,), name=constraint.name, validated=constraint.validated)
        case _:
            pass
    return put(catalog, table)


def _with_inherited_not_null(catalog: Catalog, table: Table, columns: tuple[str, ...], parent: Table) -> Table:
    """A primary key's columns on a partition; where NOT NULL has a name, it is the parent's."""
    names = {one.column: one.name for one in parent.constraints if isinstance(one, NotNull)}
    for column in columns:
        table = with_not_null(catalog, table, (column,), name=names.get(column, "") if not_null_is_named(catalog) else "")
    return table


def _has_equal_key(table: Table, key: ForeignKey) -> bool:
    return any(
        (one.columns, one.referenced, one.referenced_columns) == (key.columns, key.referenced, key.referenced_columns)
        for one in table.foreign_keys
    )


def give_trigger(catalog: Catalog, child: Name, trigger: Trigger) -> Catalog:
    """A copy of a partitioned table's row trigger on the partition and those below it."""
    table = catalog.tables[child.text]
    parent = trigger.table
    definition = rename_relation(trigger.definition, (parent.schema, parent.name), (child.schema, child.name))
    copy = replace(trigger, table=child, definition=definition, comment="")
    table = replace(table, triggers=(*(one for one in table.triggers if one.name != trigger.name), copy))
    catalog = put(catalog, table)
    for grandchild in catalog.partitions(child):
        catalog = give_trigger(catalog, grandchild.name, copy)
    return catalog


def give_everything(catalog: Catalog, child: Name, parent: Table) -> Catalog:
    """All that a new or attached partition gets: constraints, indexes, row triggers."""
    for constraint in parent.constraints:
        catalog = give_constraint(catalog, child, constraint, parent.name, partition=True)
    for index in parent.indexes:
        if not index.constraint:
            catalog = give_index(catalog, child, index)
    for trigger in parent.triggers:
        if trigger.per_row:
            catalog = give_trigger(catalog, child, trigger)
    return catalog
