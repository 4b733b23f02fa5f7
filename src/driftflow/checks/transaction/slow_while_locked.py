"""DF701: long work runs in a transaction that already holds a strong lock: the lock lasts as long as the work."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.checks.sizes import is_new, severity_of_block, size
from driftflow.dialects.situation import Situation
from driftflow.model.effects import LockClaim
from driftflow.model.finding import Finding, Remedy
from driftflow.model.names import Name
from driftflow.model.operations import BaseOperation


@check(
    "DF701",
    on=BaseOperation,
    page="transaction/slow-while-locked",
    title="Slow work while a strong lock is held",
    dialects=("postgresql",),
)
def slow_while_locked(operation: BaseOperation, at: Situation) -> Iterator[Finding]:
    """Locks are held to the commit. VALIDATE of a constraint from the same transaction has a rule of its own (DF203)."""
    if not at.in_transaction or not at.effects.work:
        return
    worked = [work.relation for work in at.effects.work if (table := at.table(work.relation)) is not None and not table.new]
    severity = max((severity_of_block(at, name) or "" for name in worked), key=("", "info", "warning", "error").index, default="")
    held = _held(at)
    if not worked or severity in ("", "info") or held is None or _own_rule(operation, at):
        return
    claim, number = held
    yield finding(
        at,
        f"{claim.mode} on {claim.relation.name} is held while {worked[0].name} is worked on",
        axis="blocks",
        severity="error",
        why=(
            f"an earlier statement of this transaction (number {number} in it) took the lock, and a lock is held to the commit: "
            f"it now lasts as long as the work on {size(at, worked[0])} of {worked[0].name}"
        ),
        remedy=Remedy(summary="put each statement into a migration of its own: lock, commit, then work"),
    )


def _held(at: Situation) -> tuple[LockClaim, int] | None:
    """The first lock of an earlier statement that keeps readers out of an existing table."""
    for number, effects in enumerate(at.earlier_effects, start=1):
        for claim in effects.locks:
            if "reads" in claim.blocks and _matters(at, claim.relation):
                return claim, number
    return None


def _matters(at: Situation, relation: Name) -> bool:
    table = at.table(relation)
    return table is not None and not is_new(at, relation) and not at.is_small(relation)


def _own_rule(operation: BaseOperation, at: Situation) -> bool:
    name = getattr(operation, "name", "")
    return type(operation).__name__ == "ValidateConstraint" and any(
        type(one).__name__ == "AddConstraint" and getattr(getattr(one, "constraint", None), "name", None) == name
        for one in at.earlier
    )
