"""What stays on a way back because something lost for good stands on it: a column that keeps its new type keeps the type itself, and goes without the
default that was of the old one; what was done to a table that is gone, or to a view over it; and a table of the release that holds the rows of one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace as with_fields
from typing import TypeGuard

from driftflow.dialects.situation import Situation
from driftflow.model.names import Name, Span
from driftflow.model.operations import (
    AlterColumnType,
    AlterObject,
    CreateSchema,
    CreateTableAs,
    CreateType,
    DropObject,
    DropSchema,
    DropTable,
    DropView,
    Insert,
    MoveTable,
    Operation,
    RenameColumn,
    RenameTable,
)
from driftflow.model.plan import Irreversible, Step
from driftflow.model.record import replace
from driftflow.planner.draft import Draft
from driftflow.planner.order import touched_by
from driftflow.planner.touches import meet


def with_standing(drafts: Sequence[Draft]) -> list[Draft]:
    """The drafts, where each loss of a column's old type, or of a table, names the earlier statements that cannot be taken back without it."""
    return [_standing(draft, drafts) for draft in drafts]


def _standing(draft: Draft, drafts: Sequence[Draft]) -> Draft:
    lost = [step for step in draft.steps if isinstance(step.undo, Irreversible) and not step.undo.steps]
    earlier = [one for one in drafts if one.position < draft.position] if lost else []
    below = [
        *_below_types(draft, earlier),
        *_below_tables(draft, earlier),
        *_below_schemas(draft, earlier),
        *_below_attributes(draft, earlier),
        *_below_objects(draft, earlier),
    ]
    if not below:
        return draft
    spans = tuple(dict.fromkeys(one.at.statement.span for one in below))
    return with_fields(draft, steps=tuple(_on(step, spans) if step in lost else step for step in draft.steps))


def _below_types(draft: Draft, earlier: Sequence[Draft]) -> list[Draft]:
    columns = [f"{one.table}/{one.column}" for one in draft.operations if isinstance(one, AlterColumnType)]
    if not columns:
        return []
    return [one for one in earlier if any(isinstance(op, CreateType) for op in one.operations) or meet(columns, _named(one))]


def _below_tables(draft: Draft, earlier: Sequence[Draft]) -> list[Draft]:
    """What changed a table that is dropped, by the names that it had, and the views over it; and what made a table of the release that holds its rows,
    for they are nowhere else."""
    gone = {one.name for one in draft.operations if isinstance(one, DropTable)}
    gone |= _copies(gone, earlier) if gone else set()
    found: list[Draft] = []
    for one in reversed(earlier) if gone else ():
        if meet([name.text for name in gone], _named(one)) or any(_shows(at, gone) for at in one.situations):
            found.insert(0, one)
            gone |= {name for at in one.situations for name in _also_gone(at, gone)}
    return found


def _below_schemas(draft: Draft, earlier: Sequence[Draft]) -> list[Draft]:
    """What was done in a schema that is dropped with everything in it, by the names that it had."""
    gone = {one.name for one in draft.operations if isinstance(one, DropSchema) and one.cascade}
    found: list[Draft] = []
    for one in reversed(earlier) if gone else ():
        former = {op.name.name for op in one.operations if _renames_schema(op, gone) and op.name is not None}
        made = any(isinstance(op, CreateSchema) and op.name in gone for op in one.operations)
        if former or made or any(touch.partition(".")[0] in gone and "." in touch for touch in _named(one)):
            found.insert(0, one)
            gone |= former
    return found


def _below_attributes(draft: Draft, earlier: Sequence[Draft]) -> list[Draft]:
    """What was done to the attributes of a composite type, one of which is gone or has lost its old values."""
    gone = {one.name for one in draft.operations if isinstance(one, AlterObject) and one.attributes}
    return [one for one in earlier if any(_attributed(op) in gone for op in one.operations)] if gone else []


def _attributed(operation: Operation) -> Name | None:
    match operation:
        case AlterObject(name=name, attributes=changes) if changes:
            return name
        case RenameColumn(table=name, relation_kind="type"):
            return name
        case _:
            return None


def _renames_schema(operation: Operation, gone: set[str]) -> TypeGuard[AlterObject]:
    return (
        isinstance(operation, AlterObject) and (operation.kind, operation.action) == ("schema", "rename") and operation.to in gone
    )


def _below_objects(draft: Draft, earlier: Sequence[Draft]) -> list[Draft]:
    """What changed an object that is dropped and known by its name alone."""
    gone = {(one.kind, one.name) for one in draft.operations if isinstance(one, DropObject)}
    return [one for one in earlier if any(isinstance(op, AlterObject) and (op.kind, op.name) in gone for op in one.operations)]


def _also_gone(at: Situation, gone: set[Name]) -> Iterator[Name]:
    match at.operation:
        case RenameTable(name=former) | MoveTable(name=former):
            yield former
        case Insert(table=copy, reads=reads) if gone & set(reads) and (known := at.table(copy)) is not None and known.new:
            yield copy
        case _:
            pass


def _copies(gone: set[Name], earlier: Sequence[Draft]) -> set[Name]:
    """Tables of the release that hold their rows, be it from another such table."""
    found: set[Name] = set()
    for at in (at for one in earlier for at in one.situations):
        match at.operation:
            case Insert(table=copy, reads=reads) if (gone | found) & set(reads):
                known = at.table(copy)
                found |= {copy} if known is not None and known.new else set()
            case CreateTableAs(name=copy, reads=reads) if (gone | found) & set(reads):
                found.add(copy)
            case _:
                pass
    return found


def _shows(at: Situation, gone: set[Name]) -> bool:
    """Whether it drops a view that reads one of them, however many views are between."""
    if not isinstance(at.operation, DropView):
        return False
    return any(view.name == at.operation.name for name in gone for view in at.catalog.dependents(name))


def _named(draft: Draft) -> list[str]:
    return [touch for touch in touched_by(draft) if touch != "*"]


def _on(step: Step, spans: tuple[Span, ...]) -> Step:
    assert isinstance(step.undo, Irreversible)
    return replace(step, undo=replace(step.undo, stands_on=spans))
