"""DF612: the table's owner bypasses its policies, and many applications connect as the owner."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import SetRowSecurity


@check(
    "DF612",
    on=SetRowSecurity,
    page="security/row-security-not-forced",
    title="The owner bypasses row-level security",
    dialects=("postgresql",),
)
def row_security_not_forced(operation: SetRowSecurity, at: Situation) -> Iterator[Finding]:
    """Silent where the release forces it, now or later, and where there is no policy that could bind the owner."""
    table = (at.final or at.catalog).table(operation.table)
    if operation.action != "enable" or (table is not None and (table.row_security_forced or not table.policies)):
        return
    yield finding(
        at,
        f"the owner of {operation.table.name} still sees every row",
        axis="note",
        severity="warning",
        why="policies do not bind the owner unless they are forced; an application that connects as the owner is not isolated at all",
        remedy=Remedy(
            summary="let the application connect as a role that does not own the table, or force the policies (backfills then need row_security off)",
            sql=f"ALTER TABLE {at.dialect.quote_name(operation.table)} FORCE ROW LEVEL SECURITY;",
        ),
        known_by="rule",
        near=operation.table.name,
    )
