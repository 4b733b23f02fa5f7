"""DF201: a CHECK without NOT VALID reads the whole table under ACCESS EXCLUSIVE."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.checks.remedies import validate_later
from driftflow.checks.sizes import severity_of_block, waiting
from driftflow.dialects.situation import Situation
from driftflow.model.catalog import Check
from driftflow.model.finding import Finding
from driftflow.model.operations import AddConstraint


@check(
    "DF201",
    on=AddConstraint,
    page="constraint/check-validated-at-once",
    title="A check reads the table under the strongest lock",
    dialects=("postgresql",),
    only=("adds_check",),
)
def check_validated_at_once(operation: AddConstraint, at: Situation) -> Iterator[Finding]:
    item = operation.constraint
    severity, claim = severity_of_block(at, operation.table), at.effects.lock_on(operation.table)
    if not isinstance(item, Check) or not item.validated or not item.enforced or severity is None or claim is None:
        return
    yield finding(
        at,
        f"the check {item.name} reads the whole of {operation.table.name} under {claim.mode}",
        axis="blocks",
        severity=severity,
        why=waiting(at, claim, "checked"),
        remedy=validate_later(at, operation.table, item),
        near=item.name,
    )
