"""DF103: UNIQUE or PRIMARY KEY behind a new column builds the index under ACCESS EXCLUSIVE."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.checks.remedies import add_unique, quote
from driftflow.checks.sizes import severity_of_block, waiting
from driftflow.dialects.situation import Situation
from driftflow.model.catalog import PrimaryKey, Unique
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import AddColumn


@check(
    "DF103",
    on=AddColumn,
    page="column/added-with-unique",
    title="A new unique column builds its index under the lock",
    dialects=("postgresql",),
    only=("adds_key",),
)
def added_with_unique(operation: AddColumn, at: Situation) -> Iterator[Finding]:
    severity, claim = severity_of_block(at, operation.table), at.effects.lock_on(operation.table)
    key = next((item for item in operation.constraints if isinstance(item, PrimaryKey | Unique)), None)
    if key is None or severity is None or claim is None:
        return
    later = add_unique(at, operation.table, key)
    add = f"ALTER TABLE {at.dialect.quote_name(operation.table)} ADD COLUMN {quote(at, operation.column.name)} {operation.column.type};"
    yield finding(
        at,
        f"the index behind {operation.column.name} is built while {operation.table.name} is locked",
        axis="blocks",
        severity=severity,
        why=waiting(at, claim, "read for the index"),
        remedy=Remedy(summary=f"add the column alone; {later.summary}", sql=f"{add}\n{later.sql}"),
        near=operation.column.name,
    )
