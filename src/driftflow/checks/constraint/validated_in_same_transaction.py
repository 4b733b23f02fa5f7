"""DF203: NOT VALID and VALIDATE in one transaction: the strong lock of the first is held through the scan of the second."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.checks.sizes import severity_of_block, size
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import AddConstraint, ValidateConstraint


@check(
    "DF203",
    on=ValidateConstraint,
    page="constraint/validated-in-same-transaction",
    title="NOT VALID and VALIDATE in one transaction gain nothing",
    dialects=("postgresql",),
)
def validated_in_same_transaction(operation: ValidateConstraint, at: Situation) -> Iterator[Finding]:
    """The most common half of the recipe: locks are held to the commit, not to the end of the statement."""
    added = any(one.table == operation.table and one.constraint.name == operation.name for one in at.earlier_of(AddConstraint))
    severity = severity_of_block(at, operation.table)
    if not added or severity is None:
        return
    statement = at.dialect.render(operation)
    yield finding(
        at,
        f"{operation.name} is added and validated in one transaction: the lock of ADD CONSTRAINT is held during the scan",
        axis="blocks",
        severity=severity,
        why=f"{size(at, operation.table)} of {operation.table.name} are read while the lock that ADD CONSTRAINT took is still held",
        remedy=Remedy(
            summary="put VALIDATE CONSTRAINT into a migration of its own", sql=f"{statement};  -- in the next migration"
        ),
        near=operation.name,
    )
