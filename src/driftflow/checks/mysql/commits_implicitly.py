"""DF667: a statement ends the transaction that its tool opened: what came before it stays."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import BaseOperation, Copy, Delete, Insert, Update


@check(
    "DF667",
    on=BaseOperation,
    page="mysql/commits-implicitly",
    title="DDL commits what stands before it",
    dialects=("mysql", "mariadb"),
)
def commits_implicitly(operation: BaseOperation, at: Situation) -> Iterator[Finding]:
    """Said once, where the first DDL ends a transaction that has changed rows."""
    if not at.effects.implicit_commit or not at.in_transaction or at.index:
        return
    if not at.earlier_of(Insert, Update, Delete, Copy):
        return
    yield finding(
        at,
        "commits the rows that were changed before it, and ends the transaction",
        axis="breaks",
        severity="warning",
        why="MySQL and MariaDB have no transactional DDL: when a later statement fails, what came before stays, and the migration is half applied",
        remedy=Remedy(summary="changes of rows and changes of structure in migrations of their own"),
    )
