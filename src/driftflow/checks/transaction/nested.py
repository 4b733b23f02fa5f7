"""DF702: a BEGIN or COMMIT of the file's own inside the transaction that the tool opened."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import TransactionControl


@check("DF702", on=TransactionControl, page="transaction/nested", title="BEGIN or COMMIT inside the tool's own transaction")
def nested_transaction(operation: TransactionControl, at: Situation) -> Iterator[Finding]:
    if at.migration.transaction != "single" or operation.action not in ("begin", "commit", "rollback"):
        return
    begins = operation.action == "begin"
    yield finding(
        at,
        f"{operation.action.upper()} inside the transaction that {at.migration.source} has opened",
        axis="breaks",
        severity="warning" if begins else "error",
        why="the server warns and goes on: there is no transaction within a transaction"
        if begins
        else "it ends the tool's transaction: what follows runs without one, and the tool's own record may commit apart from the changes",
        remedy=Remedy(summary="leave the transaction to the tool, or tell the tool to open none"),
        known_by="rule",
    )


@check("DF703", on=TransactionControl, page="transaction/uncommitted", title="A BEGIN without COMMIT: nothing is applied")
def uncommitted(operation: TransactionControl, at: Situation) -> Iterator[Finding]:
    """The connection closes, the server rolls back, and the tool notes the migration as applied."""
    if operation.action != "begin" or at.migration.transaction == "single":
        return
    later = [one for statement in at.migration.statements for one in statement.operations if isinstance(one, TransactionControl)]
    if any(one.action in ("commit", "rollback", "prepare") for one in later):
        return
    yield finding(
        at,
        "this BEGIN has no COMMIT: the server rolls everything back when the connection closes",
        axis="breaks",
        severity="error",
        why="nothing fails, and the tool may note the migration as applied",
        remedy=Remedy(summary="end the file with COMMIT", sql="COMMIT;"),
        known_by="rule",
    )
