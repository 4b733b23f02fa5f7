"""DF107: the table stays as it is, and the indexes on the column are built anew under ACCESS EXCLUSIVE."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.checks.remedies import shadow_column
from driftflow.checks.sizes import severity_of_block, waiting
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding
from driftflow.model.operations import AlterColumnType


@check(
    "DF107",
    on=AlterColumnType,
    page="column/type-change-rebuilds-indexes",
    title="A type or collation change rebuilds indexes under the lock",
    dialects=("postgresql",),
)
def type_change_rebuilds_indexes(operation: AlterColumnType, at: Situation) -> Iterator[Finding]:
    """Timestamp to timestamptz in UTC, and a new collation: "no rewrite" is true of the table alone (12 to 18)."""
    severity, claim = severity_of_block(at, operation.table), at.effects.lock_on(operation.table)
    rebuilt = [name.name for name in at.effects.rewrites if name != operation.table]
    if operation.table in at.effects.rewrites or not rebuilt or severity is None or claim is None:
        return
    yield finding(
        at,
        f"changing {operation.table.name}.{operation.column} builds {', '.join(rebuilt)} anew under {claim.mode}",
        axis="blocks",
        severity=severity,
        why=waiting(at, claim, "read for the indexes"),
        remedy=shadow_column(at, operation.table, operation.column, operation.type),
        near=operation.column,
    )
