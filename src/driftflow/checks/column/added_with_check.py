"""DF105: a CHECK behind a new column is verified for every row, even where the column is NULL everywhere."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.checks.remedies import quote, validate_later
from driftflow.checks.sizes import severity_of_block, waiting
from driftflow.dialects.situation import Situation
from driftflow.model.catalog import Check
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import AddColumn


@check(
    "DF105",
    on=AddColumn,
    page="column/added-with-check",
    title="A check behind a new column reads the table",
    dialects=("postgresql",),
    only=("adds_check",),
)
def added_with_check(operation: AddColumn, at: Situation) -> Iterator[Finding]:
    item = next((one for one in operation.constraints if isinstance(one, Check) and one.enforced), None)
    severity, claim = severity_of_block(at, operation.table), at.effects.lock_on(operation.table)
    if item is None or severity is None or claim is None or operation.table in at.effects.rewrites:
        return
    later = validate_later(at, operation.table, item)
    add = f"ALTER TABLE {at.dialect.quote_name(operation.table)} ADD COLUMN {quote(at, operation.column.name)} {operation.column.type};"
    yield finding(
        at,
        f"the check behind {operation.column.name} reads the whole of {operation.table.name} under {claim.mode}",
        axis="blocks",
        severity=severity,
        why=waiting(at, claim, "checked"),
        remedy=Remedy(summary=f"add the column alone; {later.summary}", sql=f"{add}\n{later.sql}"),
        near=operation.column.name,
    )
