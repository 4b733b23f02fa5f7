"""DF210: an exclusion constraint has no NOT VALID and no USING INDEX: its index is built under ACCESS EXCLUSIVE."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.checks.sizes import severity_of_block, waiting
from driftflow.dialects.situation import Situation
from driftflow.model.catalog import Exclusion
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import AddConstraint


@check(
    "DF210",
    on=AddConstraint,
    page="constraint/exclusion-builds-index",
    title="An exclusion constraint cannot be added online",
    dialects=("postgresql",),
    only=("adds_exclusion",),
)
def exclusion_builds_index(operation: AddConstraint, at: Situation) -> Iterator[Finding]:
    severity, claim = severity_of_block(at, operation.table), at.effects.lock_on(operation.table)
    if isinstance(operation.constraint, Exclusion) and severity is not None and claim is not None:
        yield finding(
            at,
            f"the exclusion constraint {operation.constraint.name} builds its index while {operation.table.name} is locked",
            axis="blocks",
            severity=severity,
            why=waiting(at, claim, "read for the index"),
            remedy=Remedy(
                summary="there is no online form: copy into a new table that has it and swap the names, or add it in a window"
            ),
            near=operation.constraint.name,
        )
