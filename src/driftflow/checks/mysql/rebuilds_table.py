"""DF662: the table is rebuilt beside its writers; disk, time and replicas pay for it."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.checks.sizes import severity_of_block, size
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import BaseOperation


@check(
    "DF662",
    on=BaseOperation,
    page="mysql/rebuilds-table",
    title="An ALTER writes the whole table anew",
    dialects=("mysql", "mariadb"),
)
def rebuilds_table(operation: BaseOperation, at: Situation) -> Iterator[Finding]:
    """In place and beside writers: what it costs is disk, time, and the lag of every replica."""
    for claim in at.effects.locks:
        severity = severity_of_block(at, claim.relation)
        if claim.held not in {"rewrite", "copy"} or "writes" in claim.blocks or severity is None:
            continue
        yield finding(
            at,
            f"{claim.relation.name} is written anew: {size(at, claim.relation)}",
            axis="blocks",
            severity="warning" if severity == "error" else "info",
            why=f"{claim.why or 'no algorithm does less'}; it needs the table's size in disk, its changes meanwhile must fit "
            "innodb_online_alter_log_max_size, and every replica lags for as long as it takes",
            remedy=Remedy(
                summary="run it in a quiet hour and look at disk and replicas first; where a replica may not lag, change a shadow table in the "
                "background"
            ),
        )
