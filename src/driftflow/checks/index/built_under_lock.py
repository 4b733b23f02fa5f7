"""DF301: CREATE INDEX stops all writers of the table for as long as the build takes."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.checks.remedies import build_on_partitions, build_online
from driftflow.checks.sizes import others, severity_of_block, waiting
from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding
from driftflow.model.operations import CreateIndex


@check("DF301", on=CreateIndex, page="index/built-under-lock", title="An index build stops writers", dialects=("postgresql",))
def index_built_under_lock(operation: CreateIndex, at: Situation) -> Iterator[Finding]:
    """Silent for a table of this release and for ON ONLY, which builds nothing. A partitioned parent refuses CONCURRENTLY: it gets another recipe."""
    index = operation.index
    table = at.table(index.table)
    parent = table is not None and table.partitioning is not None
    severity, claim = severity_of_block(at, index.table), at.effects.lock_on(index.table)
    if (
        operation.concurrently
        or (parent and operation.only)
        or severity is None
        or claim is None
        or not at.can(Capability.CONCURRENT_INDEX)
    ):
        return
    if not at.effects.work:
        return
    yield finding(
        at,
        f"writers of {index.table.name} wait until {index.name.name or 'the index'} is built",
        axis="blocks",
        severity=severity,
        why=f"{waiting(at, claim, 'read and sorted')}{others(at, index.table)}",
        remedy=build_on_partitions(at, index) if parent else build_online(at, index),
        near=index.name.name or index.table.name,
    )
