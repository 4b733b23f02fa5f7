"""DF109: the new type cannot hold everything that the old one could."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.checks.sizes import is_new
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import AlterColumnType, ChangeColumn


@check(
    "DF109",
    on=(AlterColumnType, ChangeColumn),
    page="column/type-change-loses",
    title="A type change rounds or drops parts of values",
    dialects=("postgresql", "mysql", "mariadb"),
)
def type_change_loses(operation: AlterColumnType | ChangeColumn, at: Situation) -> Iterator[Finding]:
    """Rounding and dropped parts raise no error: nobody notices until somebody compares. What CHANGE and MODIFY leave out is DF664's, and what only a server
    that is not strict does is DF673's."""
    if is_new(at, operation.table):
        return
    for loss in at.effects.loses:
        if isinstance(operation, ChangeColumn) and (loss.reversible or "sql_mode" in loss.what):
            continue
        yield finding(
            at,
            f"loses {loss.what}",
            axis="loses",
            severity="error",
            why="the server converts without an error, and the old values cannot be computed back",
            remedy=Remedy(summary="keep the old column beside the new one until the values have been compared"),
            near=operation.column,
        )
