"""What hangs on a column, made once more on the column that waits to take its place: online, and before the swap."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

from driftflow.dialects.situation import Situation
from driftflow.model.catalog import (
    Catalog,
    Check,
    Exclusion,
    ForeignKey,
    Index,
    NotNull,
    PrimaryKey,
    Table,
    Unique,
)
from driftflow.model.names import Name
from driftflow.model.operations import AddConstraint, DropConstraint
from driftflow.model.operations.dependents import heirs_of
from driftflow.model.operations.renaming import column_in_table
from driftflow.model.plan import Guard, Step, UndoNothing, UndoSteps
from driftflow.model.record import Record, replace
from driftflow.strategies.constraints.constraining import (
    bind_then_validate,
    guard_duplicates,
    guard_orphans,
    prove_not_null,
    validate,
)
from driftflow.strategies.indexes.build_partitioned_index import family_online
from driftflow.strategies.recipe import Recipe
from driftflow.strategies.types import shadow_partitions
from driftflow.strategies.types.shadow_names import waiting
from driftflow.strategies.types.shadow_partitions import Family

_Bound = TypeVar("_Bound", Check, ForeignKey)


class HeldKey(Record, frozen=True, kw_only=True):
    """A key on one table."""

    table: Name
    key: PrimaryKey | Unique
    index: Index | None
    """What it stands on from the swap on. None where the table is partitioned: its key adopts those of its partitions."""


TiedKey = tuple[Name, ForeignKey, ForeignKey]
"""(table that holds it, the key, the same key over the waiting column)"""


class Parts(Record, frozen=True, kw_only=True):
    """What is there, and the same over the waiting column, under a name of its own."""

    indexes: tuple[tuple[tuple[Index, Index], ...], ...] = ()
    """Each with those of the partitions below it behind it."""
    keys: tuple[tuple[HeldKey, ...], ...] = ()
    """Constraints that stand on a unique index, each with those of the partitions below it behind it."""
    checks: tuple[tuple[Check, Check], ...] = ()
    foreign_keys: tuple[tuple[TiedKey, ...], ...] = ()
    """From the column, and to it, each with those of the holder's partitions behind it."""
    added_again: tuple[tuple[Name, ForeignKey], ...] = ()
    """(table that holds it, the key): those that point at a partitioned table, which has its new key only after the swap. They bind new rows from then on,
    and what the old ones held is proved once more."""
    not_null: str | None = None
    """Name of the constraint (empty where the server has none); None where the column may be NULL."""

    @property
    def every_index(self) -> tuple[tuple[Index, Index], ...]:
        """Those of the table, and those of its partitions."""
        return tuple(pair for family in self.indexes for pair in family)

    @property
    def every_key(self) -> tuple[HeldKey, ...]:
        return tuple(held for family in self.keys for held in family)

    @property
    def every_foreign_key(self) -> tuple[tuple[Name, ForeignKey], ...]:
        """(table that holds it, the key), as they are."""
        return (*((holder, key) for family in self.foreign_keys for holder, key, _ in family), *self.added_again)


def parts_of(table: Table, catalog: Catalog, column: str, to: str) -> Parts:
    """All of them. `table` and `catalog` are as they were before anything was done."""
    there = column_in_table(table, column, to)
    pairs = [(old, new) for old, new in zip(table.constraints, there.constraints, strict=True) if old != new]
    families = [shadow_partitions.family(catalog, *root) for root in shadow_partitions.roots(catalog, table, column)]
    found = table.column(column)
    name = next((one.name for one in table.constraints if isinstance(one, NotNull) and one.column == column), "")
    incoming = list(_incoming(table, catalog, column, to))
    apart = table.partitioning is not None
    return Parts(
        indexes=tuple(
            shadow_partitions.beside(catalog, column, to, family) for family in families if not family[0][1].constraint
        ),
        keys=tuple(_keys(catalog, column, to, family) for family in families if family[0][1].constraint),
        checks=tuple((old, _named(new, to)) for old, new in pairs if isinstance(old, Check) and isinstance(new, Check)),
        foreign_keys=(
            *(_tied(catalog, table, old, column, to) for old, _ in pairs if isinstance(old, ForeignKey)),
            *(() if apart else incoming),
        ),
        added_again=tuple((holder, key) for (holder, key, _), *_ in incoming) if apart else (),
        not_null=name if found is not None and not found.nullable else None,
    )


def _named(constraint: _Bound, to: str) -> _Bound:
    return replace(constraint, name=waiting(constraint.name, to))


def _keys(catalog: Catalog, column: str, to: str, members: Family) -> tuple[HeldKey, ...]:
    found = []
    for (name, index), (_, made) in zip(members, shadow_partitions.beside(catalog, column, to, members), strict=True):
        table = catalog.tables[name.text]
        key = table.constraint(index.constraint)
        assert isinstance(key, PrimaryKey | Unique)
        found.append(HeldKey(table=name, key=key, index=made if table.partitioning is None else None))
    return tuple(found)


def _tied(catalog: Catalog, table: Table, key: ForeignKey, column: str, to: str) -> tuple[TiedKey, ...]:
    """A foreign key of the table, and of its partitions."""
    new = column_in_table(table, column, to).constraints[table.constraints.index(key)]
    assert isinstance(new, ForeignKey)
    return _family(catalog, table, key, _named(new, to))


def _family(catalog: Catalog, holder: Table, key: ForeignKey, new: ForeignKey) -> tuple[TiedKey, ...]:
    """Until the swap all bear the name that the server gives a partitioned partition's: its parent's."""
    parts = heirs_of(catalog, holder.name) if holder.partitioning is not None else ()
    below = [(part.name, one) for part in parts for one in part.keys_like(key)]
    return ((holder.name, key, new), *((name, one, new) for name, one in below))


def _incoming(table: Table, catalog: Catalog, column: str, to: str) -> Iterator[tuple[TiedKey, ...]]:
    for holder, key in catalog.referencing(table.name):
        above = catalog.table(holder.partition_of) if holder.partition_of is not None else None
        inherited = above is not None and above.keys_like(key)
        if holder.name != table.name and column in key.referenced_columns and not inherited:
            referenced = tuple(to if name == column else name for name in key.referenced_columns)
            yield _family(catalog, holder, key, _named(replace(key, referenced_columns=referenced), to))


def build(recipe: Recipe, table: Table, parts: Parts, column: str) -> Iterator[Step]:
    """Each by its own online recipe. All of it goes with the column, but for foreign keys: those of other tables hold on to this one, and those of the
    table hold on to the key of another, whose way back would find itself needed."""
    gone = UndoNothing(reason=f"it goes with {table.name.name}.{column}")
    for _, check in parts.checks:
        yield from _without_undo(_bound(recipe, table.name, check), gone)
    if parts.not_null is not None:
        name = waiting(parts.not_null, column) if parts.not_null else ""
        yield from _without_undo(prove_not_null(recipe, table.name, column, name=name, phase="migrate"), gone)
    for index in (held.index for held in parts.every_key if held.index is not None):
        yield _built(recipe, index, column, guards=_guards(recipe, index))
    for family in parts.indexes:
        _, first = family[0]
        guards = _guards(recipe, first)
        members = [(recipe.catalog.tables[one.table.text], one) for _, one in family]
        if members[0][0].partitioning is None:
            yield _built(recipe, first, column, guards=guards)
        else:
            yield from family_online(recipe, members, guards=guards)
    for tied in parts.foreign_keys:
        yield from _tied_online(recipe, tied)


def _tied_online(recipe: Recipe, tied: tuple[TiedKey, ...]) -> Iterator[Step]:
    """A foreign key; of a partitioned table in its partitions first, since it adopts what is proved there."""
    (top, _, key), *below = tied
    leaves = [(name, one) for name, _, one in below if recipe.catalog.tables[name.text].partitioning is None]
    for name, one in leaves or [(top, key)]:
        yield from _undone_by_name(recipe, name, one, _bound(recipe, name, one))
    if leaves:
        purpose = f"Add {key.name} to {top.name}: it adopts those of its partitions, and reads nothing"
        adopted = recipe.change(AddConstraint(table=top, constraint=key), purpose=purpose, phase="migrate")
        yield from _undone_by_name(recipe, top, key, (adopted,))


def _guards(recipe: Recipe, index: Index) -> tuple[Guard, ...]:
    guard = guard_duplicates(recipe.at, index) if index.unique else None
    return (guard,) if guard is not None else ()


def _built(recipe: Recipe, index: Index, column: str, *, guards: tuple[Guard, ...]) -> Step:
    purpose = f"Build {index.name.name} online: an index on {index.table.name}.{column}"
    return recipe.build_index(index, purpose=purpose, guards=guards)


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


def _undone_by_name(recipe: Recipe, holder: Name, key: ForeignKey, steps: Iterable[Step]) -> Iterator[Step]:
    """After a swap it bears another name, and a swap back drops it: its undo does not insist."""
    forget = DropConstraint(table=holder, name=key.name, if_exists=True)
    for number, step in enumerate(steps):
        if number:
            yield replace(step, undo=UndoNothing(reason="the undo of the step before drops the key"))
        else:
            yield replace(step, undo=UndoSteps(steps=(recipe.undo_step((forget,), recipe.catalog, phase="migrate"),)))


def proved_again(recipe: Recipe, parts: Parts) -> Iterator[Step]:
    """The old rows of the foreign keys that the swap has added."""
    for holder, key in parts.added_again:
        if key.validated:
            what = f"{holder.name} ({', '.join(key.columns)}) → {key.referenced.name}"
            guards = (guard_orphans(recipe.at, holder, key),)
            step = validate(recipe, holder, key.name, guards=guards, phase="migrate", what=what)
            yield replace(step, undo=UndoNothing(reason="a proof changes nothing"))


def obstacle(table: Table, at: Situation, column: str) -> str:
    """Why not everything that hangs on the column can be made beside it; empty where it can. Of a partitioned table `shadow_partitions` says it."""
    if table.kind != "table" or table.partition_of is not None or table.inherits:
        return "the table is a partition, or inherits from another"
    if table.partitioning is not None:
        if why := shadow_partitions.obstacle(table, at, column):
            return why
    elif at.catalog.children(table.name):
        return "other tables inherit from it"
    for one in shadow_partitions.held_by(table, column):
        if isinstance(one, Exclusion):
            return f"the exclusion constraint {one.name} holds it, which no index can be built for beforehand"
    for one in table.constraints:
        if isinstance(one, PrimaryKey | Unique) and one.deferrable:
            return f"{one.name} is deferrable"
    if any(column in one.columns for one in table.extended_statistics):
        return "statistics over several columns hold it"
    if table.replica_identity not in ("", "d", "f", "n"):
        return "an index is the replica identity of the table"
    for holder, key in at.catalog.referencing(table.name):
        held = holder.partitioning is not None and column in key.referenced_columns
        if held and shadow_partitions.unbound(at.catalog, holder, key):
            return f"{key.name} of the partitioned table {holder.name} points at it, and cannot be bound in each partition"
    return ""
