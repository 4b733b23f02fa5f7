"""Constraints of an existing table: SQLite 3.53 adds CHECKs and drops CHECKs and NOT NULLs; every other change is a rebuild."""

from __future__ import annotations

from driftflow.dialects.sqlite import probes
from driftflow.dialects.sqlite.effects.column import plain_table, set_not_null
from driftflow.dialects.sqlite.effects.prediction import Prediction
from driftflow.dialects.sqlite.keys import column_named
from driftflow.model.catalog import Check, Exclusion, ForeignKey, IndexPart, NotNull, PrimaryKey, Table, Unique
from driftflow.model.operations import AddConstraint, DropConstraint, SetNotNull


def add_constraint(p: Prediction, operation: AddConstraint) -> None:
    constraint, name = operation.constraint, operation.table
    if isinstance(constraint, NotNull):
        set_not_null(p, SetNotNull(table=name, column=constraint.column))
        return
    table = plain_table(p, name, "alter")
    taken = {held.name.lower() for held in table.constraints if held.name} if table else set()
    if constraint.name and constraint.name.lower() in taken:
        p.fails("exists", f"{name.name} already has a constraint {constraint.name}", relation=name, certain=True)
    match constraint:
        case Check():
            if p.alters_constraints("ADD CONSTRAINT ... CHECK"):
                p.writes(name)
                p.does("scan", name, "the check is tried on every row")
            if not p.is_empty(table):
                p.fails(
                    "check_violations",
                    f"rows of {name.name} for which {constraint.expression} is false",
                    relation=name,
                    probe=probes.violations(name, constraint.expression),
                )
                p.breaks(f"an INSERT or UPDATE that violates {constraint.name or constraint.expression} fails", name)
        case PrimaryKey() | Unique():
            p.never("ADD PRIMARY KEY" if isinstance(constraint, PrimaryKey) else "ADD UNIQUE")
            _key(p, operation, constraint, table)
        case ForeignKey():
            p.never("ADD FOREIGN KEY")
            _foreign_key(p, operation, constraint, table)
        case Exclusion():
            p.fails("unsupported", "SQLite has no exclusion constraints", certain=True)


def _key(p: Prediction, operation: AddConstraint, key: PrimaryKey | Unique, table: Table | None) -> None:
    name = operation.table
    _columns_exist(p, table, key.columns)
    if isinstance(key, PrimaryKey) and table is not None and table.primary_key is not None:
        p.fails("exists", f"{name.name} already has a primary key", relation=name, certain=True)
    if p.is_empty(table):
        return
    parts = key.parts or tuple(IndexPart(column=column) for column in key.columns)
    p.fails(
        "duplicates",
        f"rows of {name.name} that share {', '.join(key.columns)}",
        relation=name,
        probe=probes.duplicates(name, probes.key_of(parts)),
    )
    p.breaks(f"an INSERT or UPDATE that repeats {', '.join(key.columns)} fails", name)


def _foreign_key(p: Prediction, operation: AddConstraint, key: ForeignKey, table: Table | None) -> None:
    name = operation.table
    _columns_exist(p, table, key.columns)
    parent = p.catalog.table(key.referenced)
    if parent is None and p.catalog.complete:
        p.fails("missing", f"the referenced table {key.referenced.name} does not exist", relation=key.referenced)
    elif parent is not None and not references_a_key(parent, key):
        columns = ", ".join(key.referenced_columns)
        p.fails(
            "dependency", f"{parent.name.name} has no unique key over {columns}: every write would fail", relation=parent.name
        )
    if parent is not None and not p.is_empty(table):
        p.fails(
            "orphans",
            f"rows of {name.name} whose {', '.join(key.columns)} points at nothing",
            relation=name,
            probe=probes.orphans(name, key),
        )
        p.breaks(f"with foreign_keys on, an INSERT or UPDATE of {name.name} that points at nothing fails", name)


def references_a_key(parent: Table, key: ForeignKey) -> bool:
    """The parent's columns need the primary key or a unique index without a predicate, or SQLite says `foreign key mismatch` on every write."""
    wanted = {column.lower() for column in key.referenced_columns}
    keys = [held.columns for held in parent.constraints if isinstance(held, (PrimaryKey, Unique))]
    keys += [
        index.columns
        for index in parent.indexes
        if index.unique and not index.predicate and len(index.columns) == len(index.parts)
    ]
    return any({column.lower() for column in columns} == wanted for columns in keys)


def _columns_exist(p: Prediction, table: Table | None, columns: tuple[str, ...]) -> None:
    for column in columns:
        if table is not None and column_named(table, column) is None:
            p.fails("missing", f"{table.name.name} has no column {column}", relation=table.name, certain=True)


def drop_constraint(p: Prediction, operation: DropConstraint) -> None:
    name = operation.table
    table = plain_table(p, name, "alter")
    constraint = table.constraint(operation.name) if table is not None else None
    if table is not None and constraint is None and not operation.if_exists:
        p.fails("missing", f"{name.name} has no constraint {operation.name}", relation=name, certain=True)
    if operation.if_exists:
        p.fails("unsupported", "SQLite's DROP CONSTRAINT has no IF EXISTS", certain=True)
    if isinstance(constraint, (PrimaryKey, Unique, ForeignKey)):
        p.never(f"DROP CONSTRAINT for a {type(constraint).__name__}")
    elif p.alters_constraints("DROP CONSTRAINT"):
        p.writes(name)
    if isinstance(constraint, (PrimaryKey, Unique)):
        for holder, key in p.catalog.referencing(name):
            if set(key.referenced_columns) == set(constraint.columns):
                p.breaks(
                    f"foreign keys of {holder.name.name} point at this key: writes there fail with foreign_keys on", holder.name
                )
    p.loses(f"constraint {operation.name}: the database no longer guarantees it", name, reversible=True)
