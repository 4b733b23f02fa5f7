"""DF411: rows of a published table can no longer be told apart by replicas, or cost much more to replicate."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.checks.sizes import is_new
from driftflow.dialects.situation import Situation
from driftflow.model.catalog import PrimaryKey, Table
from driftflow.model.finding import Finding, Remedy
from driftflow.model.names import Name
from driftflow.model.operations import AlterObject, AlterTableOption, DropConstraint

_Operation = AlterTableOption | DropConstraint | AlterObject


@check(
    "DF411",
    on=(AlterTableOption, DropConstraint, AlterObject),
    page="table/replica-identity",
    title="Replicas cannot tell the rows apart",
    dialects=("postgresql",),
)
def replica_identity(operation: _Operation, at: Situation) -> Iterator[Finding]:
    """What UPDATE and DELETE of a published table need: a primary key, an index that is named for it, or the whole old row."""
    match operation:
        case AlterTableOption() if operation.option == "replica_identity" and not is_new(at, operation.table):
            if operation.value == "FULL":
                yield _whole(operation.table, at)
            elif operation.value == "NOTHING":
                yield _fails(operation.table, at, "its replica identity is NOTHING")
        case DropConstraint() if _key_goes(operation, at):
            yield _fails(operation.table, at, "its primary key is gone")
        case AlterObject() if operation.kind == "publication" and "for all tables" in operation.sql.lower():
            bare = sorted(table.name.name for table in at.catalog.tables.values() if _unidentified(table))
            if bare:
                yield _fails(None, at, f"{', '.join(bare)} {'has' if len(bare) == 1 else 'have'} no primary key")
        case _:
            pass


def _unidentified(table: Table) -> bool:
    return (
        table.kind == "table"
        and table.primary_key is None
        and table.replica_identity in ("", "d", "n")
        and not table.partitioning
    )


def _key_goes(operation: DropConstraint, at: Situation) -> bool:
    table = at.table(operation.table)
    if table is None or table.new or not table.publications or table.replica_identity not in ("", "d"):
        return False
    after = at.committed.table(operation.table) if at.committed is not None else None
    return isinstance(table.constraint(operation.name), PrimaryKey) and (after is None or after.primary_key is None)


def _whole(table: Name, at: Situation) -> Finding:
    return finding(
        at,
        f"every UPDATE and DELETE of {table.name} now writes the whole old row into the log",
        axis="note",
        severity="warning",
        why="replicas search the row by all its columns, without an index: one statement over many rows can stop them for hours",
        remedy=Remedy(
            summary="name a unique index over NOT NULL columns instead",
            sql=f"ALTER TABLE {at.dialect.quote_name(table)} REPLICA IDENTITY USING INDEX …;",
        ),
    )


def _fails(table: Name | None, at: Situation, why: str) -> Finding:
    known = at.table(table) if table is not None else None
    sure = table is None or (known is not None and bool(known.publications))
    return finding(
        at,
        f"UPDATE and DELETE of {table.name} fail while it is published"
        if table is not None
        else "UPDATE and DELETE of published tables fail",
        axis="breaks",
        severity="error" if sure else "warning",
        why=f"{why}: the server refuses to change a row that a replica could not find",
        remedy=Remedy(summary="give every published table a primary key, or name a unique index as its replica identity, first"),
    )
