"""DF209: PRIMARY KEY USING INDEX over a nullable column reads the table under ACCESS EXCLUSIVE to set it NOT NULL."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.checks.remedies import prove_not_null
from driftflow.checks.sizes import severity_of_block, waiting
from driftflow.dialects.situation import Situation
from driftflow.model.catalog import PrimaryKey
from driftflow.model.finding import Finding
from driftflow.model.operations import AddConstraint


@check(
    "DF209",
    on=AddConstraint,
    page="constraint/primary-key-reads-nullable",
    title="A primary key over a nullable column reads the table",
    dialects=("postgresql",),
    only=(
        "adds_key",
        "works",
    ),
)
def primary_key_reads_nullable(operation: AddConstraint, at: Situation) -> Iterator[Finding]:
    item = operation.constraint
    severity, claim = severity_of_block(at, operation.table), at.effects.lock_on(operation.table)
    if not isinstance(item, PrimaryKey) or not item.using_index or not at.effects.scans or severity is None or claim is None:
        return
    table = at.table(operation.table)
    index = table.index(item.using_index) if table is not None else None
    column = next(
        (
            name
            for name in (index.columns if index is not None else ())
            if table and (found := table.column(name)) and found.nullable
        ),
        "",
    )
    yield finding(
        at,
        f"the primary key reads the whole of {operation.table.name}: {column or 'a column of its index'} may hold NULL",
        axis="blocks",
        severity=severity,
        why=waiting(at, claim, "read"),
        remedy=prove_not_null(at, operation.table, column) if column else None,
        near=item.using_index,
    )
