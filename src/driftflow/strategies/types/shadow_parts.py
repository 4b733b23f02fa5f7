"""What hangs on a column, made once more on the column that waits to take its place: online, and before the swap."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from driftflow.dialects.situation import Situation
from driftflow.model.catalog import (
    Catalog,
    Check,
    Constraint,
    ForeignKey,
    Index,
    IndexPart,
    NotNull,
    PrimaryKey,
    Table,
    Unique,
)
from driftflow.model.names import Name
from driftflow.model.operations import AddConstraint, DropConstraint
from driftflow.model.operations.renaming import column_in_table
from driftflow.model.plan import Step, UndoNothing, UndoSteps
from driftflow.model.record import Record, replace
from driftflow.strategies.constraints.constraining import bind_then_validate, guard_duplicates, prove_not_null
from driftflow.strategies.indexes.build_partitioned_index import family_online
from driftflow.strategies.recipe import Recipe
from driftflow.strategies.types import shadow_partitions
from driftflow.strategies.types.shadow_names import waiting

_Bound = TypeVar("_Bound", Check, ForeignKey)


class Parts(Record, frozen=True, kw_only=True):
    """Pairs of what is there and the same over the waiting column, under a name of its own."""

    indexes: tuple[tuple[Index, Index], ...] = ()
    keys: tuple[tuple[PrimaryKey | Unique, Index], ...] = ()
    """Constraints that stand on a unique index, and that index."""
    checks: tuple[tuple[Check, Check], ...] = ()
    foreign_keys: tuple[tuple[Name, ForeignKey, ForeignKey], ...] = ()
    """(table that holds it, the key, the same key): from the column, and to it."""
    not_null: str | None = None
    """Name of the constraint (empty where the server has none); None where the column may be NULL."""
    families: tuple[tuple[tuple[Index, Index], ...], ...] = ()
    """Of a partitioned table: each of `indexes`, with those of its partitions behind it."""

    @property
    def every_index(self) -> tuple[tuple[Index, Index], ...]:
        """Those of the table, and those of its partitions."""
        return tuple(pair for family in self.families for pair in family) or self.indexes


def parts_of(table: Table, catalog: Catalog, column: str, to: str) -> Parts:
    """All of them. `table` and `catalog` are as they were before anything was done."""
    there = column_in_table(table, column, to)
    pairs = [(old, new) for old, new in zip(table.constraints, there.constraints, strict=True) if old != new]
    indexes = [(old, new) for old, new in zip(table.indexes, there.indexes, strict=True) if old != new and not old.constraint]
    found = table.column(column)
    name = next((one.name for one in table.constraints if isinstance(one, NotNull) and one.column == column), "")
    return Parts(
        indexes=tuple((old, replace(new, name=_beside(new.name, to))) for old, new in indexes),
        keys=tuple((old, _key_index(table, new, to)) for old, new in pairs if isinstance(old, PrimaryKey | Unique)),
        checks=tuple((old, _named(new, to)) for old, new in pairs if isinstance(old, Check) and isinstance(new, Check)),
        foreign_keys=(
            *(
                (table.name, old, _named(new, to))
                for old, new in pairs
                if isinstance(old, ForeignKey) and isinstance(new, ForeignKey)
            ),
            *_incoming(table, catalog, column, to),
        ),
        not_null=name if found is not None and not found.nullable else None,
        families=tuple(
            shadow_partitions.beside(catalog, column, to, shadow_partitions.family(catalog, table, old)) for old, _ in indexes
        )
        if table.partitioning is not None
        else (),
    )


def _named(constraint: _Bound, to: str) -> _Bound:
    return replace(constraint, name=waiting(constraint.name, to))


def _beside(name: Name, to: str) -> Name:
    return replace(name, name=waiting(name.name, to))


def _key_index(table: Table, key: Constraint, to: str) -> Index:
    assert isinstance(key, PrimaryKey | Unique)
    return Index(
        name=Name(schema=table.name.schema, name=waiting(key.name, to)),
        table=table.name,
        parts=key.parts or tuple(IndexPart(column=column) for column in key.columns),
        include=key.include,
        unique=True,
        nulls_not_distinct=isinstance(key, Unique) and key.nulls_not_distinct,
    )


def _incoming(table: Table, catalog: Catalog, column: str, to: str) -> Iterator[tuple[Name, ForeignKey, ForeignKey]]:
    for holder, key in catalog.referencing(table.name):
        if holder.name != table.name and column in key.referenced_columns:
            referenced = tuple(to if name == column else name for name in key.referenced_columns)
            yield holder.name, key, replace(key, name=waiting(key.name, to), referenced_columns=referenced)


def build(recipe: Recipe, table: Table, parts: Parts, column: str) -> Iterator[Step]:
    """Each by its own online recipe. All of it goes with the column, but for foreign keys: those of other tables hold on to this one, and those of the
    table hold on to the key of another, whose way back would find itself needed."""
    gone = UndoNothing(reason=f"it goes with {table.name.name}.{column}")
    for _, check in parts.checks:
        yield from _without_undo(_bound(recipe, table.name, check), gone)
    if parts.not_null is not None:
        name = waiting(parts.not_null, column) if parts.not_null else ""
        yield from _without_undo(prove_not_null(recipe, table.name, column, name=name, phase="migrate"), gone)
    families = {pairs[0][1].name: [one for _, one in pairs] for pairs in parts.families}
    for _, index in (*parts.keys, *parts.indexes):
        guard = guard_duplicates(recipe.at, index) if index.unique else None
        guards = (guard,) if guard is not None else ()
        if index.name in families:
            tables = [recipe.catalog.table(one.table) for one in families[index.name]]
            members = [(found, one) for found, one in zip(tables, families[index.name], strict=True) if found is not None]
            yield from family_online(recipe, members, guards=guards)
            continue
        yield recipe.build_index(
            index, purpose=f"Build {index.name.name} online: an index on {table.name.name}.{column}", guards=guards
        )
    for holder, _, key in parts.foreign_keys:
        yield from _undone_by_name(recipe, holder, key)


def _bound(recipe: Recipe, table: Name, constraint: Check | ForeignKey) -> Iterator[Step]:
    if constraint.enforced and constraint.validated:
        yield from bind_then_validate(recipe, table, constraint, phase="migrate")
        return
    yield recipe.change(
        AddConstraint(table=table, constraint=constraint), purpose=f"Add {constraint.name}, as it is now", phase="migrate"
    )


def _without_undo(steps: Iterator[Step], undo: UndoNothing) -> Iterator[Step]:
    for step in steps:
        yield replace(step, undo=undo)


def _undone_by_name(recipe: Recipe, holder: Name, key: ForeignKey) -> Iterator[Step]:
    """After a swap it bears another name, and a swap back drops it: its undo does not insist."""
    forget = DropConstraint(table=holder, name=key.name, if_exists=True)
    for number, step in enumerate(_bound(recipe, holder, key)):
        if number:
            yield replace(step, undo=UndoNothing(reason="the undo of the step before drops the key"))
        else:
            yield replace(step, undo=UndoSteps(steps=(recipe.undo_step((forget,), recipe.catalog, phase="migrate"),)))


def supported(table: Table, at: Situation, column: str) -> bool:
    """Whether everything that hangs on the column can be made beside it: no exclusion constraint, no statistics over several columns, no replica
    identity by an index of it, no heirs; of a partitioned table what `shadow_partitions` says."""
    shadow = column_in_table(table, column, "driftflow_new")
    exclusions = any(
        old != new and not isinstance(old, PrimaryKey | Unique | Check | ForeignKey | NotNull)
        for old, new in zip(table.constraints, shadow.constraints, strict=True)
    )
    deferrable = any(isinstance(one, PrimaryKey | Unique) and one.deferrable for one in table.constraints)
    statistics = any(column in one.columns for one in table.extended_statistics)
    alone = table.kind == "table" and table.partition_of is None and not table.inherits
    heirs = at.catalog.children(table.name) if table.partitioning is None else shadow_partitions.obstacle(table, at, column)
    identity = table.replica_identity not in ("", "d", "f", "n")
    return alone and not heirs and not exclusions and not statistics and not identity and not deferrable
