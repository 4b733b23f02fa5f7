"""ALTER COLUMN TYPE: whether the table is written anew, only indexes are, or nothing but the catalog changes."""

from __future__ import annotations

import re

from driftflow.dialects.postgresql.effects import probes
from driftflow.dialects.postgresql.effects.expressions import mentions
from driftflow.dialects.postgresql.effects.foreign_key import revalidate
from driftflow.dialects.postgresql.effects.locks import ACCESS_EXCLUSIVE, SHARE, SHARE_UPDATE_EXCLUSIVE
from driftflow.dialects.postgresql.effects.prediction import Prediction
from driftflow.dialects.postgresql.effects.relations import existing, lock_tree, rewrite, with_storage
from driftflow.dialects.postgresql.effects.types import INTEGER_RANGES, Type, castable, change, constrained, read_type
from driftflow.dialects.postgresql.names import quote
from driftflow.dialects.proof import strip_parentheses
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
    _casts(p, operation, column, old, new)
    _values(p, operation, old, new)
    rewrites = _changes_values(operation) or change(old, new, zero_offset=_zero_offset(p.catalog)) == "rewrite"
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
    for part in with_storage(tables):
        if any(
            isinstance(item, Check) and item.enforced and mentions(item.expression, operation.column) for item in part.constraints
        ):
            p.does("scan", part.name, "checks that mention the column are verified again")
    revalidate(p, table, operation.column)
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
            elif not same_order:
                p.does("rewrite", index.name, "the order of its keys may change")
    return {index.name.text for index in indexes}


def _covers(index: Index, column: str) -> bool:
    return (
        column in (*index.columns, *index.include)
        or any(mentions(part.expression, column) for part in index.parts)
        or mentions(index.predicate, column)
    )


def _same_order(column: Column, operation: AlterColumnType, old: Type, new: Type) -> bool:
    """Whether an index may keep its file: same collation, same operator family for stored values (timestamps change theirs)."""
    collation = operation.collation.rsplit(".", 1)[-1].strip('"')
    if collation and collation != (column.collation.rsplit(".", 1)[-1].strip('"') or "default"):
        return False
    return old.name == new.name or {old.family, new.family} <= {"string", "network"}


def _changes_values(operation: AlterColumnType) -> bool:
    """USING with anything but the column itself, or a plain cast of it to the new type."""
    using = strip_parentheses(operation.using).replace('"', "")
    if not using or using == operation.column:
        return False
    cast = re.fullmatch(rf"{re.escape(operation.column)}::(.+)", using)
    return cast is None or cast[1].replace(" ", "") != operation.type.replace('"', "").replace(" ", "")


def _zero_offset(catalog: Catalog) -> bool:
    """Whether the session's time zone is known to be UTC for good. Unknown counts as not."""
    zone = next((value for name, value in catalog.settings.items() if name.lower() in ("timezone", "time zone")), "")
    return zone.strip("'\" ").lower() in _ZERO_OFFSET


def _in_the_way(p: Prediction, table: Table, column: Column) -> None:
    """Views, generated columns, policies and triggers that name the column make the server refuse."""
    key = f"{table.name.text}.{column.name}"
    for view in p.catalog.views.values():
        if key in view.depends_on_columns:
            p.fails(
                "dependency",
                f"view {view.name.text} uses {column.name}: drop it and make it again in the same transaction",
                relation=view.name,
                certain=True,
            )
        elif table.name in view.depends_on and not view.depends_on_columns:
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
    if table.partitioning is not None and any(mentions(part, column.name) for part in table.partitioning.key):
        p.fails("dependency", f"{column.name} is part of the partition key", relation=table.name, certain=True)


def _casts(p: Prediction, operation: AlterColumnType, column: Column, old: Type, new: Type) -> None:
    if not operation.using and castable(old, new) is False:
        p.fails(
            "bad_cast",
            f"{column.type} cannot be cast to {operation.type} automatically: USING is needed",
            relation=operation.table,
            certain=True,
        )
    if column.default is not None and column.generated is None and castable(old, new) is False:
        p.fails(
            "bad_cast",
            f"the default of {column.name} cannot be cast to {operation.type} automatically: drop it first",
            relation=operation.table,
            certain=True,
        )


def _values(p: Prediction, operation: AlterColumnType, old: Type, new: Type) -> None:
    """What the stored values may not survive: an error, or a silent change."""
    if operation.using and _changes_values(operation):
        p.loses(f"whatever the USING expression does not keep of {operation.column}", operation.table)
    column, table = quote(operation.column), operation.table
    if new.defined is not None and new.defined.kind == "enum" and (old.defined is None or old.defined.name != new.defined.name):
        labels = ", ".join("'" + label.replace("'", "''") + "'" for label in new.defined.labels)
        p.fails(
            "bad_cast",
            f"{operation.column} holds values that {new.defined.name.name} has no label for",
            relation=table,
            probe=probes.matching(table, f"{column}::text NOT IN ({labels})"),
        )
    elif operation.using and not old.family and not old.array and new.family not in ("", "string"):
        p.fails("bad_cast", f"{operation.column} holds values that are no {operation.type}", relation=table)
    elif old.family == "string" and new.family != "string" and operation.using:
        p.fails("bad_cast", f"{operation.column} holds text that is no {operation.type}", relation=table)
    if constrained(new) and new.domain is not None and new.domain != old.domain:
        checks = " AND ".join(re.sub(r"\bVALUE\b", column, item.expression, flags=re.IGNORECASE) for item in new.domain.checks)
        p.fails(
            "check_violations",
            f"{operation.column} holds values that the domain refuses",
            relation=table,
            probe=probes.violations(table, checks) if checks else probes.nulls(table, operation.column),
        )
    _narrowing(p, operation, old, new)


def _narrowing(p: Prediction, operation: AlterColumnType, old: Type, new: Type) -> None:
    column, table = quote(operation.column), operation.table
    if operation.using and _changes_values(operation):
        return
    if (
        new.family == "string"
        and new.arguments
        and (old.family != "string" or not old.arguments or old.arguments[0] > new.arguments[0])
    ):
        limit = new.arguments[0]
        p.fails(
            "too_long",
            f"{operation.column} holds values longer than {limit} characters",
            relation=table,
            probe=probes.matching(table, f"char_length({column}::text) > {limit}"),
        )
    if new.name in INTEGER_RANGES and old.family == "number" and not _fits_integer(old, new):
        low, high = INTEGER_RANGES[new.name]
        p.fails(
            "out_of_range",
            f"{operation.column} holds values outside {new.name}",
            relation=table,
            probe=probes.matching(table, f"{column} NOT BETWEEN {low} AND {high}"),
        )
        if old.name not in INTEGER_RANGES:
            p.loses(f"the fraction of {operation.column}: values are rounded", table)
    if new.name == "numeric" and new.arguments:
        scale = new.arguments[1] if len(new.arguments) > 1 else 0
        scale_old = old.arguments[1] if len(old.arguments) > 1 else (0 if old.arguments else 99)
        if old.name == "numeric" and scale < scale_old:
            p.loses(f"digits of {operation.column} behind the point beyond {scale}: values are rounded", table)
        whole = new.arguments[0] - scale
        whole_old = old.arguments[0] - scale_old if old.name == "numeric" and old.arguments else 99
        if whole < whole_old:
            p.fails(
                "out_of_range",
                f"{operation.column} holds values with more than {whole} digits before the point",
                relation=table,
                probe=probes.matching(table, f"abs({column}) >= 10::numeric ^ {whole}"),
            )
    if (
        old.family == "datetime"
        and new.family == "datetime"
        and new.arguments
        and new.arguments[0] < (old.arguments[0] if old.arguments else 6)
    ):
        p.loses(f"fractions of a second of {operation.column}: values are rounded", table)
    if old.name.startswith("timestamp") and new.name == "date":
        p.loses(f"the time of day of {operation.column}", table)
    if (old.name, new.name) == ("json", "jsonb"):
        p.fails(
            "bad_cast", f"{operation.column} holds documents that jsonb refuses (\\u0000, numbers beyond numeric)", relation=table
        )
        p.loses(f"key order, duplicate keys and white space of the documents in {operation.column}", table)
    if {old.name, new.name} == {"timestamp without time zone", "timestamp with time zone"}:
        p.breaks(
            f"values of {operation.column} are read in the migration session's time zone: a wrong one shifts them",
            table,
            operation.column,
        )


def _fits_integer(old: Type, new: Type) -> bool:
    order = list(INTEGER_RANGES)
    return old.name in order and order.index(old.name) <= order.index(new.name)
