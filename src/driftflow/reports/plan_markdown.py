"""A plan for a pull request: a table to read at a glance, and every step folded below it."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.model.plan import Gate, Irreversible, Plan, Step, UndoNothing, UndoSteps
from driftflow.plugins import register
from driftflow.reports.plan_words import blocks, dependent_line, duration, held, sql_of, stall_line, summary_line, undo_sql


@register("report", "markdown")
def render(plan: Plan) -> str:
    """GitHub and GitLab both show it as it is meant."""
    return "\n".join(_lines(plan)) + "\n"


def _lines(plan: Plan) -> Iterator[str]:
    yield f"## {summary_line(plan)}"
    yield ""
    yield f"digest `{plan.digest}`"
    yield ""
    yield f"- **Longest stall:** {stall_line(plan)}"
    yield f"- **Duration:** {f'{duration(plan.estimate)} ({plan.estimate.basis})' if plan.estimate is not None else 'not known: no statistics'}"
    yield f"- **Way back:** {_way_back(plan)}"
    yield from (f"- **Note:** {_cell(note)}" for note in plan.notes)
    yield ""
    yield "| # | phase | step | strongest lock | takes | way back |"
    yield "|--:|---|---|---|---|---|"
    for number, step in enumerate(plan.steps, 1):
        yield f"| {number} | {step.phase} | {_cell(step.purpose)} | {_lock(step)} | {_takes(step)} | {_cell(_back(step))} |"
    yield ""
    for one in plan.dependents:
        yield f"**What depends on `{one.table}.{one.column}`**"
        yield ""
        yield from (f"- {_cell(dependent_line(dependent))}" for dependent in one.dependents)
        yield ""
    for number, step in enumerate(plan.steps, 1):
        yield from _details(number, step)


def _way_back(plan: Plan) -> str:
    names = [step.undo.name for step in plan.steps if isinstance(step.undo, Irreversible)]
    if not names:
        return "every step can be taken back"
    number = next(index for index, step in enumerate(plan.steps, 1) if step.id == plan.point_of_no_return)
    listed = ", ".join(f"`{name}`{' (accepted)' if name in plan.accepted else ''}" for name in names)
    return f"point of no return at step {number}; irreversible: {listed}"


def _lock(step: Step) -> str:
    blocking = [claim for claim in step.claims if {"reads", "writes"} & set(claim.blocks)]
    if not blocking:
        return "nobody waits"
    claim = max(blocking, key=lambda one: (len(one.blocks), one.held != "instant"))
    return _cell(f"{claim.mode} on {claim.relation}, {held(claim)}; {blocks(claim)}")


def _takes(step: Step) -> str:
    if isinstance(step, Gate):
        return "until somebody says yes"
    return duration(step.estimate) if step.estimate is not None else "not known"


def _back(step: Step) -> str:
    match step.undo:
        case UndoSteps(besides=besides):
            return "; ".join(undo_sql(step))[:160] + (f" ({besides})" if besides else "")
        case UndoNothing(reason=reason):
            return reason
        case Irreversible(reason=reason):
            return f"**none**: {reason}"


def _details(number: int, step: Step) -> Iterator[str]:
    yield f"<details><summary>{number}. {_html(step.purpose)}</summary>"
    yield ""
    if isinstance(step, Gate):
        yield step.question
        yield ""
        yield from (f"- [ ] {item}" for item in step.checklist)
    else:
        yield "```sql"
        yield sql_of(step)
        yield "```"
    yield from (f"- refuses to run if: {guard.summary.replace('{count}', 'any')}" for guard in step.guards)
    yield ""
    yield "</details>"


def _cell(text: str) -> str:
    return _html(" ".join(text.split())).replace("|", "\\|")


def _html(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
