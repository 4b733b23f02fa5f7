"""DF615: switching row-level security off, or dropping the last policy's effect, shows every row to everybody with SELECT."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import SetRowSecurity


@check(
    "DF615",
    on=SetRowSecurity,
    page="security/row-security-off",
    title="Row-level security switched off exposes every row",
    dialects=("postgresql",),
)
def row_security_off(operation: SetRowSecurity, at: Situation) -> Iterator[Finding]:
    table = at.table(operation.table)
    if operation.action == "disable" and (table is None or table.row_security):
        yield finding(
            at,
            f"every role that may SELECT from {operation.table.name} sees every row of it from this moment",
            axis="breaks",
            severity="error",
            why="policies stay and do nothing; tenants see each other's rows",
            remedy=Remedy(
                summary="give the one role that must see everything BYPASSRLS, or a policy of its own",
                sql=f"CREATE POLICY maintenance ON {at.dialect.quote_name(operation.table)} TO maintenance_role USING (true);",
            ),
            near=operation.table.name,
        )
