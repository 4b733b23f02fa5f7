"""Step ids: ten hexadecimal digits of the content, and which occurrence of it: the same plan has the same ids on every machine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from driftflow.model.plan import Backfill, Irreversible, RebuildTable, Step, UndoNothing
from driftflow.model.record import digest, replace


def with_ids(steps: Sequence[Step]) -> list[Step]:
    """Every step with its id; steps of an undo are named after theirs (`3f2a9c01d4.1.u1`)."""
    seen: Counter[str] = Counter()
    out: list[Step] = []
    for step in steps:
        content = digest(bare(step))[:10]
        seen[content] += 1
        out.append(_named(step, f"{content}.{seen[content]}"))
    return out


def _named(step: Step, id: str) -> Step:
    undo = step.undo
    if not isinstance(undo, UndoNothing):
        undo = replace(undo, steps=tuple(_named(inner, f"{id}.u{number}") for number, inner in enumerate(undo.steps, 1)))
    return replace(step, id=id, undo=undo)


def bare(step: Step) -> Step:
    """What makes a step the step it is: without its place in the file, its estimates, and ids."""
    undo = step.undo
    if not isinstance(undo, UndoNothing):
        undo = replace(undo, steps=tuple(bare(inner) for inner in undo.steps))
    if isinstance(undo, Irreversible):
        undo = replace(undo, stands_on=())
    plain = replace(step, id="", span=None, estimate=None, undo=undo)
    if isinstance(plain, RebuildTable):
        return replace(plain, rows_estimate=None, swap_estimate=None)
    return replace(plain, rows_estimate=None) if isinstance(plain, Backfill) else plain
