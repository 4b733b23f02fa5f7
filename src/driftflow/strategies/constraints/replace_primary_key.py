"""Another primary key on a large table: its index is built and its columns are proved NOT NULL first, then the two keys change places in an instant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from driftflow.dialects.base import Dialect
from driftflow.dialects.situation import Situation
from driftflow.model.catalog import ForeignKey, Index, IndexPart, PrimaryKey, Table, Unique
from driftflow.model.names import Name
from driftflow.model.operations import AddConstraint, CatalogConflict, Comment, DropConstraint, LockTable, Operation
from driftflow.model.operations.dependents import keys_on_key
from driftflow.model.operations.keys import stand_in
from driftflow.model.plan import Step, UndoNothing, UndoSteps
from driftflow.model.record import replace
from driftflow.strategies import spoken
from driftflow.strategies.base import strategy
from driftflow.strategies.constraints.constraining import can_use_index, guard_duplicates, prove_not_null, validate
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
    standing = keys_on_key(at.catalog, table, old)
    stand = stand_in(at.catalog, table, old) if standing else None
    if stand is not None:
        yield recipe.build_index(
            _index(name, old, fit(f"{stand.name}_driftflow")),
            purpose=f"Build a unique index of {name.name} ({', '.join(old.columns)}) online, for the foreign keys that point there",
        )
    index = _index(name, new, fit(f"{new.name}_driftflow"))
    guard = guard_duplicates(at, index)
    yield recipe.build_index(
        index,
        purpose=f"Build the index of the new primary key of {name.name} ({', '.join(new.columns)}) online",
        guards=(guard,) if guard is not None else (),
    )
    swap = recipe.change(
        *_locked(name, standing),
        *_without(standing),
        replace(drop, keys_again=False),
        replace(add, constraint=replace(new, using_index=index.name.name)),
        *_stood_in(name, stand),
        *_on_trust(standing, recipe.at.dialect),
        purpose=f"The primary key of {name.name} is ({', '.join(new.columns)}) and no longer ({', '.join(old.columns)})"
        + (f"; {_listed(standing)} again at once, for rows that are written from now on" if standing else ""),
        phase="migrate",
        undo=UndoNothing(reason=""),
    )
    yield replace(swap, undo=UndoSteps(steps=tuple(_back(recipe, name, old, new, standing=standing, stand=stand))))
    yield from _proved(recipe, standing)


Standing = Sequence[tuple[Table, ForeignKey]]
"""Foreign keys that point at the old primary key, each with the table that holds it."""


def _listed(standing: Standing) -> str:
    return ", ".join(f"the foreign key {key.name} of {holder.name.name}" for holder, key in standing)


def _locked(name: Name, standing: Standing) -> Iterator[Operation]:
    """All of them up front, the parent first: none is waited for while another is held."""
    if standing:
        holders = dict.fromkeys(holder.name for holder, _ in sorted(standing, key=lambda pair: pair[0].name.text))
        yield LockTable(tables=tuple(dict.fromkeys((name, *holders))), mode="ACCESS EXCLUSIVE")


def _without(standing: Standing) -> Iterator[Operation]:
    return (DropConstraint(table=holder.name, name=key.name) for holder, key in standing)


def _on_trust(standing: Standing, dialect: Dialect) -> Iterator[Operation]:
    """NOT VALID: new rows are checked from the same moment on, and old ones without a lock that stops writers."""
    for holder, key in standing:
        yield AddConstraint(table=holder.name, constraint=replace(key, validated=False))
        if key.comment:
            where = f"{dialect.quote(key.name)} ON {dialect.quote_name(holder.name)}"
            yield Comment(kind="CONSTRAINT", target=where, text=key.comment)


def _stood_in(name: Name, stand: Unique | None) -> Iterator[Operation]:
    if stand is not None:
        yield AddConstraint(table=name, constraint=replace(stand, using_index=fit(f"{stand.name}_driftflow")))


def _proved(recipe: Recipe, standing: Standing) -> Iterator[Step]:
    for holder, key in standing:
        if key.validated and key.enforced:
            step = validate(recipe, holder.name, key.name, guards=(), phase="migrate", what=f"{key.name} of {holder.name.name}")
            yield replace(step, undo=UndoNothing(reason="the way back of the step before makes the foreign key anew"))


def _back(
    recipe: Recipe, table: Name, old: PrimaryKey, new: PrimaryKey, *, standing: Standing, stand: Unique | None
) -> Iterator[Step]:
    """The index of the old key first, online: the table is never without a key."""
    index = _index(table, old, fit(f"{old.name}_driftflow"))
    back = Recipe(recipe.at, NAME)
    back.catalog = recipe.catalog
    yield as_undo(back.build_index(index, purpose=f"Take back: build the index of the old primary key of {table.name} again"))
    again = AddConstraint(table=table, constraint=replace(old, using_index=index.name.name))
    gone = (DropConstraint(table=table, name=stand.name),) if stand is not None else ()
    swap = (
        *_locked(table, standing),
        *_without(standing),
        *gone,
        DropConstraint(table=table, name=new.name),
        again,
        *_on_trust(standing, recipe.at.dialect),
    )
    yield as_undo(back.change(*swap, purpose=f"Take back: the primary key of {table.name} is ({', '.join(old.columns)}) again"))
    for step in _proved(back, standing):
        yield as_undo(step)


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


def only_keys_stand_in_the_way(at: Situation) -> bool:
    """Whether a primary key would not be dropped for the foreign keys that point at it, and for nothing else."""
    operation = at.operation
    if not isinstance(operation, DropConstraint) or operation.cascade:
        return False
    try:
        replace(operation, keys_again=True).after(at.catalog)
    except CatalogConflict:
        return False
    return True


def makes_way(at: Situation) -> bool:
    """Whether the recipe carries out a statement that the server would refuse for those foreign keys."""
    return only_keys_stand_in_the_way(at) and _pair(at) is not None


def _belong_together(drop: Situation, add: Situation) -> bool:
    left, right = drop.operation, add.operation
    if not isinstance(left, DropConstraint) or not isinstance(right, AddConstraint) or left.table != right.table:
        return False
    table, new = drop.table(left.table), right.constraint
    old = table.primary_key if table is not None else None
    if table is None or old is None or old.name != left.name or not isinstance(new, PrimaryKey) or not new.name:
        return False
    if (
        left.cascade
        or add.conflict
        or (drop.conflict and not only_keys_stand_in_the_way(drop))
        or any(spoken.as_is(one) or one.directives("gate") for one in (drop, add))
    ):
        return False
    plain = (
        not new.deferrable
        and not old.deferrable
        and table.replica_identity in ("", "d", "f", "n")
        and not drop.catalog.children(table.name)
    )
    return plain and can_use_index(drop, table, new) and is_large(drop, table.name)
