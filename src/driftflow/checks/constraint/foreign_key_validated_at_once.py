"""DF202: a foreign key without NOT VALID looks up every row while both tables are closed to writers."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.checks.remedies import validate_later
from driftflow.checks.sizes import duration, is_new, severity_of_block, size
from driftflow.dialects.situation import Situation
from driftflow.model.catalog import ForeignKey
from driftflow.model.finding import Finding
from driftflow.model.operations import AddConstraint


@check(
    "DF202",
    on=AddConstraint,
    page="constraint/foreign-key-validated-at-once",
    title="A foreign key stops the writers of both tables",
    dialects=("postgresql",),
    only=("adds_foreign_key",),
)
def foreign_key_validated_at_once(operation: AddConstraint, at: Situation) -> Iterator[Finding]:
    item = operation.constraint
    if not isinstance(item, ForeignKey) or not item.validated or not item.enforced or is_new(at, operation.table):
        return
    severity = severity_of_block(at, operation.table)
    if severity is None:
        return
    yield finding(
        at,
        f"the foreign key {item.name} stops writers of {operation.table.name} and of {item.referenced.name} while it is checked",
        axis="blocks",
        severity=severity,
        why=(
            f"SHARE ROW EXCLUSIVE is held on both tables while {size(at, operation.table)} are looked up "
            f"in {size(at, item.referenced)}{duration(at.effects.duration)}"
        ),
        remedy=validate_later(at, operation.table, item),
        near=item.name,
    )
