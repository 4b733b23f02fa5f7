"""DF505: a change of a sequence makes nextval() of every writer wait until the transaction commits."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy
from driftflow.model.names import Name
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
        if claim.mode == "SHARE ROW EXCLUSIVE" and _in_use(claim.relation, operation, at)
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


def _in_use(relation: Name, operation: AlterSequence | AlterIdentity, at: Situation) -> bool:
    """A sequence from before this release. In a catalog made from files alone that is one which the statement names and nobody has made."""
    if relation.text not in at.catalog.sequences:
        return not at.catalog.complete and isinstance(operation, AlterSequence) and relation == operation.name
    return at.start is None or relation.text in at.start.sequences
