"""DF302: DROP INDEX takes ACCESS EXCLUSIVE on the table: short, but a queue forms behind it while it waits."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.checks.sizes import is_new
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import DropIndex


@check(
    "DF302",
    on=DropIndex,
    page="index/dropped-under-lock",
    title="DROP INDEX takes the strongest lock on the table",
    dialects=("postgresql",),
)
def index_dropped_under_lock(operation: DropIndex, at: Situation) -> Iterator[Finding]:
    claim = next((claim for claim in at.effects.locks if "reads" in claim.blocks), None)
    table = operation.table or (claim.relation if claim is not None else None)
    if operation.concurrently or operation.cascade or at.conflict or table is None or is_new(at, table):
        return
    partitioned = (known := at.table(table)) is not None and known.partitioning is not None
    if any(condition.certain for condition in at.effects.fails_if) or partitioned:
        return
    yield finding(
        at,
        f"DROP INDEX {operation.name.name} takes ACCESS EXCLUSIVE on {table.name}",
        axis="blocks",
        severity="info" if at.is_small(table) else "warning",
        why="the lock is held for an instant, yet it waits for every open query of the table, and all later ones wait behind it",
        remedy=Remedy(
            summary="drop it concurrently, outside a transaction (drop_index_online)",
            sql=f"DROP INDEX CONCURRENTLY {at.dialect.quote_name(operation.name)};",
        ),
        near=operation.name.name,
    )
