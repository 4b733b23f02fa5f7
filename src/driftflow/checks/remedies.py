"""Safer forms as SQL that is ready to paste. One function per recipe; every check that needs the recipe uses the same words."""

from __future__ import annotations

from collections.abc import Sequence

from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.model.catalog import Check, ForeignKey, Index, IndexPart, NotNull, PrimaryKey, Unique
from driftflow.model.finding import Remedy
from driftflow.model.names import Name
from driftflow.model.operations import AddConstraint, CreateIndex, Operation, SetNotNull, ValidateConstraint
from driftflow.model.record import replace


def sql(at: Situation, *operations: Operation) -> str:
    """The operations as statements, one after the other."""
    return ";\n".join(at.dialect.render(operation) for operation in operations) + ";"


def quote(at: Situation, *identifiers: str) -> str:
    return ", ".join(at.dialect.quote(identifier) for identifier in identifiers)


def prove_not_null(at: Situation, table: Name, column: str) -> Remedy:
    """NOT VALID first, the scan later and beside the traffic, then the flag without a scan."""
    if at.can(Capability.NOT_VALID_NOT_NULL):
        item = NotNull(name=f"{table.name}_{column}_not_null", column=column, validated=False)
        steps = (AddConstraint(table=table, constraint=item), ValidateConstraint(table=table, name=item.name))
        return Remedy(
            summary="add the NOT NULL constraint NOT VALID, validate it in its own transaction: readers and writers pass (prove_not_null)",
            sql=_apart(at, steps),
        )
    check = Check(name=f"{table.name}_{column}_not_null", expression=f"{at.dialect.quote(column)} IS NOT NULL", validated=False)
    steps_before = (AddConstraint(table=table, constraint=check), ValidateConstraint(table=table, name=check.name))
    end = f"{at.dialect.render(SetNotNull(table=table, column=column))};  -- instant: the check proves it\n"
    drop = f"ALTER TABLE {at.dialect.quote_name(table)} DROP CONSTRAINT {quote(at, check.name)};"
    return Remedy(
        summary="add a NOT VALID check, validate it in its own transaction, then SET NOT NULL without a scan (prove_not_null)",
        sql=f"{_apart(at, steps_before)}\n{end}{drop}",
    )


def validate_later(at: Situation, table: Name, constraint: Check | ForeignKey) -> Remedy:
    """NOT VALID guards new rows at once; the scan of old rows runs under a lock that lets traffic pass."""
    name = constraint.name or f"{table.name}_{'_'.join(getattr(constraint, 'columns', ())) or 'check'}"
    item = replace(constraint, name=name, validated=False)
    what, recipe = ("foreign key", "add_foreign_key") if isinstance(constraint, ForeignKey) else ("check", "add_check")
    return Remedy(
        summary=f"add the {what} NOT VALID, then validate it in a transaction of its own ({recipe})",
        sql=_apart(at, (AddConstraint(table=table, constraint=item), ValidateConstraint(table=table, name=name))),
    )


def _apart(at: Situation, steps: Sequence[Operation]) -> str:
    first, second = (at.dialect.render(step) for step in steps)
    return f"{first};\n-- a transaction of its own:\n{second};"


def build_online(at: Situation, index: Index, *, note: str = "") -> Remedy:
    """CREATE INDEX CONCURRENTLY, alone and outside a transaction."""
    operation = CreateIndex(index=index, concurrently=True)
    return Remedy(
        summary=f"build it concurrently, outside a transaction{note} (build_index_online)",
        sql=f"{at.dialect.render(operation)};",
    )


def build_on_partitions(at: Situation, index: Index) -> Remedy:
    """A partitioned parent refuses CONCURRENTLY: an invalid index on the parent, one concurrent build per partition, then attach."""
    parent = at.dialect.render(CreateIndex(index=index, only=True))
    lines = [f"{parent};"]
    for part in at.catalog.partitions(index.table):
        name = Name(schema=part.name.schema, name=f"{part.name.name}_{index.name.name}"[:63])
        lines.append(f"{at.dialect.render(CreateIndex(index=replace(index, name=name, table=part.name), concurrently=True))};")
        lines.append(f"ALTER INDEX {at.dialect.quote_name(index.name)} ATTACH PARTITION {at.dialect.quote_name(name)};")
    return Remedy(
        summary="create it ON ONLY the parent, build it concurrently on each partition, attach each (build_partitioned_index)",
        sql="\n".join(lines),
    )


def add_unique(at: Situation, table: Name, constraint: Unique | PrimaryKey) -> Remedy:
    """The unique index is built beside the traffic; the constraint takes it over in an instant."""
    kind = "PRIMARY KEY" if isinstance(constraint, PrimaryKey) else "UNIQUE"
    name = constraint.name or f"{table.name}_{'_'.join(constraint.columns)}_key"
    index = Index(
        name=Name(schema=table.schema, name=name),
        table=table,
        parts=tuple(IndexPart(column=column) for column in constraint.columns),
        unique=True,
        nulls_not_distinct=isinstance(constraint, Unique) and constraint.nulls_not_distinct,
    )
    build = at.dialect.render(CreateIndex(index=index, concurrently=True))
    take = f"ALTER TABLE {at.dialect.quote_name(table)} ADD CONSTRAINT {quote(at, name)} {kind} USING INDEX {quote(at, name)}"
    return Remedy(
        summary="build a unique index concurrently, then let the constraint take it over (add_unique)",
        sql=f"{build};  -- outside a transaction\n{take};",
    )


def shadow_column(at: Situation, table: Name, column: str, type: str) -> Remedy:
    """A second column of the new type, kept in step by a trigger, filled in chunks, swapped in an instant."""
    new = f"{column}_new"
    return Remedy(
        summary="expand: a second column of the new type, kept in step by a trigger, filled in chunks, then swapped by two renames",
        sql=(
            f"ALTER TABLE {at.dialect.quote_name(table)} ADD COLUMN {quote(at, new)} {type};\n"
            f"-- a BEFORE INSERT OR UPDATE trigger sets {new}; then, in chunks by primary key:\n"
            f"UPDATE {at.dialect.quote_name(table)} SET {quote(at, new)} = {quote(at, column)}::{type} WHERE {quote(at, new)} IS NULL AND …;"
        ),
    )
