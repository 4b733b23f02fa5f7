"""DF406: creating or dropping this table locks other tables, which the statement does not look like."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.checks.sizes import is_old
from driftflow.dialects.situation import Situation
from driftflow.model.effects import LockClaim
from driftflow.model.finding import Finding, Remedy
from driftflow.model.names import Name
from driftflow.model.operations import CreateTable, DropTable


@check(
    "DF406",
    on=(CreateTable, DropTable),
    page="table/locks-others",
    title="A table made or dropped locks others",
    dialects=("postgresql",),
)
def table_locks_others(operation: CreateTable | DropTable, at: Situation) -> Iterator[Finding]:
    """Foreign keys: SHARE ROW EXCLUSIVE on each referenced table at CREATE, ACCESS EXCLUSIVE at DROP. Partitions: the parent and its default."""
    own = operation.table.name if isinstance(operation, CreateTable) else operation.name
    named = _named(operation)
    hot: dict[Name, LockClaim] = {}
    for claim in at.effects.locks:
        if claim.relation != own and "writes" in claim.blocks and is_old(at, claim.relation, named):
            hot.setdefault(claim.relation, claim)
    if not hot:
        return
    large = [name for name in hot if not at.is_small(name)]
    listed = ", ".join(f"{claim.mode} on {name.name} ({claim.why})" for name, claim in hot.items())
    yield finding(
        at,
        f"{'creating' if isinstance(operation, CreateTable) else 'dropping'} {own.name} locks {', '.join(name.name for name in hot)}",
        axis="blocks",
        severity="info" if not large else "warning",
        why=f"{listed}; the locks are short, yet they wait for open transactions, and later ones queue behind them",
        remedy=_remedy(operation, at),
        near=own.name,
    )


def _named(operation: CreateTable | DropTable) -> tuple[Name, ...]:
    """The other tables that the statement itself names."""
    if isinstance(operation, DropTable):
        return ()
    above = operation.table.partition_of
    return (*(key.referenced for key in operation.table.foreign_keys), *((above,) if above is not None else ()))


def _remedy(operation: CreateTable | DropTable, at: Situation) -> Remedy:
    if isinstance(operation, DropTable):
        table = at.table(operation.name)
        quoted = at.dialect.quote_name(operation.name)
        drops = [
            f"ALTER TABLE {quoted} DROP CONSTRAINT {at.dialect.quote(key.name)};" for key in (table.foreign_keys if table else ())
        ]
        return Remedy(
            summary="drop the foreign keys first, each in a transaction of its own under a lock timeout", sql="\n".join(drops)
        )
    if operation.table.partition_of is not None:
        return Remedy(summary="create the table by itself, then ATTACH it: the parent stays readable and writable")
    return Remedy(
        summary="create the table without foreign keys, add each in a transaction of its own (it is instant while the table is empty)"
    )
