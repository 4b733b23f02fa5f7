"""DF611: row-level security without a policy denies every row to everybody but the owner."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.checks.sizes import is_new
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import SetRowSecurity


@check(
    "DF611",
    on=SetRowSecurity,
    page="security/row-security-without-policy",
    title="Row-level security without a policy denies all",
    dialects=("postgresql",),
)
def row_security_without_policy(operation: SetRowSecurity, at: Situation) -> Iterator[Finding]:
    """Looks at the end of the transaction: a policy that follows in it counts. For a table of this release it may be what is meant."""
    table = (at.committed or at.catalog).table(operation.table)
    if operation.action != "enable" or (table is not None and table.policies) or (table is None and not at.catalog.complete):
        return
    if is_new(at, operation.table) and (at.final or at.catalog).table(operation.table) is not None and _has_policy(at, operation):
        return
    quoted = at.dialect.quote_name(operation.table)
    created = is_new(at, operation.table)
    yield finding(
        at,
        f"{operation.table.name} has no policy: "
        + ("nobody but its owner will see a row of it" if created else "from this moment the application sees no row of it"),
        axis="breaks",
        severity="info" if created else "error",
        why="row-level security without a policy is deny-all for every role but the owner, superusers and BYPASSRLS; no error is raised",
        remedy=Remedy(
            summary="create the policies first, enable last, in one transaction",
            sql=(
                f"CREATE POLICY {at.dialect.quote(operation.table.name + '_isolation')} ON {quoted}\n"
                f"    USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);\nALTER TABLE {quoted} ENABLE ROW LEVEL SECURITY;"
            ),
        ),
        near=operation.table.name,
    )


def _has_policy(at: Situation, operation: SetRowSecurity) -> bool:
    table = (at.final or at.catalog).table(operation.table)
    return table is not None and bool(table.policies)
