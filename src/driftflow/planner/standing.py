"""What stays on a way back because something lost for good stands on it: a column that keeps its new type keeps the type itself, and goes without the
default that was of the old one; and what was done to a table that is gone, or to a view over it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace as with_fields

from driftflow.dialects.situation import Situation
from driftflow.model.names import Name, Span
from driftflow.model.operations import AlterColumnType, CreateType, DropTable, DropView, MoveTable, RenameTable
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
    below = [*_below_types(draft, earlier), *_below_tables(draft, earlier)]
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
    """What changed a table that is dropped, by the names that it had, and the views over it."""
    gone = {one.name for one in draft.operations if isinstance(one, DropTable)}
    found: list[Draft] = []
    for one in reversed(earlier) if gone else ():
        if meet([name.text for name in gone], _named(one)) or any(_shows(at, gone) for at in one.situations):
            found.insert(0, one)
            gone |= {at.operation.name for at in one.situations if isinstance(at.operation, RenameTable | MoveTable)}
    return found


def _shows(at: Situation, gone: set[Name]) -> bool:
    """Whether it drops a view that reads one of them, however many views are between."""
    if not isinstance(at.operation, DropView):
        return False
    asked, seen = [at.operation.name], set[Name]()
    while asked:
        view = at.catalog.views.get(asked.pop().text)
        if view is None or view.name in seen:
            continue
        if gone & set(view.depends_on):
            return True
        seen.add(view.name)
        asked += view.depends_on
    return False


def _named(draft: Draft) -> list[str]:
    return [touch for touch in touched_by(draft) if touch != "*"]


def _on(step: Step, spans: tuple[Span, ...]) -> Step:
    assert isinstance(step.undo, Irreversible)
    return replace(step, undo=replace(step.undo, stands_on=spans))
