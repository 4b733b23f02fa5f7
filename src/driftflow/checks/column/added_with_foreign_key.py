"""DF119: a REFERENCES behind a new column locks the other table in the same breath."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.checks.remedies import quote, validate_later
from driftflow.checks.sizes import is_new, severity_of_block, size
from driftflow.dialects.situation import Situation
from driftflow.model.catalog import ForeignKey
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import AddColumn


@check(
    "DF119",
    on=AddColumn,
    page="column/added-with-foreign-key",
    title="REFERENCES behind a new column locks two tables at once",
    dialects=("postgresql",),
    only=("adds_foreign_key",),
)
def added_with_foreign_key(operation: AddColumn, at: Situation) -> Iterator[Finding]:
    """Nothing is read while the column is NULL everywhere (a scan that linters like to announce); with a default every row is looked up."""
    key = next((item for item in operation.constraints if isinstance(item, ForeignKey)), None)
    if key is None or is_new(at, operation.table):
        return
    scans = bool(at.effects.scans)
    severity = (severity_of_block(at, operation.table) or "info") if scans else "warning"
    if is_new(at, key.referenced) or (at.is_small(operation.table) and at.is_small(key.referenced)):
        severity = "info"
    later = validate_later(at, operation.table, key)
    add = f"ALTER TABLE {at.dialect.quote_name(operation.table)} ADD COLUMN {quote(at, operation.column.name)} {operation.column.type};"
    reads = (
        f"every one of {size(at, operation.table)} is looked up under the lock"
        if scans
        else "no row is read, for the column is NULL everywhere"
    )
    yield finding(
        at,
        f"ADD COLUMN {operation.column.name} REFERENCES {key.referenced.name} locks {operation.table.name} and {key.referenced.name} together",
        axis="blocks",
        severity=severity,
        why=(
            f"ACCESS EXCLUSIVE on {operation.table.name} is held while SHARE ROW EXCLUSIVE on {key.referenced.name} is waited for: "
            f"a long writer there stops all of {operation.table.name}; {reads}"
        ),
        remedy=Remedy(summary=f"add the column alone; {later.summary}", sql=f"{add}\n{later.sql}"),
        near=operation.column.name,
    )
