"""Where a plan stops in the lab, and that says something about the made-up rows and nothing about the plan."""

from __future__ import annotations

from driftflow.engine.ports import DatabaseFault
from driftflow.errors import DriftflowError
from driftflow.lab.proof.bench import Bench
from driftflow.lab.proof.running import named, why

DEMAND_SOMETHING = frozenset(("convert", "if-unused", "maintained", "polymorphic", "rule", "by-trigger", "too-long"))
"""Verbs that want rows to be as their statement alone does not: the original migration runs where the guards of the plan refuse."""
REFUSED = frozenset(("DF-E305", "DF-E743"))
"""A guard, and a rule in Python that the rows are run through."""


def unfit(bench: Bench, error: DriftflowError | DatabaseFault, step: str) -> str:
    """Why nothing was shown; empty where the plan has failed. The original migration fails on these rows too, or a guard looked for what a directive
    demands, and rows that nobody wrote are not like that."""
    expected, said = bench.original
    if expected is None:
        return f"neither the plan nor the original migration runs to its end on these rows: {why(error)} (the original: {said})"
    if isinstance(error, DriftflowError) and error.code in REFUSED and _demanded(bench, step):
        at = f" ({named(bench.plan, step)})" if step else ""
        return f"the made-up rows are not as the directive demands, so the plan refuses them{at}: {why(error)}"
    return ""


def _demanded(bench: Bench, step: str) -> bool:
    """Before the first step has begun every guard of the plan is asked, and nobody knows of which step it is."""
    steps = [one for one in bench.plan.steps if not step or one.id == step]
    spoken = {
        (migration.id, statement.span)
        for migration in bench.question.migrations
        for statement in migration.statements
        if any(one.verb in DEMAND_SOMETHING for one in statement.directives)
    }
    return any((one.migration, one.span) in spoken for one in steps)
