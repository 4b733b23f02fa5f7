"""Partitions attached, detached and created; and table inheritance."""

from __future__ import annotations

import re

from driftflow.dialects.postgresql.effects import probes
from driftflow.dialects.postgresql.effects.bounds import inside, meets, strategy_of
from driftflow.dialects.postgresql.effects.locks import (
    ACCESS_EXCLUSIVE,
    ACCESS_SHARE,
    SHARE,
    SHARE_ROW_EXCLUSIVE,
    SHARE_UPDATE_EXCLUSIVE,
)
from driftflow.dialects.postgresql.effects.partition_keys import keys_are_made, keys_come, keys_part
from driftflow.dialects.postgresql.effects.prediction import Prediction
from driftflow.dialects.postgresql.effects.relations import (
    child_index,
    default_partition,
    descendants,
    existing,
    index_names,
    with_storage,
)
from driftflow.dialects.proof import conjuncts, proves_not_null, strip_parentheses
from driftflow.model.catalog import Check, Index, Table
from driftflow.model.operations import AttachPartition, DetachPartition, SetInherit
from driftflow.model.record import LocalValue
from driftflow.patterns import lazy_regex

_RANGE = lazy_regex(r"FOR VALUES FROM \((?P<low>[^,()]+)\) TO \((?P<high>[^,()]+)\)", re.IGNORECASE)


_HASH = lazy_regex(r"FOR VALUES WITH \(modulus (?P<modulus>\d+), remainder (?P<remainder>\d+)\)", re.IGNORECASE)


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
    _refuse_bound(p, parent, operation.bound)
    parts = descendants(p.catalog, child.name)
    for part in parts:
        p.lock(part.name, ACCESS_EXCLUSIVE, why=f"partition of {child.name.name}")
    _build_missing(p, parent, child)
    if any(p.catalog.referencing(parent.name)):
        p.lock(child.name, SHARE_ROW_EXCLUSIVE, why=f"foreign keys to {parent.name.name} point at it too")
    for part in (child, *parts) if any(one.per_row for one in parent.triggers) else ():
        p.lock(part.name, SHARE_ROW_EXCLUSIVE, why=f"row triggers of {parent.name.name} fire for it too")
    keys_come(p, parent, child, parts)
    if not proves_bound(child, parent, operation.bound):
        for part in with_storage((child, *parts)):
            p.does("scan", part.name, "every row is compared with the bound")
        within = inside(parent, operation.bound)
        p.fails(
            "check_violations",
            f"{child.name.name} holds rows outside {operation.bound}",
            relation=child.name,
            probe=probes.matching(child.name, f"({within}) IS NOT TRUE") if within else "",
        )
    _check_default(p, parent, child, operation.bound)


def _refuse_bound(p: Prediction, parent: Table, bound: str) -> None:
    if parent.partitioning is None:
        p.fails("unsupported", f'table "{parent.name.text}" is not partitioned', relation=parent.name, certain=True)
        return
    said = strategy_of(bound)
    if said and said != parent.partitioning.strategy:
        why = f"the bound is one of {said}, and {parent.name.text} is divided by {parent.partitioning.strategy}"
        p.fails("unsupported", why, relation=parent.name, certain=True)
    for part in p.catalog.partitions(parent.name):
        if meets(parent, bound, part.partition_bound):
            p.fails("exists", f"rows of the new partition would be those of {part.name.name}", relation=parent.name, certain=True)
    wanted = _HASH.fullmatch(bound.strip())
    for part in p.catalog.partitions(parent.name) if wanted is not None else ():
        known = _HASH.fullmatch(part.partition_bound.strip())
        if wanted is None or known is None:
            continue
        (few, small), (many, large) = sorted((int(one["modulus"]), int(one["remainder"])) for one in (wanted, known))
        if many % few:
            p.fails(
                "unsupported", f"of the moduli {few} and {many} neither divides the other", relation=parent.name, certain=True
            )
        elif large % few == small:
            p.fails(
                "exists", f"the rows of the new partition would be those of {part.name.name}", relation=parent.name, certain=True
            )


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
        within = inside(parent, bound)
        p.fails(
            "check_violations",
            f"{default.name.name} holds rows that belong to {child.name.name}",
            relation=default.name,
            probe=probes.matching(default.name, within) if within else "",
        )


def create_partition(p: Prediction, table: Table) -> None:
    """CREATE TABLE … PARTITION OF: ACCESS EXCLUSIVE on the parent, unlike ATTACH, and on the default partition, which is read."""
    assert table.partition_of is not None
    parent = existing(p, table.partition_of)
    p.lock(table.partition_of, ACCESS_EXCLUSIVE, why=f"{table.name.name} becomes a partition of it")
    if parent is None:
        return
    _refuse_bound(p, parent, table.partition_bound)
    for index in parent.indexes:
        p.lock(index.name, SHARE_UPDATE_EXCLUSIVE, why=f"index of {parent.name.name}")
        name = child_index(table, index)
        p.created.add(name)
        p.lock(table.name, SHARE)
        p.lock(name, ACCESS_EXCLUSIVE)
        p.does("scan", table.name, "empty")
    keys_are_made(p, parent, table)
    _check_default(p, parent, table, table.partition_bound)


def detach_partition(p: Prediction, operation: DetachPartition) -> None:
    """ACCESS EXCLUSIVE on the parent and its default; CONCURRENTLY (14) and FINALIZE only SHARE UPDATE EXCLUSIVE on the parent."""
    parent = existing(p, operation.table)
    existing(p, operation.partition)
    default = default_partition(p.catalog, operation.table) if parent is not None else None
    if parent is not None:
        keys_part(p, parent, operation.partition)
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
    for holder, key in p.catalog.referencing(operation.table) if part is not None else ():
        p.lock(holder.name, SHARE, why=f"{key.name} may point at rows of the partition")
        p.does("scan", holder.name, "looks for rows that point at the partition")
        p.lock(operation.partition, ACCESS_EXCLUSIVE, ACCESS_SHARE)
        p.lock_all(index_names(part) if part is not None else (), ACCESS_SHARE)
        p.fails("dependency", f"rows of {holder.name.name} may point at the partition ({key.name})", relation=holder.name)
    p.lock_all(index_names(part) if part is not None else (), ACCESS_EXCLUSIVE, why="no longer part of the parent's index")
    if default is not None and default.name != operation.partition:
        p.lock(default.name, ACCESS_EXCLUSIVE, why="the default partition's constraint changes")
    p.breaks(f"queries on {operation.table.name} no longer see the rows of {operation.partition.name}", operation.table)


def _is_like(p: Prediction, child: Table, parent: Table) -> None:
    """A child has every column of its parent, of the same type and as NOT NULL, and every check."""
    for column in parent.columns:
        own = child.column(column.name)
        if own is None:
            p.fails("missing", f'"{child.name.text}" has no column "{column.name}"', relation=child.name, certain=True)
        elif own.type != column.type:
            p.fails(
                "unsupported",
                f"{column.name} is {own.type} in {child.name.name} and {column.type} in {parent.name.name}",
                relation=child.name,
                certain=True,
            )
        elif own.nullable and not column.nullable:
            p.fails(
                "unsupported",
                f"{column.name} is NOT NULL in {parent.name.name} and not in {child.name.name}",
                relation=child.name,
                certain=True,
            )
    for check in parent.constraints:
        if isinstance(check, Check) and not check.no_inherit and child.constraint(check.name) is None:
            p.fails(
                "missing",
                f"{child.name.name} has no check {check.name}, which {parent.name.name} has",
                relation=child.name,
                certain=True,
            )


def may_be_parent(p: Prediction, table: Table | None) -> None:
    """Nothing inherits from a partitioned table or from a partition."""
    if table is not None and (table.partitioning is not None or table.partition_of is not None):
        p.fails(
            "unsupported",
            f'"{table.name.text}" is partitioned or a partition: nothing inherits from it',
            relation=table.name,
            certain=True,
        )


def set_inherit(p: Prediction, operation: SetInherit) -> None:
    """Instant; queries on the parent see more, or fewer, rows."""
    child, parent = existing(p, operation.table), existing(p, operation.parent)
    if child is not None and (child.partitioning is not None or child.partition_of is not None):
        p.fails(
            "unsupported",
            f'the inheritance of "{child.name.text}", partitioned or a partition, cannot be changed',
            relation=child.name,
            certain=True,
        )
    if operation.inherit:
        may_be_parent(p, parent)
    if operation.inherit and child is not None and parent is not None:
        if parent.name in {child.name, *(one.name for one in descendants(p.catalog, child.name))}:
            p.fails("unsupported", "a table cannot inherit from itself", relation=child.name, certain=True)
        _is_like(p, child, parent)
    p.lock(operation.table, ACCESS_EXCLUSIVE)
    p.lock(operation.parent, SHARE_UPDATE_EXCLUSIVE if operation.inherit else ACCESS_SHARE)
    p.breaks(f"queries on {operation.parent.name} see other rows", operation.parent)


def proves_bound(child: Table, parent: Table, bound: str) -> bool:
    """Whether validated checks of the child imply a one-column range bound. Anything more involved counts as not proved."""
    wanted = _range(parent, bound)
    if wanted is None or not proves_not_null(child, wanted.column):
        return False
    known = [one for check in _checks(child) for one in _comparisons(check)]
    return any(_at_least(one, wanted.column, wanted.low) for one in known) and any(
        _below(one, wanted.column, wanted.high) for one in known
    )


def excludes_bound(default: Table, parent: Table, bound: str) -> bool:
    """Whether a validated check of the default partition says that no row is inside the bound."""
    wanted = _range(parent, bound)
    if wanted is None:
        return False
    column, low, high = wanted.column, wanted.low, wanted.high
    negated = {
        _plain(f"not {column} >= {low} and {column} < {high}"),
        _plain(f"{column} < {low} or {column} >= {high}"),
    }
    if any(_plain(check) in negated for check in _checks(default)):
        return True
    known = [one for check in _checks(default) for one in _comparisons(check)]
    return any(_below(one, column, low) or _at_least(one, column, high) for one in known)


class _Range(LocalValue, frozen=True):
    column: str
    low: str
    high: str


def _range(parent: Table, bound: str) -> _Range | None:
    match = _RANGE.fullmatch(" ".join(bound.split()))
    if match is None or parent.partitioning is None or len(parent.partitioning.key) != 1:
        return None
    return _Range(parent.partitioning.key[0], match["low"].strip(), match["high"].strip())


def _checks(table: Table) -> list[str]:
    return [item.expression for item in table.constraints if isinstance(item, Check) and item.validated and item.enforced]


_COMPARISON = lazy_regex(r"(?P<column>[a-z_][\w$]*)(?P<sign><=|>=|<|>)(?P<value>-?[\w.:-]+)")


def _comparisons(check: str) -> list[tuple[str, str, str]]:
    """(column, sign, value) of each part of the check that compares a column with a constant; the parts are joined by AND."""
    found = [_COMPARISON.fullmatch(_plain(part)) for part in conjuncts(check)]
    return [(one["column"], one["sign"], one["value"]) for one in found if one is not None]


def _at_least(fact: tuple[str, str, str], column: str, low: str) -> bool:
    name, sign, value = fact
    return name == _plain(column) and sign in (">", ">=") and _ordered(_plain(low), value)


def _below(fact: tuple[str, str, str], column: str, high: str) -> bool:
    """`id < x` is below the bound up to it; `id <= x` only before it."""
    name, sign, value = fact
    if name != _plain(column) or sign not in ("<", "<="):
        return False
    return _ordered(value, _plain(high)) and (sign == "<" or value != _plain(high))


def _ordered(first: str, second: str) -> bool:
    """Equal, or both whole numbers in order. Other constants are only compared as they are written."""
    if first == second:
        return True
    try:
        return int(first) <= int(second)
    except ValueError:
        return False


def _plain(expression: str) -> str:
    """For comparison only: no parentheses, no white space, no quotes around literals, no casts."""
    text = re.sub(r"::[a-z ]+(\(\d+\))?", "", strip_parentheses(expression).lower())
    return re.sub(r"[()\s'\"]", "", text)
