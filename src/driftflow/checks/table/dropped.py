"""DF401: the table, or the whole schema, is gone with its data."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.checks.sizes import is_new, others, size, still_said
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import AlterObject, DropSchema, DropTable


@check("DF401", on=(DropTable, DropSchema, AlterObject), page="table/dropped", title="A dropped table is gone with its data")
def table_dropped(operation: DropTable | DropSchema | AlterObject, at: Situation) -> Iterator[Finding]:
    if isinstance(operation, AlterObject):
        yield from _database(operation, at)
        return
    if isinstance(operation, DropSchema):
        yield from _schema(operation, at)
        return
    table = at.table(operation.name)
    if is_new(at, operation.name) or (table is None and at.catalog.complete):
        return
    name, parked = at.dialect.quote_name(operation.name), at.dialect.quote(f"zz_drop_{operation.name.name}")
    yield finding(
        at,
        f"{operation.name.name} with {size(at, operation.name)} is gone",
        axis="loses",
        severity="error",
        why=f"nothing brings it back but a backup; code that still asks for it fails at once{still_said(at)}{others(at, operation.name)}",
        remedy=Remedy(
            summary="rename it out of the way first, wait until nobody missed it, drop it in a later release",
            sql=f"ALTER TABLE {name} RENAME TO {parked};  -- the way back is a rename\n-- after the soak:\nDROP TABLE {parked};",
        ),
        near=operation.name.name,
    )


def _schema(operation: DropSchema, at: Situation) -> Iterator[Finding]:
    inside = [table.name.text for table in at.catalog.tables.values() if table.name.schema == operation.name and not table.new]
    yield finding(
        at,
        f"schema {operation.name} is gone" + (f" with {len(inside)} tables and their data" if inside else ""),
        axis="loses",
        severity="error" if inside or operation.cascade else "warning",
        why="nothing brings it back but a backup",
        remedy=Remedy(summary="drop its tables one by one, each after a soak, and the empty schema last"),
        near=operation.name,
    )


def _database(operation: AlterObject, at: Situation) -> Iterator[Finding]:
    if operation.kind != "database" or operation.action != "drop":
        return
    yield finding(
        at,
        f"the database {operation.name.name if operation.name else ''} is gone with everything in it",
        axis="loses",
        severity="error",
        why="nothing brings it back but a backup",
        remedy=Remedy(summary="no migration drops a database: do it by hand, after a backup that was read back"),
    )
