"""DF106: the new type makes PostgreSQL write the table and all its indexes anew under ACCESS EXCLUSIVE."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.checks.remedies import shadow_column
from driftflow.checks.sizes import others, severity_of_block, waiting
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding
from driftflow.model.operations import AlterColumnType


@check(
    "DF106", on=AlterColumnType, page="column/type-changed", title="A type change rewrites the table", dialects=("postgresql",)
)
def type_change_rewrites(operation: AlterColumnType, at: Situation) -> Iterator[Finding]:
    """Growing a varchar or a numeric, varchar to text, and some more only change the catalog: silent there."""
    severity, claim = severity_of_block(at, operation.table), at.effects.lock_on(operation.table)
    if operation.table not in at.effects.rewrites or severity is None or claim is None:
        return
    yield finding(
        at,
        f"changing {operation.table.name}.{operation.column} to {operation.type} writes the table and its indexes anew",
        axis="blocks",
        severity=severity,
        why=f"{waiting(at, claim, 'rewritten')}{others(at, operation.table)}",
        remedy=shadow_column(at, operation.table, operation.column, operation.type),
        near=operation.column,
    )
