"""DF108: constraints that mention the column are verified again under the lock."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.checks.sizes import others, severity_of_block, waiting
from driftflow.dialects.situation import Situation
from driftflow.model.catalog import Check, ForeignKey
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import AlterColumnType


@check(
    "DF108",
    on=AlterColumnType,
    page="column/type-change-checks-again",
    title="A type change verifies constraints again",
    dialects=("postgresql",),
)
def type_change_checks_again(operation: AlterColumnType, at: Situation) -> Iterator[Finding]:
    """Also the foreign keys of other tables that point at the column: they are locked and read."""
    table = at.table(operation.table)
    severity, claim = severity_of_block(at, operation.table), at.effects.lock_on(operation.table)
    if table is None or severity is None or claim is None or not at.effects.scans:
        return
    own = [item.name for item in table.constraints if isinstance(item, Check) and operation.column in item.expression]
    own += [item.name for item in table.constraints if isinstance(item, ForeignKey) and operation.column in item.columns]
    far = [
        f"{key.name} of {holder.name.name}"
        for holder, key in at.catalog.referencing(table.name)
        if operation.column in key.referenced_columns
    ]
    if operation.table in at.effects.rewrites:
        own = []  # what is written anew is checked on the way: nothing is read twice
    if not own and not far:
        return
    quoted = at.dialect.quote_name(operation.table)
    drops = [f"ALTER TABLE {quoted} DROP CONSTRAINT {at.dialect.quote(name)};" for name in own]
    drops += [
        f"ALTER TABLE {at.dialect.quote_name(holder.name)} DROP CONSTRAINT {at.dialect.quote(key.name)};"
        for holder, key in at.catalog.referencing(table.name)
        if operation.column in key.referenced_columns
    ]
    yield finding(
        at,
        f"{', '.join([*own, *far])} must be verified again for {operation.table.name}.{operation.column}",
        axis="blocks",
        severity=severity,
        why=f"{waiting(at, claim, 'verified')}{others(at, operation.table)}",
        remedy=Remedy(
            summary="drop the constraints, change the type, add them again NOT VALID and validate them in transactions of their own",
            sql="\n".join(drops),
        ),
        near=operation.column,
    )
