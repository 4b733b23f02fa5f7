"""Which step of a plan a difference belongs to: the last one whose statements name the object."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from driftflow.lab.proof.running import named
from driftflow.lab.proof.state import Found
from driftflow.model.plan import Backfill, BuildIndex, Plan, RebuildTable, RunSql, Stage, Step, UndoNothing
from driftflow.model.proof import Difference


def attributed(found: Sequence[Found], plan: Plan, *, undo: bool = False) -> tuple[Difference, ...]:
    """Each difference with its step; with `undo` the way back of it is looked at too."""
    return tuple(Difference(step=_step_of(name, plan), object=name, what=what) for name, what in found)


def _step_of(name: str, plan: Plan) -> str:
    words = _words(name)
    best, most = "", 0
    for step in plan.steps:
        text = " ".join(texts_of(step)).lower()
        hits = sum(bool(re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text)) for word in words)
        if hits and hits >= most:
            best, most = named(plan, step), hits
    return best


def _words(name: str) -> list[str]:
    """`column public.orders.tenant_id` → orders, tenant_id."""
    rest = name.partition(" ")[2]
    words = [word for part in rest.split(" of ") for word in part.split(".")]
    return [word.strip('"').lower() for word in words if word not in ("public", "main") and not word.startswith("(unnamed")]


def texts_of(step: Step) -> Iterator[str]:
    """What the step says, forward and back."""
    match step:
        case RunSql():
            yield from step.statements
        case BuildIndex():
            yield step.create_sql
        case Backfill():
            yield f"{step.table} {' '.join(column for column, _ in step.assignments)}"
        case RebuildTable():
            yield f"{step.create_sql} {' '.join(step.restore)} {step.table}"
        case Stage():
            yield str(step.table)
        case _:
            pass
    if not isinstance(step.undo, UndoNothing):
        for inner in step.undo.steps:
            yield from texts_of(inner)
