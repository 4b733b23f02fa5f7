"""expand → migrate → contract: source order within a phase; a step moves to a later phase only when it must.

It must when code that runs now would break, when it moves or proves data, or when it depends on something that was moved.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from driftflow.dialects.situation import Situation
from driftflow.model.catalog import ForeignKey, Unique
from driftflow.model.names import Name
from driftflow.model.operations import (
    AddColumn,
    AddConstraint,
    AlterColumnType,
    ChangeColumn,
    CreateIndex,
    CreateTrigger,
    Delete,
    DropColumn,
    DropDefault,
    DropFunction,
    DropSchema,
    DropSequence,
    DropTable,
    DropTrigger,
    DropType,
    DropView,
    Grant,
    Insert,
    MoveTable,
    Operation,
    RenameColumn,
    RenameTable,
    RequestAlgorithm,
    Select,
    SetDefault,
    Update,
)
from driftflow.model.operations.rules import texts_read_by_name
from driftflow.model.plan import PHASES, RebuildTable, Step
from driftflow.model.record import replace
from driftflow.planner.draft import Draft
from driftflow.planner.made_again import made_again_later, out_of_the_way
from driftflow.planner.touches import EVERYTHING, meet, touches
from driftflow.strategies.columns.dual_write import RETIRE, RETIRE_COLUMN, RETIRE_DEFAULT, RETIRE_NAME, RETIRE_TABLE, RETIRES
from driftflow.strategies.renames.dual_columns import NAME as DUAL_COLUMNS

CONTRACT = PHASES.index("contract")
BORNE = (AddColumn, SetDefault, DropDefault, CreateIndex, Insert, Update, Delete, Select, Grant, RequestAlgorithm)
STANDALONE = (DropFunction, DropSchema, DropSequence, DropType)


@dataclass(frozen=True)
class Placed:
    """A step with its final phase, and the draft that it came from."""

    step: Step
    draft: Draft
    first: bool
    """Whether it is its draft's first step."""
    joined: tuple[Draft, ...] = ()
    """Drafts whose steps were joined with this one, before its own."""

    @property
    def drafts(self) -> tuple[Draft, ...]:
        return (*self.joined, self.draft)


def in_order(drafts: Sequence[Draft]) -> list[Placed]:
    """All steps, phase by phase."""
    drafts = out_of_the_way(drafts)
    late: dict[int, int] = {}
    while True:
        placed = _placed(drafts, frozenset(), late)
        if early := _hindered(drafts, placed):
            placed = _placed(drafts, early, late)
        first = {one.draft.position: PHASES.index(one.step.phase) for one in reversed(placed)}
        if not (more := made_again_later(drafts, first)):
            return placed
        late |= more


def _placed(drafts: Sequence[Draft], early: frozenset[int], late: Mapping[int, int]) -> list[Placed]:
    """`early` are the positions of drafts whose old form goes before anything else happens to their table; `late` says of some in which phase they stand at the earliest."""
    done: list[tuple[tuple[str, ...], int, int, Draft]] = []
    levelled: list[tuple[int, Placed]] = []
    views: list[tuple[str, ...]] = []
    wholes: dict[int, int] = {}

    def earliest(draft: Draft, touched: tuple[str, ...]) -> int:
        """The first phase in which it may stand, by what was placed before it."""
        if any(meet(touched, other) for other in views) and _a_view_is_in_the_way(draft):
            return CONTRACT
        held = (
            end if _until_the_end(draft, before) else level
            for other, level, end, before in done
            if _holds(draft, touched, before, other)
        )
        return max(held, default=0)

    for draft in drafts:
        touched = touched_by(draft)
        if draft.whole is None:
            base = earliest(draft, touched)
        else:
            if draft.whole not in wholes:
                members = [one for one in drafts if one.whole == draft.whole]
                own = [PHASES.index(step.phase) for one in members for step in one.steps if step.strategy not in RETIRES]
                wholes[draft.whole] = max((*own, *(earliest(one, touched_by(one)) for one in members)), default=0)
            base = wholes[draft.whole]
        base = max(base, late.get(draft.position, 0))
        levels = list(_levels(draft, base, early=draft.position in early))
        for index, (step, level) in enumerate(zip(draft.steps, levels, strict=True)):
            levelled.append((level, Placed(replace(step, phase=PHASES[level]), draft, index == 0)))
        effects = [level for step, level in zip(draft.steps, levels, strict=True) if step.strategy not in RETIRES]
        effect, end = max(effects, default=0), max(levels, default=0)
        if end:
            # What stays in the first phase holds nobody back, so it need not be looked at again.
            done.append((touched, effect, end, draft))
        if any(step.strategy == RETIRE_NAME for step in draft.steps):
            views.append(touched)
    return [placed for _, placed in sorted(levelled, key=lambda pair: pair[0])]


def _hindered(drafts: Sequence[Draft], placed: Sequence[Placed]) -> frozenset[int]:
    """Positions of drafts whose old form could not take its place again, or not be removed, if it stayed until the last phase: before that phase a
    later draft changes the table in a way that the old form knows nothing of."""
    before = {one.draft.position for one in placed if one.step.phase != "contract" and one.step.strategy not in RETIRES}
    found = set()
    for draft in drafts:
        kept = {step.strategy for step in draft.steps} & {RETIRE_TABLE, RETIRE_COLUMN}
        if draft.position not in before or not kept:
            continue
        touched = touched_by(draft)
        later = [one for one in drafts if one.position > draft.position and one.position in before]
        if any(not _borne(one, kept) and meet(touched, touched_by(one)) for one in later):
            found.add(draft.position)
    return frozenset(found)


def _borne(draft: Draft, kept: Collection[str]) -> bool:
    """Whether the old form of a table can be made again without what the draft gave the table, and the old values of a column stay where they are."""
    if RETIRE_TABLE not in kept:
        return not (_renames(draft) or any(step.strategy == RETIRE_COLUMN for step in draft.steps))
    return not _makes_anew(draft) and all(_only_gives(one) for one in draft.operations)


def _renames(draft: Draft) -> bool:
    return any(isinstance(one, RenameTable | MoveTable) for one in draft.operations)


def _only_indexes(draft: Draft) -> bool:
    return not _makes_anew(draft) and all(isinstance(one, CreateIndex | AddConstraint) for one in draft.operations)


def _makes_anew(draft: Draft) -> bool:
    """Whether it makes its tables anew, beside themselves or in place of themselves."""
    return any(isinstance(step, RebuildTable) or step.strategy == RETIRE_TABLE for step in draft.steps)


def _only_gives(operation: Operation) -> bool:
    match operation:
        case AddConstraint(constraint=constraint):
            return isinstance(constraint, ForeignKey | Unique)
        case ChangeColumn(column=column, definition=definition):
            return definition.name == column and not (operation.position or operation.constraints)
        case _:
            return isinstance(operation, BORNE)


def touched_by(draft: Draft) -> tuple[str, ...]:
    """A table that is made anew is touched as a whole: its steps say every column by the name that it has where the statement stands. So are the views
    that a rebuild makes again with their triggers, and the triggers of other tables (SQLite)."""
    anew = _makes_anew(draft)
    whole = [name.text for at in draft.situations if anew and isinstance(name := getattr(at.operation, "table", None), Name)]
    whole += [view.name.text for table in _rebuilt(draft) for view in draft.at.catalog.dependents(table)]
    whole += _triggers_made_again(draft)
    return tuple(dict.fromkeys([*whole, *(touch for at in draft.situations for touch in touches(at.operation, at.catalog))]))


def _holds(draft: Draft, touched: tuple[str, ...], before: Draft, other: tuple[str, ...]) -> bool:
    """Whether `draft` must not come before `before`."""
    if _frees(draft, before) or _says_anew(draft, before):
        return True
    if _finds_both_names(draft, before):
        return False
    if all(isinstance(one, DropDefault) for one in before.operations) and _only_indexes(draft):
        return False  # A default that waits for the new application keeps it from no index.
    if draft.verifies:
        return before.at.migration.id == draft.at.migration.id
    # What a later step still uses (a default its sequence, a column its type, a trigger its function) cannot be dropped before it.
    return meet(touched, other) or touched == EVERYTHING or any(isinstance(one, STANDALONE) for one in draft.operations)


def _finds_both_names(draft: Draft, before: Draft) -> bool:
    """Whether `draft` only changes triggers of other tables than the one in which `before` lets a column have two names: those find the new one from the first
    phase on, and the old one is gone at the end. Where triggers follow a new name (SQLite), the swap would turn it round in them."""
    tables = {at.operation.table for at in before.situations if isinstance(at.operation, RenameColumn)}
    if not texts_read_by_name(draft.at.catalog) or not any(step.strategy == DUAL_COLUMNS for step in before.steps):
        return False
    return all(
        (isinstance(one, DropTrigger) and one.table not in tables)
        or (isinstance(one, CreateTrigger) and one.trigger.table not in tables)
        for one in draft.operations
    )


def _frees(draft: Draft, before: Draft) -> bool:
    """Whether `before` drops a view that would be in the way of `draft`: neither the server nor a recipe that no longer knows of it gets past it.
    Nor is a view dropped before a rebuild that knows of it."""
    gone = [at for at in before.situations if isinstance(at.operation, DropView)]
    tables = list(_rebuilt(draft)) if gone else []
    for one in draft.operations if gone else ():
        match one:
            case DropTable(name=table) | DropColumn(table=table) | AlterColumnType(table=table):
                tables.append(table)
            case _:
                pass
    if any(_reads(at, table) for at in gone for table in tables):
        return True
    known = [at for at in draft.situations if isinstance(at.operation, DropView)]
    return any(_reads(at, table) for at in known for table in _rebuilt(before))


def _says_anew(draft: Draft, before: Draft) -> bool:
    """Whether `draft` gives a table another name that is said in one which `before` makes anew: a reference of SQLite follows, and the text is another one."""
    rebuilt = set(_rebuilt(before))
    return any(
        holder.name in rebuilt
        for at in draft.situations
        if rebuilt and isinstance(at.operation, RenameTable)
        for holder, _ in at.catalog.referencing(at.operation.name)
    )


def _triggers_made_again(draft: Draft) -> list[str]:
    again = {text for step in draft.steps if isinstance(step, RebuildTable) for text in step.drop_views}
    quote, tables = draft.at.dialect.quote, draft.at.catalog.tables.values() if again else ()
    return [
        f"{table.name}/!{one.name}" for table in tables for one in table.triggers if f"DROP TRIGGER {quote(one.name)}" in again
    ]


def _rebuilt(draft: Draft) -> Iterator[Name]:
    return (step.table for step in draft.steps if isinstance(step, RebuildTable))


def _reads(at: Situation, table: Name) -> bool:
    """Whether the view that is dropped here reads the table."""
    assert isinstance(at.operation, DropView)
    return any(view.name == at.operation.name for view in at.catalog.dependents(table))


def _until_the_end(draft: Draft, before: Draft) -> bool:
    """Whether `draft` waits for what `before` retires too: its trigger, its default, its view, which know the table by its name."""
    if any(isinstance(one, STANDALONE) for one in draft.operations):
        return True
    return _renames(draft) and any(step.strategy in (RETIRE, RETIRE_DEFAULT, RETIRE_NAME) for step in before.steps)


def _a_view_is_in_the_way(draft: Draft) -> bool:
    """What cannot be done to a table as long as a view stands under its old name: a change of type (PostgreSQL), a rebuild (SQLite)."""
    rebuilt = any(isinstance(step, RebuildTable) for step in draft.steps)
    return rebuilt or any(isinstance(one, AlterColumnType) for one in draft.operations)


def _levels(draft: Draft, base: int, *, early: bool) -> Iterator[int]:
    """Within a draft the phase never goes back."""
    level = base
    for step in draft.steps:
        level = max(level, PHASES.index(step.phase) if not (early and step.strategy in (RETIRE_TABLE, RETIRE_COLUMN)) else 0)
        yield level
