"""DF208: a UNIQUE or PRIMARY KEY constraint builds its index under ACCESS EXCLUSIVE."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.checks.remedies import add_unique
from driftflow.checks.sizes import severity_of_block, waiting
from driftflow.dialects.situation import Situation
from driftflow.model.catalog import PrimaryKey, Unique
from driftflow.model.finding import Finding
from driftflow.model.operations import AddConstraint


@check(
    "DF208",
    on=AddConstraint,
    page="constraint/unique-builds-index",
    title="A unique constraint builds its index under the lock",
    dialects=("postgresql",),
    only=("adds_key",),
)
def unique_builds_index(operation: AddConstraint, at: Situation) -> Iterator[Finding]:
    item = operation.constraint
    severity, claim = severity_of_block(at, operation.table), at.effects.lock_on(operation.table)
    if not isinstance(item, Unique | PrimaryKey) or item.using_index or severity is None or claim is None:
        return
    kind = "primary key" if isinstance(item, PrimaryKey) else "unique constraint"
    yield finding(
        at,
        f"the index of the {kind} {item.name} is built while {operation.table.name} is locked",
        axis="blocks",
        severity=severity,
        why=waiting(at, claim, "read for the index"),
        remedy=add_unique(at, operation.table, item),
        near=item.name,
    )
