"""Partitions attached, detached and created; and table inheritance."""

from __future__ import annotations

import re

from driftflow.dialects.postgresql.effects.locks import ACCESS_EXCLUSIVE, SHARE, SHARE_UPDATE_EXCLUSIVE
from driftflow.dialects.postgresql.effects.prediction import Prediction
from driftflow.dialects.postgresql.effects.relations import child_index, default_partition, existing, index_names
from driftflow.dialects.proof import conjuncts, proves_not_null, strip_parentheses
from driftflow.model.catalog import Check, Index, Table
from driftflow.model.operations import AttachPartition, DetachPartition, SetInherit

_RANGE = re.compile(r"FOR VALUES FROM \((?P<low>[^,()]+)\) TO \((?P<high>[^,()]+)\)", re.IGNORECASE)


def attach_partition(p: Prediction, operation: AttachPartition) -> None:
    """The parent stays readable and writable. The new partition is read unless a validated check proves its bound; so is the default partition."""
    parent = existing(p, operation.table)
    child = existing(p, operation.partition)
    p.lock(operation.table, SHARE_UPDATE_EXCLUSIVE)
    p.lock(operation.partition, ACCESS_EXCLUSIVE)
    if parent is not None and parent.partitioning is None:
        p.fails("unsupported", f'table "{parent.name.text}" is not partitioned', relation=parent.name, certain=True)
        return
    if parent is None or child is None:
        p.does("scan", operation.partition, "every row is compared with the bound")
        return
    _build_missing(p, parent, child)
    if not proves_bound(child, parent, operation.bound):
        p.does("scan", child.name, "every row is compared with the bound")
        p.fails("check_violations", f"{child.name.name} holds rows outside {operation.bound}", relation=child.name)
    _check_default(p, parent, child, operation.bound)


def _build_missing(p: Prediction, parent: Table, child: Table) -> None:
    """Indexes of the parent that the child has no match for are built under the lock."""
    for index in parent.indexes:
        p.lock(index.name, SHARE_UPDATE_EXCLUSIVE, why=f"index of {parent.name.name}")
        if any(_matches(own, index) for own in child.indexes):
            continue
        name = child_index(child, index)
        p.created.add(name)
        p.lock(child.name, SHARE)
        p.lock(name, ACCESS_EXCLUSIVE, why=f"built to match {index.name.name}")
        p.does("scan", child.name, f"{index.name.name} has no match yet")
        p.does("index_build", child.name, name.name)


def _matches(own: Index, wanted: Index) -> bool:
    same = (own.parts, own.unique, own.predicate, own.method or "btree", own.include)
    return (
        own.valid
        and same == (wanted.parts, wanted.unique, wanted.predicate, wanted.method or "btree", wanted.include)
        and bool(own.constraint) >= bool(wanted.constraint)
    )


def _check_default(p: Prediction, parent: Table, child: Table, bound: str) -> None:
    default = default_partition(p.catalog, parent.name)
    if default is None or default.name == child.name:
        return
    p.lock(default.name, ACCESS_EXCLUSIVE, why="rows of the default partition may belong to the new one")
    if not excludes_bound(default, parent, bound):
        p.does("scan", default.name, "looks for rows that belong to the new partition")
        p.fails("check_violations", f"{default.name.name} holds rows that belong to {child.name.name}", relation=default.name)


def create_partition(p: Prediction, table: Table) -> None:
    """CREATE TABLE … PARTITION OF: ACCESS EXCLUSIVE on the parent, unlike ATTACH, and on the default partition, which is read."""
    assert table.partition_of is not None
    parent = existing(p, table.partition_of)
    p.lock(table.partition_of, ACCESS_EXCLUSIVE, why=f"{table.name.name} becomes a partition of it")
    if parent is None:
        return
    for index in parent.indexes:
        p.lock(index.name, SHARE_UPDATE_EXCLUSIVE, why=f"index of {parent.name.name}")
        name = child_index(table, index)
        p.created.add(name)
        p.lock(table.name, SHARE)
        p.lock(name, ACCESS_EXCLUSIVE)
        p.does("scan", table.name, "empty")
    _check_default(p, parent, table, table.partition_bound)


def detach_partition(p: Prediction, operation: DetachPartition) -> None:
    """ACCESS EXCLUSIVE on the parent and its default; CONCURRENTLY (14) and FINALIZE only SHARE UPDATE EXCLUSIVE on the parent."""
    parent = existing(p, operation.table)
    existing(p, operation.partition)
    default = default_partition(p.catalog, operation.table) if parent is not None else None
    if operation.concurrently or operation.finalize:
        p.needs_version(14, "DETACH PARTITION … CONCURRENTLY")
        p.transactional = operation.finalize
        p.lock(operation.table, SHARE_UPDATE_EXCLUSIVE)
        p.lock(operation.partition, ACCESS_EXCLUSIVE)
        if default is not None and not operation.finalize:
            p.fails(
                "unsupported",
                "a partition cannot be detached concurrently while a default partition exists",
                relation=operation.table,
                certain=True,
            )
        return
    p.lock(operation.table, ACCESS_EXCLUSIVE)
    p.lock(operation.partition, ACCESS_EXCLUSIVE if p.at_least(14) else SHARE_UPDATE_EXCLUSIVE)
    part = p.catalog.table(operation.partition)
    p.lock_all(index_names(part) if part is not None else (), ACCESS_EXCLUSIVE, why="no longer part of the parent's index")
    if default is not None and default.name != operation.partition:
        p.lock(default.name, ACCESS_EXCLUSIVE, why="the default partition's constraint changes")
    p.breaks(f"queries on {operation.table.name} no longer see the rows of {operation.partition.name}", operation.table)


def set_inherit(p: Prediction, operation: SetInherit) -> None:
    """Instant; queries on the parent see more, or fewer, rows."""
    child, parent = existing(p, operation.table), existing(p, operation.parent)
    for column in parent.columns if operation.inherit and child is not None and parent is not None else ():
        if child is not None and child.column(column.name) is None:
            p.fails("missing", f'"{child.name.text}" has no column "{column.name}"', relation=child.name, certain=True)
    p.lock(operation.table, ACCESS_EXCLUSIVE)
    p.lock(operation.parent, SHARE_UPDATE_EXCLUSIVE)
    p.breaks(f"queries on {operation.parent.name} see other rows", operation.parent)


def proves_bound(child: Table, parent: Table, bound: str) -> bool:
    """Whether validated checks of the child imply a one-column range bound. Anything more involved counts as not proved."""
    match = _RANGE.fullmatch(" ".join(bound.split()))
    if match is None or parent.partitioning is None or len(parent.partitioning.key) != 1:
        return False
    column = parent.partitioning.key[0]
    facts = {
        _plain(part)
        for item in child.constraints
        if isinstance(item, Check) and item.validated
        for part in conjuncts(item.expression)
    }
    return (
        proves_not_null(child, column)
        and _plain(f"{column} >= {match['low']}") in facts
        and _plain(f"{column} < {match['high']}") in facts
    )


def excludes_bound(default: Table, parent: Table, bound: str) -> bool:
    """Whether a validated check of the default partition says that no row is inside the bound."""
    match = _RANGE.fullmatch(" ".join(bound.split()))
    if match is None or parent.partitioning is None or len(parent.partitioning.key) != 1:
        return False
    column, low, high = parent.partitioning.key[0], match["low"], match["high"]
    wanted = {
        _plain(f"not {column} >= {low} and {column} < {high}"),
        _plain(f"{column} < {low} or {column} >= {high}"),
    }
    checks = (item for item in default.constraints if isinstance(item, Check) and item.validated)
    return any(_plain(item.expression) in wanted for item in checks)


def _plain(expression: str) -> str:
    """For comparison only: no parentheses, no white space, no quotes around literals, no casts."""
    text = re.sub(r"::[a-z ]+(\(\d+\))?", "", strip_parentheses(expression).lower())
    return re.sub(r"[()\s'\"]", "", text)
