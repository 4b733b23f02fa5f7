"""Another integer type for a key and the foreign keys that point at it (MySQL, MariaDB): both ends must be of one type, and neither is changed while
a foreign key ties them. Where a copy of one of the tables would keep its writers waiting, all of them are made anew beside themselves and take their
places in one moment. Else triggers stand in for the foreign keys meanwhile; a table's key to itself may stay where the server lets both of its ends
change in one statement."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NoReturn

from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.errors import RefusedError
from driftflow.model.catalog import Catalog, ForeignKey, Table
from driftflow.model.names import Name
from driftflow.model.operations import ChangeColumn, DropConstraint
from driftflow.model.plan import RunSql, Step, UndoSteps
from driftflow.model.record import replace
from driftflow.strategies import spoken
from driftflow.strategies.base import strategy
from driftflow.strategies.constraints.binding import TRUSTING, bind_on_trust, prove
from driftflow.strategies.constraints.standing_in_for_key import StandIn, why_not
from driftflow.strategies.direct import guards_of
from driftflow.strategies.passes import one_pass
from driftflow.strategies.rebuild.cascades import cascading
from driftflow.strategies.rebuild.rebuild_limits import obstacle, waits_for_copy
from driftflow.strategies.rebuild.rebuild_online import rebuilt_together
from driftflow.strategies.recipe import Recipe, after_all

NAME = "widen_keys"
INTEGERS = ("tinyint", "smallint", "mediumint", "int", "bigint")

End = tuple[Name, str]
"""A table and its column."""
Tie = tuple[Table, ForeignKey]
"""A foreign key, with the table that holds it."""
Changes = list[tuple[Name, list[ChangeColumn]]]
"""What becomes of the columns of each table."""


def _applies(operation: ChangeColumn, at: Situation) -> bool:
    if (
        not at.dialect.one_pass
        or at.conflict
        or not _changes_type(operation, at)
        or not _tied(at.catalog, (operation.table, operation.column))
    ):
        return False
    return not at.directives("gate") and not spoken.as_is(at)


@strategy(NAME, on=ChangeColumn, applies=_applies, rank=70, page="widen-keys")
def widen_keys(operation: ChangeColumn, at: Situation) -> Iterator[Step]:
    """Raises RefusedError (DF-E728) where the statements that follow each other do not change both ends of every tie."""
    group = _group(at)
    first = group[0]
    ties = _ties(first.catalog, _ends_of(group))
    _refuse_incomplete(first, group, ties)
    if first.place != at.place:
        return  # the first of them carries out all
    changes = _by_table(group)
    waits = _waits(group, ties)
    why = _obstacle(first, changes) if waits else ""
    if waits and not why:
        guarded = [(operations, guards_of(operations, first, first.catalog)) for _, operations in _parents_first(changes, first)]
        yield from rebuilt_together(first, guarded, name=NAME)
    else:
        yield from _changed_in_place(first, changes, ties, why)


def _waits(group: list[Situation], ties: list[Tie]) -> bool:
    """Whether one of the tables is large, and its writers would wait while it is copied."""
    untied = after_all((DropConstraint(table=holder.name, name=key.name) for holder, key in ties), group[0].catalog)
    statements = {table: next(at for at in group if table in (end[0] for end in _ends_of([at]))) for table, _ in _by_table(group)}
    return any(waits_for_copy(one_pass(operations, untied, statements[table])) for table, operations in _by_table(group))


def _obstacle(at: Situation, changes: Changes) -> str:
    every = [operations for _, operations in changes]
    return next((why for one in every if (why := obstacle(one, at.catalog, at, together=every))), "")


def _parents_first(changes: Changes, at: Situation) -> Changes:
    """So are the forms beside them named, and locks are taken in the order of names: as most transactions write. In a ring one has to begin, behind what its
    rows follow."""
    left, found = dict(changes), list[tuple[Name, list[ChangeColumn]]]()
    while left:
        tables = [at.catalog.tables[name.text] for name in left]
        free, following = (
            [one.name for one in tables if not any(key.referenced in left and key.referenced != one.name for key in keys(one))]
            for keys in (lambda one: one.foreign_keys, cascading)
        )
        name = (free or following or list(left))[0]
        found.append((name, left.pop(name)))
    return found


def _changed_in_place(at: Situation, changes: Changes, ties: list[Tie], why: str) -> Iterator[Step]:
    """`why` writers have to wait, where that could have been otherwise."""
    recipe = Recipe(at, NAME)
    staying = [tie for tie in ties if _stays(at, *tie)]
    loose = [tie for tie in ties if tie not in staying]
    _refuse_untied(at, changes, loose)
    stands = [StandIn(recipe, holder, key) for holder, key in loose]
    for stand in stands:
        yield from stand.begin()
    for holder, key in loose:
        yield _untied(recipe, holder, key)
    for table, operations in changes:
        yield _changed(recipe, operations, trusting=any(holder.name == table for holder, _ in staying), why=why)
    for holder, key in loose:
        yield from bind_on_trust(recipe, holder.name, key, phase="migrate")
        yield prove(recipe, holder.name, key, phase="migrate")
    for stand in stands:
        yield from stand.end()


def _stays(at: Situation, holder: Table, key: ForeignKey) -> bool:
    """A key of a table to itself, where the server lets both of its ends change at once."""
    return holder.name == key.referenced and at.can(Capability.SELF_REFERENCE_STAYS)


def _by_table(group: list[Situation]) -> Changes:
    """The columns of one table change in one statement: a table is copied once."""
    found: dict[Name, list[ChangeColumn]] = {}
    for one in group:
        assert isinstance(one.operation, ChangeColumn)
        found.setdefault(one.operation.table, []).append(one.operation)
    return list(found.items())


def _changed(recipe: Recipe, changes: list[ChangeColumn], *, trusting: bool, why: str) -> RunSql:
    """`trusting`: with the server's look at foreign keys off, without which it refuses to change the ends of one that stays."""
    said = " and ".join(f"{one.table.name}.{one.column} becomes {one.definition.type}" for one in changes)
    said += f" ({TRUSTING}=0: the key of the table to itself stays)" if trusting else ""
    step = recipe.alone(*changes, purpose=said, phase="migrate")
    if why:
        step = replace(step, purpose=f"{step.purpose}; not beside the tables: {why}")
    if not trusting or not isinstance(step.undo, UndoSteps):
        return step
    checks_off = {TRUSTING: "0"}
    back = tuple(replace(one, settings=checks_off | dict(one.settings)) for one in step.undo.steps if isinstance(one, RunSql))
    return replace(step, settings=checks_off, undo=UndoSteps(steps=back))


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


def _ties(catalog: Catalog, starts: Iterable[End]) -> list[Tie]:
    """All that are tied to the columns, directly or through others."""
    found: dict[tuple[Name, str], Tie] = {}
    seen: set[End] = set()
    waiting = list(starts)
    while waiting:
        end = waiting.pop()
        if end in seen:
            continue
        seen.add(end)
        for holder, key in _tied(catalog, end):
            found[(holder.name, key.name)] = (holder, key)
            waiting += [other for pair in _pairs(holder, key) for other in pair if end in pair]
    return list(found.values())


def _pairs(holder: Table, key: ForeignKey) -> list[tuple[End, End]]:
    """Each column with the one that it points at."""
    return [
        ((holder.name, here), (key.referenced, there)) for here, there in zip(key.columns, key.referenced_columns, strict=False)
    ]


def _ends_of(group: list[Situation]) -> list[End]:
    return [(one.operation.table, one.operation.column) for one in group if isinstance(one.operation, ChangeColumn)]


def _group(at: Situation) -> list[Situation]:
    """The changes among those around this one that change the type of what is tied to its column, or are of a table of these: a table is copied once."""
    around = _around(at)
    found = [at]
    while True:
        ties = _ties(at.catalog, _ends_of(found))
        ends = {end for holder, key in ties for pair in _pairs(holder, key) for end in pair}
        tables = {table for table, _ in _ends_of(found)}
        more = [one for one in around if any(end in ends or end[0] in tables for end in _ends_of([one]))]
        if len(more) == len(found):
            return more
        found = more


def _around(at: Situation) -> list[Situation]:
    """Those that follow each other, this one among them."""
    everything = at.file.situations
    first = last = at.place
    while first > 0 and _belongs(everything[first - 1]):
        first -= 1
    while last + 1 < len(everything) and _belongs(everything[last + 1]):
        last += 1
    return list(everything[first : last + 1])


def _belongs(other: Situation) -> bool:
    operation = other.operation
    return (
        isinstance(operation, ChangeColumn)
        and _changes_type(operation, other)
        and bool(_tied(other.catalog, (operation.table, operation.column)))
    )


def _refuse_incomplete(at: Situation, group: list[Situation], ties: list[Tie]) -> None:
    types = {
        (one.operation.table, one.operation.column): one.operation.definition.type
        for one in group
        if isinstance(one.operation, ChangeColumn)
    }
    pairs = [pair for holder, key in ties for pair in _pairs(holder, key) if any(end in types for end in pair)]
    ends = dict.fromkeys(end for pair in pairs for end in pair)
    left = [f"{name.name}.{column}" for name, column in ends if (name, column) not in types]
    different = next(
        (sorted({types[here], types[there]}) for here, there in pairs if not left and types[here] != types[there]), []
    )
    hint = "change both ends in statements that follow each other; or drop the foreign key in the migration, and add it again"
    if left:
        _refuse(
            at,
            _ends_of(group)[0],
            f"a foreign key ties it to {', '.join(left)}, which must be of the same type to the letter",
            hint,
        )
    if different:
        _refuse(
            at, _ends_of(group)[0], f"foreign keys tie columns that would be of different types: {', '.join(different)}", hint
        )


def _refuse_untied(at: Situation, changes: Changes, loose: list[Tie]) -> None:
    why = next((found for tie in loose if (found := why_not(*tie))), "")
    if why:
        hint = "drop the foreign key in the migration, and add it again behind: nothing keeps it meanwhile"
        ((table, (first, *_)), *_) = changes
        _refuse(at, (table, first.column), why, hint)


def _refuse(at: Situation, end: End, why: str, hint: str) -> NoReturn:
    summary = f"the type of {end[0].name}.{end[1]} cannot be changed by itself"
    raise RefusedError("DF-E728", summary, where=str(at.statement.span), why=why, hint=hint)
