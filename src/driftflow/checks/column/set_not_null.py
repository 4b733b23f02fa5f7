"""DF104: SET NOT NULL reads the whole table under ACCESS EXCLUSIVE."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.checks.remedies import prove_not_null
from driftflow.checks.sizes import others, severity_of_block, waiting
from driftflow.dialects.situation import Situation
from driftflow.model.catalog import NotNull
from driftflow.model.finding import Finding
from driftflow.model.operations import AddConstraint, SetNotNull


@check(
    "DF104",
    on=(SetNotNull, AddConstraint),
    page="column/set-not-null",
    title="SET NOT NULL reads the table under the strongest lock",
    dialects=("postgresql",),
    only=("works",),
)
def set_not_null_scans(operation: SetNotNull | AddConstraint, at: Situation) -> Iterator[Finding]:
    """A validated CHECK (column IS NOT NULL) lets the server skip the scan (12 and later): then the prediction holds no work, and this is silent."""
    column = operation.column if isinstance(operation, SetNotNull) else _column(operation)
    severity, claim = severity_of_block(at, operation.table), at.effects.lock_on(operation.table)
    if not column or not at.effects.scans or severity is None or claim is None:
        return
    yield finding(
        at,
        f"SET NOT NULL of {operation.table.name}.{column} reads the whole table under {claim.mode}",
        axis="blocks",
        severity=severity,
        why=f"{waiting(at, claim, 'read')}{others(at, operation.table)}",
        remedy=prove_not_null(at, operation.table, column),
        near=column,
    )


def _column(operation: AddConstraint) -> str:
    item = operation.constraint
    return item.column if isinstance(item, NotNull) and item.validated else ""
