"""DF303: REINDEX keeps writers out, and readers too: every plan looks at the index that is being rebuilt."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.checks.sizes import severity_of_block, size
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import Reindex


@check("DF303", on=Reindex, page="index/rebuilt-under-lock", title="REINDEX stops readers and writers", dialects=("postgresql",))
def index_rebuilt_under_lock(operation: Reindex, at: Situation) -> Iterator[Finding]:
    table = next((claim.relation for claim in at.effects.locks if at.table(claim.relation) is not None), None)
    severity = severity_of_block(at, table) if table is not None else "error"
    if operation.concurrently or severity is None:
        return
    name = f" {at.dialect.quote_name(operation.name)}" if operation.name is not None else ""
    rows = f" while {size(at, table)} are read" if table is not None else ""
    yield finding(
        at,
        f"REINDEX {operation.kind.upper()}{name} keeps writers and most readers out",
        axis="blocks",
        severity=severity,
        why=f"SHARE on the table and ACCESS EXCLUSIVE on each index are held{rows}",
        remedy=Remedy(
            summary="rebuild concurrently, outside a transaction",
            sql=f"REINDEX {operation.kind.upper()} CONCURRENTLY{name};",
        ),
    )
