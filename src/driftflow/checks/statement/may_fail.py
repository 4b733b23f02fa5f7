"""DF002: whether the statement succeeds depends on the rows; a query says it beforehand."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.checks.sizes import is_new
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import AddColumn, BaseOperation


@check("DF002", on=BaseOperation, page="statement/may-fail", title="Rows may make the statement fail", only=("may_fail",))
def may_fail(operation: BaseOperation, at: Situation) -> Iterator[Finding]:
    """Conditions with a probe: NULLs, duplicates, orphans, violations. Silent for a table that this release makes."""
    for condition in at.effects.fails_if:
        own_rule = condition.kind == "not_empty" and isinstance(operation, AddColumn) and not at.dialect.one_pass  # DF102, DF655
        if condition.certain or not condition.probe or own_rule:
            continue
        if condition.relation is not None and is_new(at, condition.relation):
            continue
        yield finding(
            at,
            f"fails if {'there are ' if condition.summary.startswith(('rows ', 'values ')) else ''}{condition.summary}",
            axis="breaks",
            severity="warning",
            why="one such row is enough, and the statement says so only after the work is done",
            remedy=Remedy(
                summary="count them first; repair them in chunks before this migration", sql=f"{condition.probe};  -- must be 0"
            ),
        )
