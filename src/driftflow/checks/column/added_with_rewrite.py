"""DF101: the new column makes PostgreSQL write every row of the table anew under ACCESS EXCLUSIVE."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.checks.remedies import quote
from driftflow.checks.sizes import others, severity_of_block, waiting
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import AddColumn


@check("DF101", on=AddColumn, page="column/added-with-rewrite", title="A new column rewrites the table", dialects=("postgresql",))
def added_with_rewrite(operation: AddColumn, at: Situation) -> Iterator[Finding]:
    """Volatile default, serial, identity, stored generated, constrained domain. A constant or stable default is kept in the catalog (11 and later)."""
    if operation.table not in at.effects.rewrites:
        return
    severity = severity_of_block(at, operation.table)
    claim = at.effects.lock_on(operation.table)
    if severity is None or claim is None:
        return
    reason = next(work.why for work in at.effects.work if work.kind == "rewrite" and work.relation == operation.table)
    yield finding(
        at,
        f"ADD COLUMN {operation.column.name} writes {operation.table.name} and all its indexes anew",
        axis="blocks",
        severity=severity,
        why=f"{reason}; {waiting(at, claim, 'rewritten')}{others(at, operation.table)}",
        remedy=_remedy(operation, at),
        near=operation.column.name,
    )


def _remedy(operation: AddColumn, at: Situation) -> Remedy:
    table, column = at.dialect.quote_name(operation.table), quote(at, operation.column.name)
    if operation.column.generated is not None:
        return Remedy(
            summary="add a plain column, keep it up to date by a trigger, fill it in chunks",
            sql=f"ALTER TABLE {table} ADD COLUMN {column} {operation.column.type};\n-- a BEFORE INSERT OR UPDATE trigger sets it; then fill old rows in chunks",
        )
    if any(claim.why.startswith("numbers for ") for claim in at.effects.locks):
        sequence = at.dialect.quote(f"{operation.table.name}_{operation.column.name}_seq")
        type_name = operation.column.type.replace("serial", "int") or "bigint"
        return Remedy(
            summary="add it nullable, let new rows take numbers, fill old rows in chunks, then prove NOT NULL (add_identity_column)",
            sql=(
                f"CREATE SEQUENCE {sequence};\nALTER TABLE {table} ADD COLUMN {column} {type_name};\n"
                f"ALTER TABLE {table} ALTER COLUMN {column} SET DEFAULT nextval('{operation.table.name}_{operation.column.name}_seq');\n"
                f"-- in chunks: UPDATE {table} SET {column} = DEFAULT WHERE {column} IS NULL AND …;"
            ),
        )
    if operation.column.default is None:
        return Remedy(
            summary="use the base type and a NOT VALID check instead of the domain, then validate (add_check)",
            sql=f"ALTER TABLE {table} ADD COLUMN {column} …;  -- the domain's base type",
        )
    return Remedy(
        summary="add it without the default, set the default for new rows, fill old rows in chunks (add_column_with_volatile_default)",
        sql=(
            f"ALTER TABLE {table} ADD COLUMN {column} {operation.column.type};\n"
            f"ALTER TABLE {table} ALTER COLUMN {column} SET DEFAULT {operation.column.default};\n"
            f"-- in chunks: UPDATE {table} SET {column} = {operation.column.default} WHERE {column} IS NULL AND …;"
        ),
    )
