"""What stays on a way back because something lost for good stands on it: a column that keeps its new type keeps the type itself, and goes without the
default that was of the old one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace as with_fields

from driftflow.model.names import Span
from driftflow.model.operations import AlterColumnType, CreateType
from driftflow.model.plan import Irreversible, Step
from driftflow.model.record import replace
from driftflow.planner.draft import Draft
from driftflow.planner.order import touched_by
from driftflow.planner.touches import meet


def with_standing(drafts: Sequence[Draft]) -> list[Draft]:
    """The drafts, where each loss of a column's old type names the earlier statements that it stands on."""
    return [_standing(draft, drafts) for draft in drafts]


def _standing(draft: Draft, drafts: Sequence[Draft]) -> Draft:
    columns = [f"{one.table}/{one.column}" for one in draft.operations if isinstance(one, AlterColumnType)]
    lost = [step for step in draft.steps if isinstance(step.undo, Irreversible) and not step.undo.steps]
    if not (columns and lost):
        return draft
    earlier = [one for one in drafts if one.position < draft.position]
    below = [one for one in earlier if any(isinstance(op, CreateType) for op in one.operations) or meet(columns, _named(one))]
    spans = tuple(dict.fromkeys(one.at.statement.span for one in below))
    return with_fields(draft, steps=tuple(_on(step, spans) if step in lost else step for step in draft.steps))


def _named(draft: Draft) -> list[str]:
    return [touch for touch in touched_by(draft) if touch != "*"]


def _on(step: Step, spans: tuple[Span, ...]) -> Step:
    assert isinstance(step.undo, Irreversible)
    return replace(step, undo=replace(step.undo, stands_on=spans))
