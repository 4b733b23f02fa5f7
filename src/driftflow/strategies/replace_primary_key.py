"""Another primary key on a large table: its index is built and its columns are proved NOT NULL first, then the two keys change places in an instant."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.dialects.situation import Situation
from driftflow.model.catalog import Index, IndexPart, PrimaryKey
from driftflow.model.names import Name
from driftflow.model.operations import AddConstraint, DropConstraint
from driftflow.model.plan import Step, UndoNothing, UndoSteps
from driftflow.model.record import replace
from driftflow.strategies import spoken
from driftflow.strategies.base import strategy
from driftflow.strategies.constraining import can_use_index, guard_duplicates, prove_not_null
from driftflow.strategies.fitted import fit
from driftflow.strategies.recipe import Recipe, as_undo
from driftflow.strategies.size import is_large

NAME = "replace_primary_key"


def _applies(operation: DropConstraint | AddConstraint, at: Situation) -> bool:
    return _pair(at) is not None


@strategy(NAME, on=(DropConstraint, AddConstraint), applies=_applies, rank=80, page="replace-primary-key")
def replace_primary_key(operation: DropConstraint | AddConstraint, at: Situation) -> Iterator[Step]:
    pair = _pair(at)
    assert pair is not None
    first, second = pair
    if at.place != first.place:
        return  # the DROP before it carries out both
    assert isinstance(first.operation, DropConstraint)
    assert isinstance(second.operation, AddConstraint)
    yield from _replaced(first, first.operation, second.operation)


def _replaced(at: Situation, drop: DropConstraint, add: AddConstraint) -> Iterator[Step]:
    recipe, name = Recipe(at, NAME), add.table
    table = at.table(name)
    assert table is not None
    old, new = table.primary_key, add.constraint
    assert old is not None
    assert isinstance(new, PrimaryKey)
    for column in new.columns:
        found = table.column(column)
        if found is not None and found.nullable:
            yield from prove_not_null(recipe, name, column)
    index = _index(name, new, fit(f"{new.name}_driftflow"))
    guard = guard_duplicates(at, index)
    yield recipe.build_index(
        index,
        purpose=f"Build the index of the new primary key of {name.name} ({', '.join(new.columns)}) online",
        guards=(guard,) if guard is not None else (),
    )
    swap = recipe.change(
        drop,
        replace(add, constraint=replace(new, using_index=index.name.name)),
        purpose=f"The primary key of {name.name} is ({', '.join(new.columns)}) and no longer ({', '.join(old.columns)})",
        phase="migrate",
        undo=UndoNothing(reason=""),
    )
    yield replace(swap, undo=UndoSteps(steps=tuple(_back(recipe, name, old, new))))


def _back(recipe: Recipe, table: Name, old: PrimaryKey, new: PrimaryKey) -> Iterator[Step]:
    """The index of the old key first, online: the table is never without a key."""
    index = _index(table, old, fit(f"{old.name}_driftflow"))
    built = recipe.build_index(index, purpose=f"Take back: build the index of the old primary key of {table.name} again")
    yield as_undo(built)
    again = AddConstraint(table=table, constraint=replace(old, using_index=index.name.name))
    yield recipe.undo_step((DropConstraint(table=table, name=new.name), again), recipe.catalog, phase="migrate")


def _index(table: Name, key: PrimaryKey, name: str) -> Index:
    return Index(
        name=Name(schema=table.schema, name=name),
        table=table,
        parts=tuple(IndexPart(column=column) for column in key.columns),
        include=key.include,
        unique=True,
    )


def _pair(at: Situation) -> tuple[Situation, Situation] | None:
    """The DROP of a large table's primary key and the ADD of another one that follows at once, where this is one of the two."""
    around, place = at.file.situations, at.place
    first = place if isinstance(at.operation, DropConstraint) else place - 1
    if first < 0 or first + 1 >= len(around):
        return None
    drop, add = around[first], around[first + 1]
    return (drop, add) if _belong_together(drop, add) else None


def _belong_together(drop: Situation, add: Situation) -> bool:
    left, right = drop.operation, add.operation
    if not isinstance(left, DropConstraint) or not isinstance(right, AddConstraint) or left.table != right.table:
        return False
    table, new = drop.table(left.table), right.constraint
    old = table.primary_key if table is not None else None
    if table is None or old is None or old.name != left.name or not isinstance(new, PrimaryKey) or not new.name:
        return False
    if left.cascade or drop.conflict or add.conflict or any(spoken.as_is(one) or one.directives("gate") for one in (drop, add)):
        return False
    plain = (
        not new.deferrable
        and not old.deferrable
        and table.replica_identity in ("", "d", "f", "n")
        and not drop.catalog.children(table.name)
    )
    return plain and can_use_index(drop, table, new) and is_large(drop, table.name)
