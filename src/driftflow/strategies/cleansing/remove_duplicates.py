"""A unique key on rows that are not unique yet, where the author said which of them stays: `-- driftflow: duplicates ...`."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.errors import RefusedError
from driftflow.model.catalog import Index, Table, Unique
from driftflow.model.names import Name
from driftflow.model.operations import AddConstraint, CreateIndex, DropIndex, Operation
from driftflow.model.plan import Step, UndoNothing, UndoSteps
from driftflow.model.record import replace
from driftflow.strategies import trigger_text
from driftflow.strategies.base import strategy
from driftflow.strategies.cleansing.archiving import our_object
from driftflow.strategies.cleansing.duplicates import Removal
from driftflow.strategies.cleansing.protecting import Protection
from driftflow.strategies.cleansing.protecting_by_key import KeyProtection
from driftflow.strategies.cleansing.removing_by_join import JoinedRemoval
from driftflow.strategies.cleansing.said_duplicates import duplicates_of
from driftflow.strategies.constraints.constraining import can_use_index, guard_duplicates, index_of, unique_online
from driftflow.strategies.rebuild import rebuilding
from driftflow.strategies.recipe import Recipe, unless_done
from driftflow.strategies.size import is_new

NAME = "remove_duplicates"


def wanted(operation: Operation) -> Index | None:
    """The unique index that the statement makes, by itself or under a constraint."""
    match operation:
        case CreateIndex(index=index) if index.unique:
            return index
        case AddConstraint(table=table, constraint=Unique() as unique) if not unique.using_index:
            return index_of(table, unique)
        case _:
            return None


def _applies(operation: Operation, at: Situation) -> bool:
    index = wanted(operation)
    return index is not None and bool(at.directives("duplicates")) and not is_new(at, index.table)


@strategy(NAME, on=(AddConstraint, CreateIndex), applies=_applies, rank=90, page="remove-duplicates")
def remove_duplicates(operation: AddConstraint | CreateIndex, at: Situation) -> Iterator[Step]:
    index, request = wanted(operation), duplicates_of(at)
    table = at.table(index.table) if index is not None else None
    assert index is not None and request is not None
    why = _why_not(at, table, index)
    if table is None or why:
        raise RefusedError(
            "DF-E655",
            f"duplicates of {index.table.name} cannot be removed by a plan",
            where=str(request.span),
            why=why,
            hint="remove them in a migration of your own (per partition, where there are some), then leave the directive out",
        )
    recipe = Recipe(at, NAME)
    joined = at.can(Capability.JOINED_UPDATE)
    removal = JoinedRemoval(recipe, table, index, request) if joined else Removal(recipe, table, index, request)
    protection = KeyProtection(recipe, removal.matching) if joined else Protection(recipe, removal.matching)
    yield from removal.tables()
    helper = replace(
        index,
        name=Name(schema=index.name.schema, name=our_object(table.name, "find", index.name.name)),
        parts=index.parts if joined else (*index.parts, *removal.matching.order_parts()),
        unique=False,
    )
    yield _build(recipe, replace(helper, nulls_not_distinct=False, include=()))
    yield from protection.begin()
    yield removal.step(protection.lifted())
    yield from _unique(recipe, operation, table, index)
    yield from protection.end()
    yield _drop(recipe, helper)
    yield removal.forget()


def _why_not(at: Situation, table: Table | None, index: Index) -> str:
    """Empty where it can be done."""
    if table is None:
        return "the table is not known"
    if table.partitioning is not None or table.kind != "table":
        return "it is partitioned, so no index over its key can be built online"
    if not at.can(Capability.JOINED_UPDATE):
        return (
            "" if trigger_text.can_refuse(at) else "nothing of ours would keep new duplicates from arising while the old ones go"
        )
    if not at.can(Capability.LOCK_NOWAIT):
        return (
            "on this server rows cannot be locked without waiting (NOWAIT), so the application might be the victim of a deadlock"
        )
    if any(not part.column or part.prefix is not None for part in index.parts):
        return "its key is an expression or a part of a column, and the table of keys that refuses new duplicates holds columns as they are"
    return ""


def _build(recipe: Recipe, index: Index) -> Step:
    """An index over the same keys that is not unique yet: by it duplicates are found, while they go and while the trigger looks."""
    purpose = f"Build an index on {index.table.name} by which its duplicates are found"
    if recipe.at.can(Capability.CONCURRENT_INDEX):
        return recipe.build_index(index, purpose=purpose)
    step = recipe.change(CreateIndex(index=index), purpose=purpose, phase="migrate")
    drop = DropIndex(name=index.name, table=index.table, if_exists=recipe.at.can(Capability.TRANSACTIONAL_DDL))
    back = unless_done(recipe.undo_step((drop,), recipe.catalog, phase="migrate"))
    return replace(step, undo=UndoSteps(steps=(back,)))


def _drop(recipe: Recipe, index: Index) -> Step:
    online = recipe.at.can(Capability.CONCURRENT_INDEX)
    purpose = f"Drop the index by which duplicates of {index.table.name} were found"
    exists = recipe.at.can(Capability.TRANSACTIONAL_DDL)
    drop = DropIndex(name=index.name, table=index.table, concurrently=online, if_exists=exists)
    step = (
        recipe.alone(drop, purpose=purpose, phase="migrate") if online else recipe.change(drop, purpose=purpose, phase="migrate")
    )
    return replace(step, undo=UndoNothing(reason="it was only there to find duplicates"))


def _unique(recipe: Recipe, operation: AddConstraint | CreateIndex, table: Table, index: Index) -> Iterator[Step]:
    """What the statement asked for, in the safest form that the server has."""
    at = recipe.at
    guard = guard_duplicates(at, index)
    guards = (guard,) if guard is not None else ()
    match operation:
        case AddConstraint(constraint=Unique() as unique) if can_use_index(at, table, unique):
            yield from unique_online(recipe, table.name, unique, only=operation.only)
        case AddConstraint() if rebuilding.needs_rebuild(operation, at):
            yield rebuilding.rebuild(recipe, (operation,), table=table.name, phase="migrate", guards=guards)
        case CreateIndex() if at.can(Capability.CONCURRENT_INDEX):
            yield recipe.build_index(index, purpose=f"Build the unique index {index.name.name} online", guards=guards)
        case _:
            yield recipe.change(operation, purpose=f"Make {index.name.name} unique", phase="migrate", guards=guards)
