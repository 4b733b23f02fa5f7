"""ALTER COLUMN TYPE: whether the table is written anew, only indexes are, or nothing but the catalog changes."""

from __future__ import annotations

from driftflow.dialects.postgresql.effects.column_values import changes_values, refuse_casts, refuse_values
from driftflow.dialects.postgresql.effects.expressions import mentions
from driftflow.dialects.postgresql.effects.foreign_key import revalidate
from driftflow.dialects.postgresql.effects.locks import ACCESS_EXCLUSIVE, SHARE, SHARE_UPDATE_EXCLUSIVE
from driftflow.dialects.postgresql.effects.prediction import Prediction
from driftflow.dialects.postgresql.effects.relations import descendants, existing, lock_tree, rewrite, with_storage
from driftflow.dialects.postgresql.effects.statistics import made_again
from driftflow.dialects.postgresql.effects.types import Type, change, read_type
from driftflow.model.catalog import Catalog, Check, Column, Index, Table
from driftflow.model.operations import AlterColumnType

_ZERO_OFFSET = frozenset(
    {
        "utc",
        "etc/utc",
        "gmt",
        "etc/gmt",
        "zulu",
        "etc/zulu",
        "universal",
        "etc/universal",
        "uct",
        "etc/uct",
        "greenwich",
        "0",
        "+0",
        "+00",
        "+00:00",
    }
)


def alter_column_type(p: Prediction, operation: AlterColumnType) -> None:
    """ACCESS EXCLUSIVE always. What follows depends on both types, on USING, on the collation and, for timestamps, on the session's time zone."""
    table = existing(p, operation.table)
    tables = lock_tree(p, operation.table, ACCESS_EXCLUSIVE, only=operation.only)
    column = table.column(operation.column) if table is not None else None
    if table is None:
        p.does("scan", operation.table, "the old type is not known: a rewrite is assumed")
        p.does("rewrite", operation.table, "the old type is not known: a rewrite is assumed")
        return
    if column is None:
        p.fails(
            "missing", f'column "{operation.column}" of "{table.name.text}" does not exist', relation=table.name, certain=True
        )
        return
    _in_the_way(p, table, column)
    old, new = read_type(column.type, p.catalog), read_type(operation.type, p.catalog)
    refuse_casts(p, operation, table, column)
    refuse_values(p, operation, column, old, new)
    rewrites = changes_values(operation) or change(old, new, zero_offset=_zero_offset(p.catalog)) == "rewrite"
    touched = set()
    for part in tables:
        touched |= _apply(
            p,
            part,
            operation,
            rewrites=rewrites,
            same_order=_same_order(column, operation, old, new),
            why=f"{old.name} becomes {new.name}",
        )
    made_again(p, table, operation.column)
    for part in with_storage(tables):
        if any(
            isinstance(item, Check) and item.enforced and item.validated and mentions(item.expression, operation.column)
            for item in part.constraints
        ):
            p.does("scan", part.name, "checks that mention the column are verified again")
            if old.family != new.family or changes_values(operation):
                p.fails(
                    "bad_cast",
                    f"a check mentions {operation.column}, and may not hold for a {operation.type}",
                    relation=part.name,
                )
    revalidate(p, table, operation.column, operation.type, anew=rewrites)
    p.breaks(f"prepared statements and code that expect {column.type}", table.name, operation.column)


def _apply(p: Prediction, table: Table, operation: AlterColumnType, *, rewrites: bool, same_order: bool, why: str) -> set[str]:
    """One table of the tree. Indexes on the column are made again; they keep their files when the order of the values stays."""
    indexes = [index for index in table.indexes if _covers(index, operation.column)]
    if rewrites and table.partitioning is None:
        rewrite(p, table, why)
    elif indexes:
        p.lock(table.name, SHARE)
        if not same_order and table.partitioning is None:
            p.does("scan", table.name, "indexes on the column are built anew")
        for index in indexes:
            p.lock(index.name, ACCESS_EXCLUSIVE, why=f"index on {operation.column}")
            if table.partitioning is not None:
                p.lock(index.name, SHARE_UPDATE_EXCLUSIVE)
            elif index.parent is not None and same_order:
                p.does("scan", table.name, "its part of a partitioned index is built anew")
            elif not same_order:
                p.does("rewrite", index.name, "the order of its keys may change")
    return {index.name.text for index in indexes}


def _covers(index: Index, column: str) -> bool:
    return (
        column in index.columns
        or column in index.include
        or any(mentions(part.expression, column) for part in index.parts)
        or mentions(index.predicate, column)
    )


def _same_order(column: Column, operation: AlterColumnType, old: Type, new: Type) -> bool:
    """Whether an index may keep its file: same collation, same operator family for stored values (timestamps change theirs)."""
    collation = operation.collation.rsplit(".", 1)[-1].strip('"')
    if collation and collation != (column.collation.rsplit(".", 1)[-1].strip('"') or "default"):
        return False
    return old.name == new.name or {old.family, new.family} <= {"string", "network"}


def _zero_offset(catalog: Catalog) -> bool:
    """Whether the session's time zone is known to be UTC for good. Unknown counts as not."""
    zone = next((value for name, value in catalog.settings.items() if name.lower() in ("timezone", "time zone")), "")
    return zone.strip("'\" ").lower() in _ZERO_OFFSET


def _in_the_way(p: Prediction, table: Table, column: Column) -> None:
    """Views, generated columns, policies and triggers that name the column make the server refuse."""
    key = f"{table.name.text}.{column.name}"
    for view in p.catalog.readers_of(table.name):
        if key in view.depends_on_columns:
            p.fails(
                "dependency",
                f"view {view.name.text} uses {column.name}: drop it and make it again in the same transaction",
                relation=view.name,
                certain=True,
            )
        elif not view.depends_on_columns:
            p.fails("dependency", f"view {view.name.text} may use {column.name}", relation=view.name)
    for other in table.columns:
        if other.name != column.name and other.generated is not None and mentions(other.generated.expression, column.name):
            p.fails("dependency", f"generated column {other.name} uses {column.name}", relation=table.name, certain=True)
    for policy in table.policies:
        if mentions(policy.using, column.name) or mentions(policy.check, column.name):
            p.fails("dependency", f"policy {policy.name} uses {column.name}", relation=table.name, certain=True)
    for trigger in table.triggers:
        if column.name in trigger.update_columns:
            p.fails("dependency", f"trigger {trigger.name} names {column.name}", relation=table.name, certain=True)
    for one in (table, *descendants(p.catalog, table.name)):
        if one.partitioning is not None and any(mentions(part, column.name) for part in one.partitioning.key):
            whose = "" if one is table else f" of {one.name.name}"
            p.fails("dependency", f"{column.name} is part of the partition key{whose}", relation=one.name, certain=True)
