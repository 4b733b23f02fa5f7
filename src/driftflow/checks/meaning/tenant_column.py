"""DF804: a tenant column decides how the table will be read: index order, partitioning and isolation are cheapest to settle now."""

from __future__ import annotations

import re
from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.checks.remedies import quote
from driftflow.checks.sizes import is_new, size
from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import AddColumn
from driftflow.patterns import lazy_regex

_TENANT = lazy_regex(r"(tenant|organi[sz]ation|org|account|workspace|company|customer)_?id$")


@check("DF804", on=AddColumn, page="meaning/tenant-column", title="A tenant column: index, partition and isolation")
def tenant_column(operation: AddColumn, at: Situation) -> Iterator[Finding]:
    """A note, not an alarm. `tenant_id` always; look-alikes (`customer_id`) only when they reference a table of tenants."""
    column = operation.column
    if is_new(at, operation.table) or not _TENANT.match(column.name):
        return
    references = [item.referenced.name for item in operation.constraints if hasattr(item, "referenced")]
    if not column.name.startswith("tenant") and not any(
        re.match(r"(tenant|organi[sz]ation|workspace)", name) for name in references
    ):
        return
    table, name = at.dialect.quote_name(operation.table), quote(at, column.name)
    postgresql = at.can(Capability.CONCURRENT_INDEX)
    online = "CONCURRENTLY " if postgresql else ""
    index = quote(at, f"{operation.table.name}_{column.name}_created_at_idx")
    policy = (
        f"\n-- isolation, after every writer sets the tenant:\nCREATE POLICY {quote(at, operation.table.name + '_isolation')} ON {table}\n"
        f"    USING ({name} = NULLIF(current_setting('app.tenant_id', true), '')::{column.type});\nALTER TABLE {table} ENABLE ROW LEVEL SECURITY;"
        if at.can(Capability.ROW_SECURITY)
        else ""
    )
    yield finding(
        at,
        f"{operation.table.name}.{column.name} will be in every query: settle index order, partitioning and isolation with it",
        axis="note",
        severity="info",
        why=(
            f"{size(at, operation.table)}: build the index after the backfill, or every row is indexed twice, and put the tenant first in it; "
            "partitioning by tenant changes the primary key and is much dearer later; without isolation a forgotten WHERE shows another tenant's rows"
        ),
        remedy=Remedy(
            summary="index after the backfill, tenant first; decide on partitions by the rows per tenant; isolate last (add_tenant_column)",
            sql=(
                f"SELECT {name}, count(*) FROM {table} GROUP BY {name} ORDER BY count(*) DESC LIMIT 20;  -- rows per tenant, after the backfill\n"
                f"CREATE INDEX {online}{index} ON {table} ({name}, created_at);{policy}"
            ),
            enhancement="add_tenant_column",
        ),
        known_by="rule",
        near=column.name,
    )
