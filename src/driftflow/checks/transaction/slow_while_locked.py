"""DF701: long work runs in a transaction that already holds a strong lock: the lock lasts as long as the work."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.checks.sizes import closes, is_old, severity_of_block, size, tables_named
from driftflow.dialects.situation import Situation
from driftflow.model.effects import LockClaim
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import AddConstraint, BaseOperation


@check(
    "DF701",
    on=BaseOperation,
    page="transaction/slow-while-locked",
    title="Slow work while a strong lock is held",
    dialects=("postgresql",),
    only=("in_transaction", "not_first_of_transaction", "works"),
)
def slow_while_locked(operation: BaseOperation, at: Situation) -> Iterator[Finding]:
    """Locks are held to the commit. VALIDATE of a constraint from the same transaction has a rule of its own (DF203)."""
    held = _held(at)
    if held is None:
        return
    named = tables_named(at.operation)
    worked = [work.relation for work in at.effects.work if is_old(at, work.relation, named)]
    severity = max((severity_of_block(at, name) or "" for name in worked), key=("", "info", "warning", "error").index, default="")
    if not worked or severity in ("", "info") or _own_rule(operation, at):
        return
    claim, number = held
    own = at.effects.lock_on(claim.relation)
    if own is not None and "reads" in own.blocks and own.held != "instant":
        return  # it would close the table by itself: its own rule says so
    yield finding(
        at,
        f"{claim.relation.name} stays closed to readers and writers while this statement works on {worked[0].name}",
        axis="blocks",
        severity="error",
        why=(
            f"statement {number} of this transaction took {claim.mode}, and a lock is held to the commit: "
            f"it now lasts as long as the work on {size(at, worked[0])} of {worked[0].name}"
        ),
        remedy=Remedy(summary="put each statement into a migration of its own: lock, commit, then work"),
    )


def _held(at: Situation) -> tuple[LockClaim, int] | None:
    """The first lock of an earlier statement that keeps readers out of an existing table."""
    return next(((claim, one.position + 1) for one, claim in at.block.closed_before(at.position, closes)), None)


def _own_rule(operation: BaseOperation, at: Situation) -> bool:
    name = getattr(operation, "name", "")
    return type(operation).__name__ == "ValidateConstraint" and any(
        one.constraint.name == name for one in at.earlier_of(AddConstraint)
    )
