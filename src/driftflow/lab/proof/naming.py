"""Which step of a plan a difference belongs to: the last one whose statements name the object."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from driftflow.lab.proof.running import named
from driftflow.lab.proof.state import Found
from driftflow.model.migration import Migration
from driftflow.model.plan import Backfill, BuildIndex, Plan, RebuildTable, RunSql, Stage, Step, UndoNothing
from driftflow.model.proof import Difference
from driftflow.patterns import lazy_regex

WRITES = lazy_regex(r"\s*(?:INSERT|UPDATE|DELETE|REPLACE|MERGE|TRUNCATE|WITH)\b", re.IGNORECASE)


def attributed(found: Sequence[Found], plan: Plan, migrations: Sequence[Migration]) -> tuple[Difference, ...]:
    """Each difference with its step, or with the statement of the migration that no step answers."""
    return tuple(
        Difference(step=_step_of(name, what, plan) or _unanswered(name, migrations), object=name, what=what)
        for name, what in found
    )


def _step_of(name: str, what: str, plan: Plan) -> str:
    """Of rows that are gone or too many: the last step that writes rows, where one does."""
    words, best, most = _words(name), "", 0
    of_rows = bool(re.match(r"\d+ rows are only", what))
    for step in plan.steps:
        hits = _hits(words, texts_of(step))
        if of_rows and hits and _writes_rows(words, step):
            hits += 1
        if hits and hits >= most:
            best, most = named(plan, step), hits
    return best


def _hits(words: Sequence[str], texts: Iterable[str]) -> int:
    text = " ".join(texts).lower()
    return sum(bool(re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text)) for word in words)


def _writes_rows(words: Sequence[str], step: Step) -> bool:
    if not isinstance(step, RunSql):
        return isinstance(step, Backfill | RebuildTable | Stage)
    return any(WRITES.match(one) and _hits(words, [one]) for one in step.statements)


def _unanswered(name: str, migrations: Sequence[Migration]) -> str:
    """The last statement that names all of it."""
    words, found = _words(name), ""
    for migration in migrations:
        for statement in migration.statements:
            if words and _hits(words, [statement.sql]) == len(words):
                found = f"no step speaks of it, and {statement.span} does"
    return found


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
