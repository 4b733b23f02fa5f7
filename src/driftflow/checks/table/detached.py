"""DF408: DETACH PARTITION without CONCURRENTLY closes the parent to readers and writers."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.checks.sizes import is_new, others
from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import DetachPartition


@check("DF408", on=DetachPartition, page="table/detached", title="DETACH closes the parent", dialects=("postgresql",))
def detach_closes_parent(operation: DetachPartition, at: Situation) -> Iterator[Finding]:
    if operation.concurrently or operation.finalize or is_new(at, operation.table):
        return
    online = at.can(Capability.DETACH_CONCURRENTLY)
    statement = f"ALTER TABLE {at.dialect.quote_name(operation.table)} DETACH PARTITION {at.dialect.quote_name(operation.partition)} CONCURRENTLY;"
    yield finding(
        at,
        f"DETACH takes ACCESS EXCLUSIVE on {operation.table.name}",
        axis="blocks",
        severity="warning",
        why=f"every query of {operation.table.name} waits behind it while it waits for the open ones{others(at, operation.table)}",
        remedy=Remedy(
            summary="detach concurrently, outside a transaction (14 and later, without a default partition)", sql=statement
        )
        if online
        else Remedy(summary="run it under a short lock timeout, with retries, off-peak: CONCURRENTLY needs 14"),
        near=operation.partition.name,
    )
