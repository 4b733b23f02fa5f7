"""DF211: the database stops guaranteeing something; a foreign key takes ACCESS EXCLUSIVE on both tables."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.checks.sizes import is_new
from driftflow.dialects.situation import Situation
from driftflow.model.catalog import ForeignKey
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import DropConstraint


@check("DF211", on=DropConstraint, page="constraint/dropped", title="A dropped constraint guarantees nothing any more")
def constraint_dropped(operation: DropConstraint, at: Situation) -> Iterator[Finding]:
    """Silent for the helper check of the NOT NULL recipe, once the column itself is NOT NULL."""
    table = at.table(operation.table)
    item = table.constraint(operation.name) if table is not None else None
    known_gone = operation.if_exists and item is None and table is not None and not table.partial
    if known_gone or is_new(at, operation.table) or _was_a_helper(operation, at):
        return
    both = (
        f"; ACCESS EXCLUSIVE is taken on {item.referenced.name} as well"
        if isinstance(item, ForeignKey) and at.dialect.name == "postgresql"
        else ""
    )
    yield finding(
        at,
        f"{operation.table.name} loses the constraint {operation.name}",
        axis="loses",
        severity="warning",
        why=f"rows that break it can be written from this moment, and adding it again means proving all rows again{both}",
        remedy=Remedy(summary="keep it until no code relies on it; drop one constraint per transaction"),
        near=operation.name,
    )


def _was_a_helper(operation: DropConstraint, at: Situation) -> bool:
    table = at.table(operation.table)
    item = table.constraint(operation.name) if table is not None else None
    expression = getattr(item, "expression", "")
    return table is not None and any(
        f"{column.name} is not null" in expression.lower().replace('"', "") and not column.nullable for column in table.columns
    )
