"""DF505: a change of a sequence makes nextval() of every writer wait until the transaction commits."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import AlterIdentity, AlterSequence


@check(
    "DF505",
    on=(AlterSequence, AlterIdentity),
    page="type/sequence-stops-inserts",
    title="ALTER SEQUENCE stops every INSERT until the commit",
    dialects=("postgresql",),
)
def sequence_stops_inserts(operation: AlterSequence | AlterIdentity, at: Situation) -> Iterator[Finding]:
    """Harmless alone; long only in a transaction with more in it. Silent for sequences that this release makes."""
    sequences = [
        claim.relation
        for claim in at.effects.locks
        if claim.relation.text in at.catalog.sequences
        and claim.mode == "SHARE ROW EXCLUSIVE"
        and (at.start is None or not at.start.complete or claim.relation.text in at.start.sequences)
    ]
    if not sequences:
        return
    more = at.in_transaction and any(one.effects.work for one in at.before)
    yield finding(
        at,
        f"INSERTs that take a number from {sequences[0].name} wait until this transaction commits",
        axis="blocks",
        severity="error" if more else "info",
        why="the change of a sequence is transactional: nextval() waits for it"
        + ("; this transaction has long work in it" if more else ""),
        remedy=Remedy(summary="give the statement a short transaction of its own"),
        near=sequences[0].name,
    )
