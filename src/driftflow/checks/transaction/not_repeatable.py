"""DF708: several statements without a transaction: when one fails, those before it stay, and the next try trips over them."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import BaseOperation, SetSetting, TransactionControl


@check(
    "DF708",
    on=BaseOperation,
    page="transaction/not-repeatable",
    title="Several statements, no transaction",
    only=("outside_transactions", "first_clause"),
)
def not_repeatable(operation: BaseOperation, at: Situation) -> Iterator[Finding]:
    """Said once per file, at its second statement. driftflow's own plan journals each step, so this concerns the tool alone."""
    if at.migration.transaction not in ("none", "per_statement"):
        return
    acting = [
        statement
        for statement in at.migration.statements
        if statement.operations and not isinstance(statement.operations[0], SetSetting | TransactionControl)
    ]
    if len(acting) < 2 or acting[1] is not at.statement:
        return
    yield finding(
        at,
        f"{len(acting)} statements without a transaction: a failure leaves the migration half done",
        axis="breaks",
        severity="info",
        why="the tool starts again at the first statement, which has happened already and fails",
        remedy=Remedy(
            summary="one statement per migration without a transaction; driftflow's plan journals each of them and goes on where it stopped"
        ),
        known_by="rule",
    )
