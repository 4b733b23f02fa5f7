"""Columns: what adding, dropping, renaming and altering one locks and does. Type changes are in column_type.py."""

from __future__ import annotations

from driftflow.dialects.postgresql.effects import constraint, probes
from driftflow.dialects.postgresql.effects.column_default import (
    draw_numbers,
    fits_type,
    may_violate,
    new_sequence,
    refuse_default,
)
from driftflow.dialects.postgresql.effects.expressions import is_volatile, mentions, missing_function
from driftflow.dialects.postgresql.effects.locks import (
    ACCESS_EXCLUSIVE,
    SHARE_UPDATE_EXCLUSIVE,
)
from driftflow.dialects.postgresql.effects.prediction import Prediction
from driftflow.dialects.postgresql.effects.reads import refuse_columns, refuse_query, refuse_unknown
from driftflow.dialects.postgresql.effects.relations import (
    altered,
    existing,
    lock_tree,
    made_sequence,
    owned_sequences,
    rewrite_tree,
    scan_tree,
    tree,
)
from driftflow.dialects.postgresql.effects.statistics import made_again
from driftflow.dialects.postgresql.effects.types import constrained, may_be_toasted, read_type
from driftflow.dialects.proof import proves_not_null
from driftflow.model.catalog import Check, Column, ForeignKey, Table
from driftflow.model.names import Name
from driftflow.model.operations import (
    AddColumn,
    DropColumn,
    DropDefault,
    DropNotNull,
    RenameColumn,
    SetColumnOption,
    SetDefault,
    SetNotNull,
)
from driftflow.model.record import replace


def add_column(p: Prediction, operation: AddColumn) -> None:
    """Catalog-only for a constant or stable default since 11; everything else that fills rows writes the table anew."""
    table = existing(p, operation.table)
    tables = lock_tree(p, operation.table, ACCESS_EXCLUSIVE, only=operation.only)
    column = operation.column
    if table is not None and table.column(column.name) is not None:
        if not operation.if_not_exists:
            p.fails("exists", f'column "{column.name}" of "{table.name.text}" exists already', relation=table.name, certain=True)
        return
    _check_syntax(p, column)
    if operation.only and len(tree(p, operation.table)) > 1:
        p.fails(
            "dependency",
            "the column must be added to the child tables too: ONLY is refused",
            relation=operation.table,
            certain=True,
        )
    kept = table is not None and table.partitioning is not None and p.at_least(17)
    if column.identity is not None and not kept and len(tables) > 1:
        p.fails(
            "unsupported", "an identity column cannot be added to a table with children", relation=operation.table, certain=True
        )
    reason = _rewrite_reason(p, operation.table, column)
    new_sequence(p, operation.table, column)
    if reason:
        rewrite_tree(p, tables, reason)
        draw_numbers(p, column)
    refuse_default(p, operation.table, column)
    _refuse_expressions(p, table, operation)
    _refuse_nulls(p, operation, tables)
    filled = column.default is not None or bool(reason)
    for item in operation.constraints:
        _inline(p, operation, item, tables, filled=filled)


def _refuse_expressions(p: Prediction, table: Table | None, operation: AddColumn) -> None:
    column = operation.column
    if column.default is not None:
        refuse_columns(p, table, column.default)
    if column.generated is not None:
        refuse_unknown(p, table, column.generated.expression)
    for item in operation.constraints:
        if isinstance(item, Check):
            refuse_unknown(p, table, item.expression, beside=(column,))
            refuse_query(p, table, item.expression, "a check")


def _check_syntax(p: Prediction, column: Column) -> None:
    if column.generated is not None and not column.generated.stored:
        p.needs_version(18, "a virtual generated column")
    if column.default is not None and (missing := missing_function(column.default, p.catalog, p.at_least)):
        p.fails(
            "missing",
            f"function {missing}() does not exist before its version; on {p.major} it is an error",
            certain=p.catalog.complete,
        )


def _rewrite_reason(p: Prediction, table: Name, column: Column) -> str:
    """Why every row is written, or nothing."""
    if made_sequence(p.catalog, table, column) is not None:
        return f"each row gets its own number for {column.name}"
    if column.generated is not None:
        return f"{column.name} is computed for each row" if column.generated.stored else ""
    if constrained(read_type(column.type, p.catalog)):
        return f"the domain {column.type} has a constraint to check"
    if column.default is not None and is_volatile(column.default, p.catalog):
        return f"the default {column.default} is volatile: each row gets its own value"
    return ""


def _refuse_nulls(p: Prediction, operation: AddColumn, tables: tuple[Table, ...]) -> None:
    column = operation.column
    base = read_type(column.type, p.catalog)
    has_value = column.default is not None or column.generated is not None or column.identity is not None or column.serial
    not_null = not column.nullable or (base.domain is not None and not base.domain.nullable)
    if not_null and not has_value and not (base.domain is not None and base.domain.default):
        scan_tree(p, tables, "NOT NULL without a default")
        if not all(table.new for table in tables) or not tables:
            p.fails(
                "not_empty",
                f'column "{column.name}" is NOT NULL and has no default: fails as soon as {operation.table.name} has one row',
                relation=operation.table,
                probe=probes.rows(operation.table),
            )
    if not_null and not has_value:
        p.breaks(f"an INSERT that does not name {column.name} fails", operation.table, column.name)


def _inline(p: Prediction, operation: AddColumn, item: object, tables: tuple[Table, ...], *, filled: bool) -> None:
    """A constraint written behind the column."""
    table = operation.table
    match item:
        case ForeignKey():
            made = tuple(replace(one, columns=(*one.columns, operation.column)) for one in tables)
            constraint.add_foreign_key(p, table, item, made, scans=filled and item.validated, only=operation.only)
        case Check():
            if item.enforced:
                scan_tree(p, tables, "the check is verified for every row, even when the new column is NULL everywhere")
                may_violate(p, operation, item, tables)
        case _:
            constraint.add_key(p, table, item, tables, new_column=operation.column)


def drop_column(p: Prediction, operation: DropColumn) -> None:
    """Catalog-only; the data is gone all the same, and so are indexes and constraints that contain the column."""
    table = existing(p, operation.table)
    missing = table is not None and table.column(operation.column) is None
    lock_tree(p, operation.table, ACCESS_EXCLUSIVE, only=operation.only or missing)
    if table is None:
        p.loses(f"column {operation.column} and its data", operation.table)
        return
    if table.column(operation.column) is None:
        if not operation.if_exists:
            p.fails(
                "missing", f'column "{operation.column}" of "{table.name.text}" does not exist', relation=table.name, certain=True
            )
        return
    p.loses(f"column {operation.column} and its data", table.name)
    p.lock_all(owned_sequences(p.catalog, table.name, operation.column), ACCESS_EXCLUSIVE, why=f"dropped with {operation.column}")
    if operation.only and table.partitioning is not None and len(tree(p, table.name)) > 1:
        p.fails(
            "dependency", "the column must be dropped from the partitions too: ONLY is refused", relation=table.name, certain=True
        )
    p.breaks(f"code that still reads or writes {table.name.name}.{operation.column}", table.name, operation.column)
    made_again(p, table, operation.column)
    _dependents_of_column(p, table, operation.column, cascade=operation.cascade)
    for index in table.indexes:
        if (
            operation.column in index.columns
            or operation.column in index.include
            or any(mentions(part.expression, operation.column) for part in index.parts)
        ):
            p.loses(f"index {index.name.name}", table.name)
    for item in table.constraints:
        columns = getattr(item, "columns", ())
        if isinstance(item, ForeignKey) and operation.column in columns:
            p.lock(item.referenced, ACCESS_EXCLUSIVE, why=f"referenced by {item.name}, which goes with the column")
        if operation.column in columns and len(columns) > 1:
            p.loses(f"constraint {item.name}, which covers other columns too", table.name)


def _dependents_of_column(p: Prediction, table: Table, column: str, *, cascade: bool) -> None:
    """Views, generated columns and foreign keys of others stand in the way, or go too with CASCADE."""
    for view in p.catalog.readers_of(table.name):
        known = f"{table.name.text}.{column}" in view.depends_on_columns
        if known or not view.depends_on_columns:
            for one in (view, *(p.catalog.dependents(view.name) if cascade else ())):
                _in_the_way(p, f"view {one.name.text}", one.name, cascade=cascade, certain=known)
    for other in table.columns:
        if other.name != column and other.generated is not None and mentions(other.generated.expression, column):
            _in_the_way(p, f"generated column {other.name}", None, cascade=cascade, certain=True)
    for policy in table.policies:
        if mentions(policy.using, column) or mentions(policy.check, column):
            _in_the_way(p, f"policy {policy.name}", None, cascade=cascade, certain=True)
    for holder, key in p.catalog.referencing(table.name):
        if column in key.referenced_columns and (holder.name != table.name or column not in key.columns):
            _in_the_way(p, f"foreign key {key.name} of {holder.name.name}", holder.name, cascade=cascade, certain=True)


def _in_the_way(p: Prediction, what: str, relation: Name | None, *, cascade: bool, certain: bool) -> None:
    if cascade:
        p.loses(what, relation)
        if relation is not None:
            p.lock(relation, ACCESS_EXCLUSIVE, why="dropped by CASCADE")
    else:
        p.fails("dependency", f"{what} depends on the column", relation=relation, certain=certain)


def rename_column(p: Prediction, operation: RenameColumn) -> None:
    """Instant, and the old name is gone at once for code that is running."""
    if operation.relation_kind == "type":
        return
    table = existing(p, operation.table)
    lock_tree(p, operation.table, ACCESS_EXCLUSIVE, only=operation.only)
    p.breaks(f"code that uses {operation.table.name}.{operation.column}", operation.table, operation.column)
    if table is not None and table.column(operation.column) is None:
        p.fails(
            "missing", f'column "{operation.column}" of "{table.name.text}" does not exist', relation=table.name, certain=True
        )
    if table is not None and table.column(operation.to) is not None:
        p.fails("exists", f'column "{operation.to}" of "{table.name.text}" exists already', relation=table.name, certain=True)


def set_default(p: Prediction, operation: SetDefault) -> None:
    """Catalog-only: existing rows keep their values."""
    tables = altered(p, operation.table, operation.column, only=operation.only)
    column = tables[0].column(operation.column)
    if column is not None:
        fits_type(p, operation.table, operation.default, column.type)
        refuse_columns(p, tables[0], operation.default)


def drop_default(p: Prediction, operation: DropDefault) -> None:
    """Catalog-only; an INSERT that leaves the column out gets NULL from now on, or fails."""
    tables = altered(p, operation.table, operation.column, only=operation.only)
    column = tables[0].column(operation.column) if tables else None
    if column is not None and not column.nullable:
        p.breaks(f"an INSERT that does not name {operation.column} fails", operation.table, operation.column)


def set_not_null(p: Prediction, operation: SetNotNull) -> None:
    """Reads the table under ACCESS EXCLUSIVE, unless a validated constraint proves that there is no NULL (12 and later)."""
    tables = altered(p, operation.table, operation.column, only=operation.only or _stays(p, operation, nullable=False))
    if operation.only and any(
        part.column(operation.column) is not None and not proves_not_null(part, operation.column)
        for part in tree(p, operation.table)[1:]
    ):
        p.fails(
            "dependency", "NOT NULL must be set on the child tables too: ONLY is refused", relation=operation.table, certain=True
        )
    unproved = [table for table in tables if not proves_not_null(table, operation.column)]
    scan_tree(p, unproved, "looks for NULLs")
    if (unproved or not tables) and not (tables and all(table.new for table in tables)):
        p.fails(
            "nulls",
            f"{operation.table.name}.{operation.column} holds NULLs",
            relation=operation.table,
            probe=probes.nulls(operation.table, operation.column),
        )
    p.breaks(f"an INSERT or UPDATE that leaves {operation.column} NULL fails", operation.table, operation.column)


def _stays(p: Prediction, operation: SetNotNull | DropNotNull, *, nullable: bool) -> bool:
    """Whether a partitioned table's column is that already, so that the partitions are not visited."""
    table = p.catalog.table(operation.table)
    column = table.column(operation.column) if table is not None and table.partitioning is not None else None
    return column is not None and column.nullable == nullable


def drop_not_null(p: Prediction, operation: DropNotNull) -> None:
    """Catalog-only."""
    only = operation.only or (p.at_least(18) and _stays(p, operation, nullable=True))
    tables = altered(p, operation.table, operation.column, only=only)
    parent = tables[0].partitioning is not None and len(tree(p, operation.table)) > 1
    if operation.only and parent and not (p.at_least(18) and _stays(p, operation, nullable=True)):
        p.fails(
            "dependency",
            "NOT NULL must be dropped from the partitions too: ONLY is refused",
            relation=operation.table,
            certain=True,
        )
    key = tables[0].primary_key if tables else None
    if key is not None and operation.column in key.columns:
        p.fails("dependency", f'column "{operation.column}" is in a primary key', relation=operation.table, certain=True)


def set_column_option(p: Prediction, operation: SetColumnOption) -> None:
    """Statistics and attribute options take SHARE UPDATE EXCLUSIVE; storage and compression ACCESS EXCLUSIVE. Old rows stay as they are."""
    light = operation.option in ("statistics", "set", "reset")
    if operation.option == "compression":
        p.needs_version(14, "SET COMPRESSION")
    tables = altered(
        p,
        operation.table,
        operation.column,
        only=operation.only or operation.option in ("compression", "set", "reset"),  # these do not recurse
        mode=SHARE_UPDATE_EXCLUSIVE if light else ACCESS_EXCLUSIVE,
    )
    column = tables[0].column(operation.column)
    wants_more = (operation.option, operation.value.lower()) not in (
        ("storage", "plain"),
        ("storage", "default"),
        ("compression", "default"),
    )
    if not light and column is not None and wants_more and may_be_toasted(read_type(column.type, p.catalog)) is False:
        p.fails(
            "unsupported",
            f"{column.type} has a fixed length: its values are neither compressed nor stored apart",
            relation=operation.table,
            certain=True,
        )
