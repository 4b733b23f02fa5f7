"""DF661: readers go on and writers wait while the table is copied, or an index is built that cannot be built beside them."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.checks.sizes import severity_of_block, size
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import BaseOperation

_DOING = {"copy": "copied", "rewrite": "written anew", "index_build": "sorted into the index"}


@check(
    "DF661",
    on=BaseOperation,
    page="mysql/copies-table",
    title="An ALTER keeps every writer of the table waiting",
    dialects=("mysql", "mariadb"),
)
def copies_table(operation: BaseOperation, at: Situation) -> Iterator[Finding]:
    """ALGORITHM=COPY, or INPLACE with LOCK=SHARED: readers go on, writers wait for as long as it takes."""
    for claim in at.effects.locks:
        doing = _DOING.get(claim.held)
        severity = severity_of_block(at, claim.relation)
        if doing is None or "writes" not in claim.blocks or severity is None:
            continue
        yield finding(
            at,
            f"writers of {claim.relation.name} wait while {size(at, claim.relation)} are {doing}",
            axis="blocks",
            severity=severity,
            why=claim.why or "the server knows no way to do it beside writers",
            remedy=Remedy(
                summary="driftflow plan changes a copy beside the table and swaps it in (rebuild_online), or says why not; or wait for a quiet hour; "
                "name the algorithm, so that the server refuses what you did not expect",
                sql="ALTER TABLE … , ALGORITHM=INPLACE, LOCK=NONE;  -- an error instead of a write outage",
            ),
        )
