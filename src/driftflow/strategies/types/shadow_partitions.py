"""A partitioned table's column made once more beside itself: what must be the same in every partition, and its indexes, one for each.

The server hands on to partitions what is done to the parent: columns and their names, row triggers (BEFORE ones since PostgreSQL 13), checks, NOT NULL. Indexes
it hands on too, but builds them under a lock: each partition's is built online instead, and attached.
"""

from __future__ import annotations

from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.model.catalog import Catalog, Check, Index, NotNull, Table
from driftflow.model.names import Name
from driftflow.model.operations.dependents import heirs_of, in_condition, views_on_column
from driftflow.model.operations.identifiers import mentions
from driftflow.model.operations.renaming import column_in_table
from driftflow.model.record import replace
from driftflow.strategies.types.shadow_names import waiting

Family = tuple[tuple[Name, Index], ...]
"""(table, its index): a partitioned table's first, each partition's behind that of its parent."""


def obstacle(table: Table, at: Situation, column: str) -> str:
    """Why the column of a partitioned table cannot be made beside itself; empty where it can. `table` is the topmost of its tree."""
    assert table.partitioning is not None
    if not at.can(Capability.BEFORE_ROW_TRIGGER_ON_PARENT):
        return "a partitioned table takes BEFORE row triggers since PostgreSQL 13"
    if any(mentions(key, column) for key in table.partitioning.key):
        return "it is in the partition key"
    found = table.column(column)
    if found is None or found.identity is not None:
        return "it is an identity column"
    shadow = column_in_table(table, column, "driftflow_new")
    pairs = zip(table.constraints, shadow.constraints, strict=True)
    if any(old != new and not isinstance(old, Check | NotNull) for old, new in pairs):
        return "a key or a foreign key holds it: a partitioned table takes no ADD CONSTRAINT ... USING INDEX"
    if any(column in key.referenced_columns for _, key in at.catalog.referencing(table.name)):
        return "a foreign key points at it"
    for partition in heirs_of(at.catalog, table.name):
        if reason := _own(partition, table, at.catalog, column):
            return f"the partition {partition.name} {reason}"
    whole = {table.name, *(one.name for one in heirs_of(at.catalog, table.name))}
    for index in _over(table, column):
        if {name for name, _ in family(at.catalog, table, index)} != whole:
            return f"the index {index.name.name} is not there in every partition"
    return ""


def _own(partition: Table, table: Table, catalog: Catalog, column: str) -> str:
    """What a partition has of its own on the column: what is done to the parent would lose it."""
    here, there = partition.column(column), table.column(column)
    assert there is not None
    if partition.kind != "table" or here is None:
        return "is no table of this server"
    if (here.default, here.nullable, here.collation) != (there.default, there.nullable, there.collation):
        return f"has another default, NOT NULL or collation of {column}"
    if partition.replica_identity not in ("", "d", "f", "n"):
        return "has an index as its replica identity"
    shared = {one.name for one in table.constraints if isinstance(one, Check | NotNull)}
    renamed = column_in_table(partition, column, "driftflow_new")
    for old, new in zip(partition.constraints, renamed.constraints, strict=True):
        if old != new and (not isinstance(old, Check | NotNull) or old.name not in shared):
            return f"has a constraint of its own on {column}"
    if any(index.parent is None for index in _over(partition, column)):
        return f"has an index of its own on {column}"
    if any(column in one.columns for one in partition.extended_statistics):
        return f"has statistics over {column}"
    if any(mentions(one.using, column) or mentions(one.check, column) for one in partition.policies):
        return f"has a policy that reads {column}"
    if any(column in one.update_columns or in_condition(one.definition, column) for one in partition.triggers):
        return f"has a trigger on {column}"
    return f"is read by a view that names {column}" if views_on_column(catalog, partition.name, column) else ""


def _over(table: Table, column: str) -> list[Index]:
    """The plain indexes that hold the column."""
    shadow = column_in_table(table, column, "driftflow_new")
    return [old for old, new in zip(table.indexes, shadow.indexes, strict=True) if old != new and not old.constraint]


def family(catalog: Catalog, table: Table, index: Index) -> Family:
    """A partitioned table's index with those of its partitions that belong to it."""
    names, found = {index.name}, [(table.name, index)]
    for partition in heirs_of(catalog, table.name):
        for one in partition.indexes:
            if one.parent in names and one.valid:
                names.add(one.name)
                found.append((partition.name, one))
    return tuple(found)


def beside(catalog: Catalog, column: str, to: str, members: Family) -> tuple[tuple[Index, Index], ...]:
    """Each index of the family, and the same over the waiting column, under a name of its own; its parent is told when it is attached."""
    pairs = []
    for name, index in members:
        table = catalog.table(name)
        assert table is not None
        made = column_in_table(table, column, to).indexes[table.indexes.index(index)]
        pairs.append((index, replace(made, name=replace(made.name, name=waiting(made.name.name, to)), parent=None)))
    return tuple(pairs)
