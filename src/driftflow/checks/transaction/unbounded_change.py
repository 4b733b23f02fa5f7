"""DF704: an UPDATE or DELETE of (nearly) every row: locks, bloat and replication lag until it commits."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.checks.sizes import duration, is_new, size, traffic
from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import Delete, Update


@check("DF704", on=(Update, Delete), page="transaction/unbounded-change", title="An UPDATE or DELETE without bounds")
def unbounded_change(operation: Update | Delete, at: Situation) -> Iterator[Finding]:
    """A predicate that pins a unique key, or a LIMIT, is bounded. Small and new tables are left alone."""
    unlisted = at.catalog.complete and at.table(operation.table) is None  # the system catalog: DF007 speaks of it
    if operation.bounded or unlisted or is_new(at, operation.table):
        return
    deletes = isinstance(operation, Delete)
    verb = "DELETE" if deletes else "UPDATE"
    single = at.can(Capability.SINGLE_WRITER)
    why = (
        "every other writer of the database waits until it commits"
        if single
        else "the changed rows stay locked until the commit, dead rows pile up behind it, and replicas lag"
    )
    yield finding(
        at,
        f"{verb} of {'every row' if not operation.where else 'an open number of rows'} of {operation.table.name} in one transaction",
        axis="blocks",
        severity="info" if at.is_small(operation.table) else "error",
        why=f"{size(at, operation.table)}{traffic(at, operation.table)}{duration(at.effects.duration)}: {why}",
        remedy=Remedy(
            summary=f"{'delete' if deletes else 'update'} in chunks by primary key, each in a transaction of its own (backfill_in_chunks)",
            sql=_chunk(operation, at),
        ),
        near=operation.table.name,
    )


def _chunk(operation: Update | Delete, at: Situation) -> str:
    table = at.table(operation.table)
    key = table.primary_key.columns[0] if table is not None and table.primary_key is not None else "id"
    name, quoted = at.dialect.quote_name(operation.table), at.dialect.quote(key)
    where = f" AND ({operation.where})" if operation.where else ""
    if isinstance(operation, Delete):
        return f"DELETE FROM {name} WHERE {quoted} > :low AND {quoted} <= :high{where};"
    changes = ", ".join(f"{at.dialect.quote(column)} = {value}" for column, value in operation.assignments)
    source = f" FROM {operation.from_clause}" if operation.from_clause else ""
    own = operation.alias or operation.table.name
    prefix = f"{at.dialect.quote(own)}." if source else ""
    alias = f" AS {at.dialect.quote(operation.alias)}" if operation.alias else ""
    return f"UPDATE {name}{alias} SET {changes}{source} WHERE {prefix}{quoted} > :low AND {prefix}{quoted} <= :high{where};"
