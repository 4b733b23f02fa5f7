"""DF120: a new expression of a stored generated column computes every row anew under ACCESS EXCLUSIVE."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.checks.sizes import severity_of_block, waiting
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import SetExpression


@check(
    "DF120",
    on=SetExpression,
    page="column/expression-changed",
    title="SET EXPRESSION rewrites the table",
    dialects=("postgresql",),
)
def expression_changed(operation: SetExpression, at: Situation) -> Iterator[Finding]:
    severity, claim = severity_of_block(at, operation.table), at.effects.lock_on(operation.table)
    if operation.table in at.effects.rewrites and severity is not None and claim is not None:
        yield finding(
            at,
            f"SET EXPRESSION of {operation.column} writes {operation.table.name} and its indexes anew",
            axis="blocks",
            severity=severity,
            why=waiting(at, claim, "rewritten"),
            remedy=Remedy(summary="add a second column that a trigger keeps up to date, fill it in chunks, swap the names"),
            near=operation.column,
        )
