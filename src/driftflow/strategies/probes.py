"""What the catalog can say about a statement that ran outside a transaction: done, not done, or half done with its repair.

Where DDL takes part in transactions, only forms that exist on one vendor are asked here, so the queries may name that vendor's catalog.
Where it does not, every statement is asked about (`dialects/mysql/probes.py`).
"""

from __future__ import annotations

from collections.abc import Sequence

from driftflow.dialects.base import Capability, Dialect
from driftflow.model.catalog import Catalog
from driftflow.model.names import Name
from driftflow.model.operations import DetachPartition, DropIndex, Operation, Reindex, RewriteTable
from driftflow.model.plan import Probe


def probe_of(operations: Sequence[Operation], before: Catalog, dialect: Dialect) -> Probe | None:
    """The probe of one statement, or None where only a person can say. `before` is the catalog that its first operation finds."""
    if not dialect.can(Capability.TRANSACTIONAL_DDL, before.version):
        from driftflow.dialects.mysql.probes import probe_of_statement

        return probe_of_statement(operations, before)
    operation = operations[0]
    match operation:
        case DropIndex(concurrently=True):
            return _dropped(operation.name, dialect)
        case DetachPartition():
            return _detached(operation, dialect)
        case Reindex(concurrently=True):
            return _reindexed(operation, before, dialect)
        case RewriteTable(action="vacuum" | "vacuum_full" | "analyze" | "optimize"):
            return Probe(query="SELECT 'not_done'")  # running it once more does no harm
        case _:
            return None


def _regclass(name: Name, dialect: Dialect) -> str:
    return dialect.literal(dialect.quote_name(name))


def _dropped(name: Name, dialect: Dialect) -> Probe:
    """An interrupted DROP INDEX CONCURRENTLY leaves the index INVALID; the same statement once more removes it."""
    where = _regclass(name, dialect)
    return Probe(
        query=f"SELECT CASE WHEN to_regclass({where}) IS NULL THEN 'done' ELSE 'not_done' END",
    )


def _detached(operation: DetachPartition, dialect: Dialect) -> Probe:
    """An interrupted DETACH CONCURRENTLY leaves the partition detach-pending; FINALIZE ends it, and the next look says done."""
    child, parent = _regclass(operation.partition, dialect), _regclass(operation.table, dialect)
    link = f"SELECT 1 FROM pg_inherits AS i WHERE i.inhrelid = to_regclass({child}) AND i.inhparent = to_regclass({parent})"
    # Through to_jsonb because the column came with PostgreSQL 14, as the statement did.
    pending = f"{link} AND to_jsonb(i) ->> 'inhdetachpending' = 'true'"
    finalize = (
        f"ALTER TABLE {dialect.quote_name(operation.table)} DETACH PARTITION {dialect.quote_name(operation.partition)} FINALIZE"
    )
    return Probe(
        query=f"SELECT CASE WHEN NOT EXISTS ({link}) THEN 'done' WHEN EXISTS ({pending}) THEN 'half_done' ELSE 'not_done' END",
        repair=(finalize,),
    )


def _reindexed(operation: Reindex, before: Catalog, dialect: Dialect) -> Probe:
    """Rebuilding once more does no harm; what an interrupted one left (`_ccnew`, INVALID) is dropped first."""
    names = [operation.name] if operation.name is not None else []
    if operation.kind == "table" and operation.name is not None and (table := before.table(operation.name)) is not None:
        names = [index.name for index in table.indexes]
    leftovers = tuple(
        f"DROP INDEX CONCURRENTLY IF EXISTS {dialect.quote_name(Name(schema=name.schema, name=f'{name.name}_ccnew'))}"
        for name in names
    )
    if not leftovers:
        return Probe(query="SELECT 'not_done'")
    found = " OR ".join(
        f"to_regclass({_regclass(Name(schema=name.schema, name=f'{name.name}_ccnew'), dialect)}) IS NOT NULL" for name in names
    )
    return Probe(query=f"SELECT CASE WHEN {found} THEN 'half_done' ELSE 'not_done' END", repair=leftovers)
