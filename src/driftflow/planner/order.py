"""expand → migrate → contract: source order within a phase; a step moves to a later phase only when it must.

It must when code that runs now would break, when it moves or proves data, or when it depends on something that was moved.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from driftflow.model.operations import AlterColumnType, DropFunction, DropSchema, DropSequence, DropType
from driftflow.model.plan import PHASES, RebuildTable, Step
from driftflow.model.record import replace
from driftflow.planner.draft import Draft
from driftflow.planner.touches import EVERYTHING, meet, touches
from driftflow.strategies.columns.dual_write import RETIRE_NAME, RETIRES

CONTRACT = PHASES.index("contract")
STANDALONE = (DropFunction, DropSchema, DropSequence, DropType)


@dataclass(frozen=True)
class Placed:
    """A step with its final phase, and the draft that it came from."""

    step: Step
    draft: Draft
    first: bool
    """Whether it is its draft's first step."""


def in_order(drafts: Sequence[Draft]) -> list[Placed]:
    """All steps, phase by phase."""
    done: list[tuple[tuple[str, ...], int, int, Draft]] = []
    levelled: list[tuple[int, Placed]] = []
    views: list[tuple[str, ...]] = []
    for draft in drafts:
        touched = touched_by(draft)
        last = any(isinstance(one, STANDALONE) for one in draft.operations)
        base = max(
            (end if last else level for other, level, end, before in done if _holds(draft, touched, before, other)), default=0
        )
        if any(meet(touched, other) for other in views) and _a_view_is_in_the_way(draft):
            base = CONTRACT
        levels = list(_levels(draft, base))
        for index, (step, level) in enumerate(zip(draft.steps, levels, strict=True)):
            levelled.append((level, Placed(replace(step, phase=PHASES[level]), draft, index == 0)))
        own = [level for step, level in zip(draft.steps, levels, strict=True) if step.strategy not in RETIRES]
        effect, end = max(own, default=0), max(levels, default=0)
        if end:
            # What stays in the first phase holds nobody back, so it need not be looked at again.
            done.append((touched, effect, end, draft))
        if any(step.strategy == RETIRE_NAME for step in draft.steps):
            views.append(touched)
    return [placed for _, placed in sorted(levelled, key=lambda pair: pair[0])]


def touched_by(draft: Draft) -> tuple[str, ...]:
    return tuple(dict.fromkeys(touch for at in draft.situations for touch in touches(at.operation, at.catalog)))


def _holds(draft: Draft, touched: tuple[str, ...], before: Draft, other: tuple[str, ...]) -> bool:
    """Whether `draft` must not come before `before`."""
    if draft.glued and before.at.transaction == draft.at.transaction:
        return True
    if draft.verifies:
        return before.at.migration.id == draft.at.migration.id
    # What a later step still uses (a default its sequence, a column its type, a trigger its function) cannot be dropped before it.
    return meet(touched, other) or touched == EVERYTHING or any(isinstance(one, STANDALONE) for one in draft.operations)


def _a_view_is_in_the_way(draft: Draft) -> bool:
    """What cannot be done to a table as long as a view stands under its old name: a change of type (PostgreSQL), a rebuild (SQLite)."""
    rebuilt = any(isinstance(step, RebuildTable) for step in draft.steps)
    return rebuilt or any(isinstance(one, AlterColumnType) for one in draft.operations)


def _levels(draft: Draft, base: int) -> Iterator[int]:
    """Within a draft the phase never goes back."""
    level = base
    for step in draft.steps:
        level = max(level, PHASES.index(step.phase))
        yield level
