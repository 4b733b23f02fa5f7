"""DF704: an UPDATE or DELETE of (nearly) every row: locks, bloat and replication lag until it commits."""

from __future__ import annotations

import re
from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.checks.sizes import duration, is_new, is_old, size, traffic
from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import Delete, Select, Update
from driftflow.patterns import lazy_regex

_CHANGES = lazy_regex(r"\b(UPDATE\s+(?!OF\b|SKIP\b|NOWAIT\b)|DELETE\s+FROM\b|MERGE\s+INTO\b)", re.IGNORECASE)
_ELSE = lazy_regex(r"\bOR\b", re.IGNORECASE)
_PICKED = lazy_regex(r"\bIN\s*\(\s*SELECT\b.*\bLIMIT\s+\d+\s*\)", re.IGNORECASE | re.DOTALL)
CHUNK_ROWS_MAX = 50_000
_BOUND = lazy_regex(r"\b(LIMIT|FETCH\s+(FIRST|NEXT))\b", re.IGNORECASE)


@check("DF704", on=(Update, Delete, Select), page="transaction/unbounded-change", title="An UPDATE or DELETE without bounds")
def unbounded_change(operation: Update | Delete | Select, at: Situation) -> Iterator[Finding]:
    """A predicate that pins a unique key, or a LIMIT, is bounded, and so is a short range of the key. Small and new tables are left alone."""
    if isinstance(operation, Select):
        yield from _merged(operation, at)
        return
    unlisted = at.catalog.complete and at.table(operation.table) is None  # the system catalog: DF007 speaks of it
    if operation.bounded or unlisted or is_new(at, operation.table) or _is_chunk(operation, at):
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


def _is_chunk(operation: Update | Delete, at: Situation) -> bool:
    """Rows picked by IN (SELECT ... LIMIT n), or by a range of the key with both ends written down: what a chunk looks like."""
    where = operation.where.replace('"', "").replace("`", "")
    if not where or _ELSE.search(where):
        return False
    if _PICKED.search(where):
        return True
    table = at.table(operation.table)
    key = table.primary_key.columns if table is not None and table.primary_key is not None else ("id",) if table is None else ()
    if len(key) != 1:
        return False
    name = rf"(?<![\w.$])(?:\w+\.)?{re.escape(key[0])}\s*"
    between = re.search(rf"{name}BETWEEN\s+(\d+)\s+AND\s+(\d+)", where, re.IGNORECASE)
    ends = between.groups() if between is not None else ()
    if not ends:
        low, high = re.search(rf"{name}>=?\s*(\d+)", where), re.search(rf"{name}<=?\s*(\d+)", where)
        ends = (low[1], high[1]) if low is not None and high is not None else ()
    return bool(ends) and int(ends[1]) - int(ends[0]) <= CHUNK_ROWS_MAX


def _merged(operation: Select, at: Situation) -> Iterator[Finding]:
    """MERGE, and UPDATE or DELETE in a WITH: how many rows they meet is not known, for their conditions are not read."""
    if not operation.writes or not _CHANGES.search(operation.sql) or _BOUND.search(operation.sql):
        return
    changed = [name for name in operation.writes if is_old(at, name, operation.writes) and not at.is_small(name)]
    if changed:
        yield finding(
            at,
            f"an open number of rows of {changed[0].name} is changed in one transaction",
            axis="blocks",
            severity="warning",
            why=f"{size(at, changed[0])}{traffic(at, changed[0])}: the changed rows stay locked until the commit, and replicas lag",
            remedy=Remedy(summary="bound each run by ranges of the primary key, each in a transaction of its own"),
            near=changed[0].name,
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
