"""The foreign keys and row triggers of a partitioned table, which its partitions get with ATTACH and CREATE, and keep for themselves after DETACH.

Measured on 16 and 18.
"""

from __future__ import annotations

from collections.abc import Sequence

from driftflow.dialects.postgresql.effects.foreign_key import add_foreign_key
from driftflow.dialects.postgresql.effects.locks import ACCESS_EXCLUSIVE, ACCESS_SHARE, SHARE_ROW_EXCLUSIVE
from driftflow.dialects.postgresql.effects.prediction import Prediction
from driftflow.dialects.postgresql.effects.relations import descendants
from driftflow.model.catalog import Catalog, ForeignKey, Table
from driftflow.model.names import Name


def keys_come(p: Prediction, parent: Table, child: Table, parts: Sequence[Table]) -> None:
    """ATTACH: a key that the new partition lacks is made and verified; one that it has becomes a part of its parent's, and its triggers go."""
    for key in parent.foreign_keys:
        if child.keys_like(key):
            p.lock(key.referenced, SHARE_ROW_EXCLUSIVE, ACCESS_EXCLUSIVE, why="triggers of the partition's own key go")
        else:
            add_foreign_key(p, child.name, key, (child, *parts), scans=key.validated, attached=True)


def keys_are_made(p: Prediction, parent: Table, table: Table) -> None:
    """CREATE TABLE … PARTITION OF: nothing is read, and the tables that the keys point at are locked all the same."""
    for key in parent.foreign_keys:
        p.lock(key.referenced, SHARE_ROW_EXCLUSIVE, ACCESS_SHARE, why=f"referenced by {key.name} of {parent.name.name}")
    if parent.foreign_keys or any(one.per_row for one in parent.triggers):
        p.lock(table.name, SHARE_ROW_EXCLUSIVE)


def keys_part(p: Prediction, parent: Table, partition: Name) -> None:
    """DETACH: the keys become the partition's own, with triggers of their own on the tables they point at."""
    for key in parent.foreign_keys:
        p.lock(key.referenced, SHARE_ROW_EXCLUSIVE, why=f"{key.name} becomes a key of {partition.name} itself")
        p.lock(partition, ACCESS_SHARE)
    if parent.foreign_keys or any(one.per_row for one in parent.triggers):
        for part in descendants(p.catalog, partition):
            p.lock(part.name, ACCESS_EXCLUSIVE, why=f"partition of {partition.name}")


def own_keys(catalog: Catalog, table: Table) -> tuple[ForeignKey, ...]:
    """Without those that a partition has of its parent: they have no triggers on the tables they point at."""
    parent = catalog.table(table.partition_of) if table.partition_of is not None else None
    return tuple(one for one in table.foreign_keys if parent is None or not parent.keys_like(one))
