"""A partitioned table's column made once more beside itself: what must be the same in every partition, and its indexes, one for each.

The server hands on to partitions what is done to the parent: columns and their names, row triggers (BEFORE ones since PostgreSQL 13), checks, NOT NULL. Indexes
it hands on too, but builds them under a lock: each partition's is built online instead, and attached. A key takes no index of the parent, but the keys that its
partitions have already, without reading anything: each partition's takes its own index in the swap, and the parent's is added last.
"""

from __future__ import annotations

from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.model.catalog import Catalog, Check, Constraint, ForeignKey, Index, NotNull, PrimaryKey, Table, Unique
from driftflow.model.names import Name
from driftflow.model.operations.dependents import heirs_of, in_condition, views_on_column
from driftflow.model.operations.identifiers import mentions
from driftflow.model.operations.renaming import column_in_table
from driftflow.model.record import replace
from driftflow.strategies.types.shadow_names import waiting

Family = tuple[tuple[Name, Index], ...]
"""(table, its index): a partitioned table's first, each partition's behind that of its parent. Of any other table its index alone."""


def obstacle(table: Table, at: Situation, column: str) -> str:
    """Why the column of a partitioned table cannot be made beside itself; empty where it can. `table` is the topmost of its tree."""
    assert table.partitioning is not None
    if not at.can(Capability.BEFORE_ROW_TRIGGER_ON_PARENT):
        return "a partitioned table takes BEFORE row triggers since PostgreSQL 13"
    partitions = heirs_of(at.catalog, table.name)
    for key in held_by(table, column):
        if isinstance(key, ForeignKey) and (why := unbound(at.catalog, table, key)):
            return f"the foreign key {key.name} {why}"
    for one in (table, *partitions):
        if one.partitioning is not None and any(mentions(key, column) for key in one.partitioning.key):
            return f"it is in the partition key of {one.name}"
        for holder, key in at.catalog.referencing(one.name):
            if column in key.referenced_columns and (one is not table or holder.partitioning is not None):
                return f"the foreign key {key.name} of {holder.name} points at it"
    for partition in partitions:
        if reason := _own(partition, table, at.catalog, column):
            return f"the partition {partition.name} {reason}"
    return next((why for root, index in roots(at.catalog, table, column) if (why := _incomplete(at.catalog, root, index))), "")


def _incomplete(catalog: Catalog, root: Table, index: Index) -> str:
    """Why an index cannot be made once more with those of the partitions below it."""
    members = family(catalog, root, index)
    if {name for name, _ in members} != {root.name, *(one.name for one in heirs_of(catalog, root.name))}:
        return f"the index {index.name.name} is not there in every partition"
    if any(bool(one.constraint) != bool(index.constraint) for _, one in members):
        return f"the index {index.name.name} holds a key of one of the partitions"
    return ""


def unbound(catalog: Catalog, table: Table, key: ForeignKey) -> str:
    """Why a foreign key of a partitioned table cannot be made once more, in each partition first."""
    other = catalog.table(key.referenced)
    if key.referenced == table.name or other is None or other.partitioning is not None:
        return "points at the table itself or at another partitioned one"
    if not key.validated or not key.enforced:
        return "is not proved"
    if any(len(one.keys_like(key)) != 1 for one in heirs_of(catalog, table.name)):
        return "is not there once in every partition"
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
    for one in held_by(partition, column):
        if isinstance(one, PrimaryKey | Unique) and not one.deferrable:
            continue
        if isinstance(one, ForeignKey) and table.keys_like(one):
            continue
        if not isinstance(one, Check | NotNull) or one.name not in shared:
            return f"has a constraint of its own on {column}"
    if any(column in one.columns for one in partition.extended_statistics):
        return f"has statistics over {column}"
    if any(mentions(one.using, column) or mentions(one.check, column) for one in partition.policies):
        return f"has a policy that reads {column}"
    if any(column in one.update_columns or in_condition(one.definition, column) for one in partition.triggers):
        return f"has a trigger on {column}"
    return f"is read by a view that names {column}" if views_on_column(catalog, partition.name, column) else ""


def held_by(table: Table, column: str) -> list[Constraint]:
    """The constraints of a table that hold the column."""
    shadow = column_in_table(table, column, "driftflow_new")
    return [old for old, new in zip(table.constraints, shadow.constraints, strict=True) if old != new]


def roots(catalog: Catalog, table: Table, column: str) -> list[tuple[Table, Index]]:
    """The indexes that hold the column, those of keys among them: the table's, and what partitions have of their own."""
    found = []
    for one in (table, *(heirs_of(catalog, table.name) if table.partitioning is not None else ())):
        shadow = column_in_table(one, column, "driftflow_new")
        pairs = zip(one.indexes, shadow.indexes, strict=True)
        found += [(one, old) for old, new in pairs if old != new and (one is table or old.parent is None)]
    return found


def family(catalog: Catalog, table: Table, index: Index) -> Family:
    """An index with those of the partitions that belong to it."""
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
        name_beside = replace(made.name, name=waiting(made.name.name, to))
        pairs.append((index, replace(made, name=name_beside, parent=None, constraint="")))
    return tuple(pairs)
