"""DF504: a constraint on a domain reads every table that uses it, and the statement names none of them."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.checks.sizes import severity_of_block, size
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import AlterDomain


@check(
    "DF504",
    on=AlterDomain,
    page="type/domain-locks-tables",
    title="A domain's constraint stops writers of every table that uses it",
    dialects=("postgresql",),
)
def domain_locks_tables(operation: AlterDomain, at: Situation) -> Iterator[Finding]:
    tables = [claim.relation for claim in at.effects.locks if at.table(claim.relation) is not None]
    severities = [severity for table in tables if (severity := severity_of_block(at, table)) is not None]
    unseen = not at.catalog.complete and operation.name.text not in at.catalog.types and _reads(operation)
    if not (severities or unseen) or operation.action == "validate_constraint":
        return
    name = at.dialect.quote_name(operation.name)
    expression = operation.check.expression if operation.check is not None else "VALUE IS NOT NULL"
    constraint = at.dialect.quote((operation.check.name if operation.check is not None else "") or f"{operation.name.name}_check")
    yield finding(
        at,
        f"writers of {', '.join(table.name for table in tables) or 'every table that uses it'} wait while the domain {operation.name.name} is checked",
        axis="blocks",
        severity="error" if unseen or "error" in severities else "info",
        why="SHARE is held on each while it is read"
        + (": " + ", ".join(f"{table.name} with {size(at, table)}" for table in tables) if tables else ""),
        remedy=Remedy(
            summary="add the constraint NOT VALID (no table is locked), then validate it",
            sql=(
                f"ALTER DOMAIN {name} ADD CONSTRAINT {constraint} CHECK ({expression}) NOT VALID;\n"
                f"-- a transaction of its own:\nALTER DOMAIN {name} VALIDATE CONSTRAINT {constraint};"
            ),
        ),
        near=operation.name.name,
    )


def _reads(operation: AlterDomain) -> bool:
    """Whether it is a constraint that is proved at once; which tables have the domain only a catalog says."""
    proved = operation.check is None or operation.check.validated
    return operation.action == "set_not_null" or (operation.action == "add_constraint" and proved)
