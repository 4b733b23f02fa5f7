"""Another integer type for a key and the foreign keys that point at it (MySQL, MariaDB): both ends must be of one type, and neither is changed while
a foreign key ties them. Triggers stand in for the foreign keys meanwhile."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.dialects.situation import Situation
from driftflow.errors import RefusedError
from driftflow.model.catalog import Catalog, ForeignKey, Table
from driftflow.model.names import Name
from driftflow.model.operations import ChangeColumn, DropConstraint
from driftflow.model.plan import RunSql, Step, UndoSteps
from driftflow.model.record import replace
from driftflow.strategies import spoken
from driftflow.strategies.base import strategy
from driftflow.strategies.constraints.binding import bind_on_trust, prove
from driftflow.strategies.constraints.standing_in_for_key import StandIn
from driftflow.strategies.recipe import Recipe

NAME = "widen_keys"
INTEGERS = ("tinyint", "smallint", "mediumint", "int", "bigint")

End = tuple[Name, str]
"""A table and its column."""
Tie = tuple[Table, ForeignKey]
"""A foreign key, with the table that holds it."""


def _applies(operation: ChangeColumn, at: Situation) -> bool:
    if (
        not at.dialect.one_pass
        or at.conflict
        or not _changes_type(operation, at)
        or not _tied(at.catalog, (operation.table, operation.column))
    ):
        return False
    return len(at.statement.operations) == 1 and not at.directives("gate") and not spoken.as_is(at)


@strategy(NAME, on=ChangeColumn, applies=_applies, rank=70, page="widen-keys")
def widen_keys(operation: ChangeColumn, at: Situation) -> Iterator[Step]:
    """Raises RefusedError (DF-E728) where the statements that follow each other do not change both ends of every tie."""
    group = _group(at)
    first = group[0]
    ties = _ties(first.catalog, (operation.table, operation.column))
    _refuse_incomplete(first, group, ties)
    if first.place != at.place:
        return  # the first of them carries out all
    recipe = Recipe(first, NAME)
    stands = [StandIn(recipe, holder, key) for holder, key in ties]
    for stand in stands:
        yield from stand.begin()
    for holder, key in ties:
        yield _untied(recipe, holder, key)
    for one in group:
        assert isinstance(one.operation, ChangeColumn)
        yield recipe.alone(
            one.operation,
            purpose=f"{one.operation.table.name}.{one.operation.column} becomes {one.operation.definition.type}",
            phase="migrate",
        )
    for holder, key in ties:
        yield from bind_on_trust(recipe, holder.name, key, phase="migrate")
        yield prove(recipe, holder.name, key, phase="migrate")
    for stand in stands:
        yield from stand.end()


def _untied(recipe: Recipe, holder: Table, key: ForeignKey) -> RunSql:
    """Taken back on trust: the triggers have kept it."""
    step = recipe.alone(
        DropConstraint(table=holder.name, name=key.name),
        purpose=f"Drop the foreign key {key.name} of {holder.name.name}: triggers stand in for it",
        phase="migrate",
    )
    back = Recipe(recipe.at, NAME)
    back.catalog = recipe.catalog
    again = tuple(replace(one, strategy="undo", resolves=()) for one in bind_on_trust(back, holder.name, key, phase="migrate"))
    return replace(step, undo=UndoSteps(steps=again))


def _changes_type(operation: ChangeColumn, at: Situation) -> bool:
    table = at.table(operation.table)
    column = table.column(operation.column) if table is not None else None
    if column is None or operation.definition.name != operation.column:
        return False
    return column.type != operation.definition.type and all(_is_integer(one) for one in (column.type, operation.definition.type))


def _is_integer(type: str) -> bool:
    return type.lower().partition(" ")[0].partition("(")[0] in INTEGERS


def _tied(catalog: Catalog, end: End) -> list[Tie]:
    """The foreign keys that begin or end at the column."""
    name, column = end
    table = catalog.table(name)
    own = [(table, key) for key in table.foreign_keys if column in key.columns] if table is not None else []
    return own + [(holder, key) for holder, key in catalog.referencing(name) if column in key.referenced_columns]


def _ties(catalog: Catalog, start: End) -> list[Tie]:
    """All that are tied to the column, directly or through others."""
    found: dict[tuple[Name, str], Tie] = {}
    seen: set[End] = set()
    waiting = [start]
    while waiting:
        end = waiting.pop()
        if end in seen:
            continue
        seen.add(end)
        for holder, key in _tied(catalog, end):
            found[(holder.name, key.name)] = (holder, key)
            waiting += _ends(holder, key)
    return list(found.values())


def _ends(holder: Table, key: ForeignKey) -> list[End]:
    return [*((holder.name, column) for column in key.columns), *((key.referenced, column) for column in key.referenced_columns)]


def _group(at: Situation) -> list[Situation]:
    """The statements around this one that change the type of what is tied to its column."""
    everything = at.file.situations
    assert isinstance(at.operation, ChangeColumn)
    wanted = {end for holder, key in _ties(at.catalog, (at.operation.table, at.operation.column)) for end in _ends(holder, key)}
    first = last = at.place
    while first > 0 and _belongs(everything[first - 1], wanted):
        first -= 1
    while last + 1 < len(everything) and _belongs(everything[last + 1], wanted):
        last += 1
    return everything[first : last + 1]


def _belongs(other: Situation, wanted: set[End]) -> bool:
    operation = other.operation
    return (
        isinstance(operation, ChangeColumn) and (operation.table, operation.column) in wanted and _changes_type(operation, other)
    )


def _refuse_incomplete(at: Situation, group: list[Situation], ties: list[Tie]) -> None:
    types = {
        (one.operation.table, one.operation.column): one.operation.definition.type
        for one in group
        if isinstance(one.operation, ChangeColumn)
    }
    ends = dict.fromkeys(end for holder, key in ties for end in _ends(holder, key))
    left = [f"{name.name}.{column}" for name, column in ends if (name, column) not in types]
    why = ""
    if left:
        why = f"a foreign key ties it to {', '.join(left)}, which must be of the same type to the letter"
    elif len(set(types.values())) > 1:
        why = f"foreign keys tie columns that would be of different types: {', '.join(sorted(set(types.values())))}"
    elif any(len(key.columns) > 1 or holder.name == key.referenced for holder, key in ties):
        why = "a foreign key of several columns, or of the table to itself, is one that triggers cannot stand in for"
    if why:
        raise RefusedError(
            "DF-E728",
            f"the type of {group[0].operation.table.name}.{group[0].operation.column} cannot be changed by itself",  # type: ignore[union-attr]
            where=str(at.statement.span),
            why=why,
            hint="change both ends in statements that follow each other; or drop the foreign key in the migration, and add it again",
        )
