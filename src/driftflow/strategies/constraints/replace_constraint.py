"""DROP and ADD of a constraint, or of a unique index, in one migration: the new one is there before the old one goes, so nothing slips in between."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.model.catalog import Catalog, Check, ForeignKey, Index, Unique
from driftflow.model.names import Name
from driftflow.model.operations import AddConstraint, CreateIndex, DropConstraint, DropIndex, RenameConstraint, RenameIndex
from driftflow.model.operations.lookup import taken
from driftflow.model.plan import Step, UndoSteps
from driftflow.model.record import replace
from driftflow.strategies.base import strategy
from driftflow.strategies.constraints.binding import is_trusted
from driftflow.strategies.constraints.constraining import bind_then_validate, guard_duplicates, index_of
from driftflow.strategies.constraints.exchanging import Exchange
from driftflow.strategies.constraints.replacements import (
    Replaced,
    Replacing,
    can_replace,
    constraint_of,
    index_dropped,
    new_of,
    old_of,
)
from driftflow.strategies.fitted import fit
from driftflow.strategies.recipe import Recipe, as_undo

NAME = "replace_constraint"


def _applies(operation: Replacing | Replaced, at: Situation) -> bool:
    if isinstance(operation, Replaced):
        later = new_of(operation, at)
        return later is not None and isinstance(later.operation, Replacing) and can_replace(later.operation, later)
    return old_of(operation, at) is not None and can_replace(operation, at)


@strategy(NAME, on=(DropConstraint, AddConstraint, DropIndex, CreateIndex), applies=_applies, rank=80, page="replace-constraint")
def replace_constraint(operation: Replacing | Replaced, at: Situation) -> Iterator[Step]:
    """The DROP waits for the ADD that stands for it: its own draft has no step."""
    if isinstance(operation, Replaced):
        return
    before = old_of(operation, at)
    assert before is not None
    recipe = Recipe(at, NAME)
    recipe.catalog = _with_old(at, before)
    dropped = before.operation
    if isinstance(operation, CreateIndex):
        assert isinstance(dropped, DropIndex)
        yield from _index(recipe, operation.index, dropped, before)
        return
    assert isinstance(dropped, DropConstraint)
    old, new = constraint_of(dropped, before), operation.constraint
    if isinstance(new, Unique) and isinstance(old, Unique):
        yield from _unique(recipe, operation, new, dropped, old)
    elif isinstance(new, ForeignKey) and isinstance(old, ForeignKey) and at.dialect.one_pass:
        yield from Exchange(recipe, operation.table, is_trusted(at, operation)).steps(
            old, new, _aside(new.name, recipe, operation.table)
        )
    elif isinstance(new, ForeignKey | Check) and isinstance(old, ForeignKey | Check):
        yield from _proved(recipe, operation, new, dropped)


def _with_old(at: Situation, before: Situation) -> Catalog:
    """The catalog as it really is when the new one is built: with the old one, which the walk has dropped already."""
    dropped = before.operation
    assert isinstance(dropped, Replaced) and dropped.table is not None
    table, was = at.table(dropped.table), before.table(dropped.table)
    assert table is not None and was is not None
    name = dropped.name if isinstance(dropped, DropConstraint) else dropped.name.name
    constraints = tuple(one for one in was.constraints if one.name == name and isinstance(dropped, DropConstraint))
    indexes = tuple(one for one in was.indexes if name in (one.name.name, one.constraint))
    return at.catalog.with_table(
        replace(table, constraints=(*table.constraints, *constraints), indexes=(*table.indexes, *indexes))
    )


def _aside(name: str, recipe: Recipe, table: Name) -> str:
    """A name for as long as the other one is still taken; foreign keys of MySQL and MariaDB have theirs for the whole database."""
    around = [one for one in recipe.catalog.tables.values() if one.name.schema == table.schema]
    held = {one.name.lower() for other in around for one in other.constraints}
    held |= {one.name.name.lower() for other in around for one in other.indexes}
    is_taken = taken(recipe.catalog, table.schema)
    found, number = fit(f"{name}_new"), 1
    while found.lower() in held or is_taken(found):
        number += 1
        found = fit(f"{name}_new{number}")
    return found


def _proved(recipe: Recipe, operation: AddConstraint, new: ForeignKey | Check, dropped: DropConstraint) -> Iterator[Step]:
    table = operation.table
    beside = replace(new, name=_aside(new.name, recipe, table)) if new.name == dropped.name else new
    yield from bind_then_validate(recipe, table, beside, only=operation.only)
    drop = DropConstraint(table=table, name=dropped.name, only=dropped.only)
    swap = (drop, RenameConstraint(table=table, name=beside.name, to=new.name)) if beside.name != new.name else (drop,)
    yield recipe.change(*swap, purpose=f"Put the new {new.name} in the place of {dropped.name}", phase="migrate")


def _unique(recipe: Recipe, operation: AddConstraint, new: Unique, dropped: DropConstraint, old: Unique) -> Iterator[Step]:
    table = operation.table
    index = index_of(table, new)
    beside = replace(index, name=replace(index.name, name=_aside(new.name, recipe, table))) if new.name == dropped.name else index
    guard = guard_duplicates(recipe.at, index)
    yield recipe.build_index(
        beside, purpose=f"Build the index of the new {new.name} online", guards=(guard,) if guard is not None else ()
    )
    drop = DropConstraint(table=table, name=dropped.name, only=dropped.only)
    take_over = AddConstraint(table=table, constraint=replace(new, using_index=beside.name.name), only=operation.only)
    swap = recipe.change(drop, take_over, purpose=f"Put the new {new.name} in the place of {dropped.name}", phase="migrate")
    yield replace(swap, undo=UndoSteps(steps=tuple(_unique_back(recipe, table, new, old))))


def _unique_back(recipe: Recipe, table: Name, new: Unique, old: Unique) -> Iterator[Step]:
    """The same way back: the old one's index first, then the swap."""
    there = recipe.catalog
    index = index_of(table, old)
    beside = replace(index, name=replace(index.name, name=_aside(old.name, recipe, table)))
    step = recipe.build_index(beside, purpose=f"Take back: build the index of the old {old.name} online")
    yield as_undo(step)
    again = AddConstraint(table=table, constraint=replace(old, using_index=beside.name.name))
    yield recipe.undo_step((DropConstraint(table=table, name=new.name), again), recipe.catalog, phase="migrate")
    recipe.catalog = there


def _index(recipe: Recipe, index: Index, dropped: DropIndex, before: Situation) -> Iterator[Step]:
    at = recipe.at
    old = index_dropped(dropped, before)
    guard = guard_duplicates(at, index)
    guards = (guard,) if guard is not None else ()
    purpose = f"Put the new {index.name.name} in the place of {dropped.name.name}"
    drop = DropIndex(name=dropped.name, table=index.table)
    if old is None or not at.can(Capability.CONCURRENT_INDEX):
        # One writer: nobody writes between the two.
        yield recipe.change(drop, CreateIndex(index=index), purpose=purpose, phase="migrate", guards=guards)
        return
    same = index.name == dropped.name
    beside = replace(index, name=replace(index.name, name=_aside(index.name.name, recipe, index.table))) if same else index
    yield recipe.build_index(beside, purpose=f"Build the new {index.name.name} online", guards=guards)
    rename = (RenameIndex(name=beside.name, table=index.table, to=index.name.name),) if same else ()
    yield recipe.change(drop, *rename, purpose=purpose, phase="migrate")
