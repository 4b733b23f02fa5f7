"""DF407: ATTACH PARTITION reads the new partition, or the default one, under ACCESS EXCLUSIVE."""

from __future__ import annotations

import re
from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.checks.sizes import is_old, severity_of_block, size
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy
from driftflow.model.names import Name
from driftflow.model.operations import AttachPartition, CreateTable
from driftflow.patterns import lazy_regex

_RANGE = lazy_regex(r"FOR VALUES FROM \((?P<low>[^,()]+)\) TO \((?P<high>[^,()]+)\)", re.IGNORECASE)


@check(
    "DF407",
    on=(AttachPartition, CreateTable),
    page="table/attached",
    title="Attaching a partition reads whole tables",
    dialects=("postgresql",),
)
def attach_reads_tables(operation: AttachPartition | CreateTable, at: Situation) -> Iterator[Finding]:
    """A validated CHECK that implies the bound (and one on the default that excludes it) lets the server skip the scans."""
    if isinstance(operation, CreateTable) and operation.table.partition_of is None:
        return
    own = operation.partition if isinstance(operation, AttachPartition) else operation.table.name
    read = [work.relation for work in at.effects.work if work.kind == "scan" and is_old(at, work.relation, (own,))]
    for relation in dict.fromkeys(read):
        severity = severity_of_block(at, relation)
        if severity is None:
            continue
        what = "the new partition" if relation == own else "the default partition"
        yield finding(
            at,
            f"{what} {relation.name} is read under ACCESS EXCLUSIVE",
            axis="blocks",
            severity=severity,
            why=f"{size(at, relation)} are compared with the bound while {relation.name} is closed to readers and writers",
            remedy=_remedy(at, relation, _inside(operation, at), is_default=relation != own),
            near=own.name,
        )


def _inside(operation: AttachPartition | CreateTable, at: Situation) -> tuple[str, str]:
    """(key column, the bound as an expression): for a range over one column as SQL, otherwise with gaps to fill."""
    parent = at.table(
        operation.table if isinstance(operation, AttachPartition) else operation.table.partition_of or operation.table.name
    )
    bound = operation.bound if isinstance(operation, AttachPartition) else operation.table.partition_bound
    key = parent.partitioning.key if parent is not None and parent.partitioning is not None else ()
    match = _RANGE.fullmatch(" ".join(bound.split()))
    if len(key) != 1 or match is None:
        return "…", "…"
    return key[0], f"{key[0]} >= {match['low']} AND {key[0]} < {match['high']}"


def _remedy(at: Situation, relation: Name, inside: tuple[str, str], *, is_default: bool) -> Remedy:
    quoted = at.dialect.quote_name(relation)
    column, bound = inside
    expression = f"NOT ({bound})" if is_default else f"{column} IS NOT NULL AND {bound}"
    return Remedy(
        summary="prove the bound by a check that is validated beforehand, beside the traffic; build missing indexes concurrently",
        sql=(
            f"ALTER TABLE {quoted} ADD CONSTRAINT {at.dialect.quote(relation.name + '_bound')} CHECK ({expression}) NOT VALID;\n"
            f"-- a transaction of its own:\nALTER TABLE {quoted} VALIDATE CONSTRAINT {at.dialect.quote(relation.name + '_bound')};"
        ),
    )
