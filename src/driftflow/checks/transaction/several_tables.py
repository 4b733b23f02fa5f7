"""DF707: one transaction takes strong locks on several tables: waiting for the second holds the first, and orders can cross."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from driftflow.checks.base import check, finding
from driftflow.checks.sizes import closes
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy
from driftflow.model.names import Name
from driftflow.model.operations import BaseOperation


@check(
    "DF707",
    on=BaseOperation,
    page="transaction/several-tables",
    title="Strong locks on several tables in one transaction",
    dialects=("postgresql",),
    only=("in_transaction", "not_first_of_transaction", "first_clause", "stops_readers"),
)
def several_tables_locked(operation: BaseOperation, at: Situation) -> Iterator[Finding]:
    """Said once, at the statement that locks the second table. Partitions and foreign key partners of one statement are not counted twice."""
    strong = _strong(at)
    if not strong:
        return
    before = list(islice((claim.relation for _, claim in at.block.closed_before(at.position, closes) if not claim.why), 2))
    now = [name for name in strong if name not in before]
    if len(before) != 1 or not now:
        return
    (first,) = before
    yield finding(
        at,
        f"{first.name} stays locked while this statement waits for {now[0].name}",
        axis="blocks",
        severity="warning",
        why="queries of the first table queue up during the wait; and an application that locks the two in the other order deadlocks with it",
        remedy=Remedy(
            summary="one table per migration; if they must change together, lock them up front in the application's order under a lock timeout"
        ),
    )


def _strong(at: Situation) -> list[Name]:
    """The tables that this statement closes to readers."""
    return list(dict.fromkeys(claim.relation for claim in at.effects.locks if not claim.why and closes(at, claim)))
