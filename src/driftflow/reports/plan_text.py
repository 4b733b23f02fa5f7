"""A plan for a terminal: every step with its lock, its price, and the way back."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from driftflow.model.effects import LockClaim
from driftflow.model.plan import (
    Backfill,
    BuildIndex,
    Gate,
    Irreversible,
    OnlineCopy,
    Plan,
    RebuildTable,
    RunSql,
    Stage,
    Step,
    UndoNothing,
    UndoSteps,
    Verify,
)
from driftflow.plugins import register
from driftflow.reports.plan_words import (
    blocks,
    dependent_line,
    duration,
    held,
    phase_title,
    seconds_limit,
    sql_of,
    stall_line,
    summary_line,
    undo_sql,
)
from driftflow.reports.style import fold

BOLD, DIM, YELLOW, RED, GREEN, RESET = "\x1b[1m", "\x1b[2m", "\x1b[33m", "\x1b[31m", "\x1b[32m", "\x1b[0m"
SQL_LINES_MAX = 12
HANG = 16
"""Where the text behind a label begins: a folded line goes on there."""


@register("report", "plan")
def render(plan: Plan, *, color: bool = False, width: int | None = None) -> str:
    """The whole plan. Without `color` the text has no escape codes; with a `width` no line is longer where words can be parted."""
    lines = [part for line in _lines(plan, _Paint(color)) for part in fold(line, hang=HANG, width=width)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


class _Paint:
    def __init__(self, on: bool) -> None:
        self.on = on

    def __call__(self, style: str, text: str) -> str:
        return f"{style}{text}{RESET}" if self.on else text


def _lines(plan: Plan, paint: _Paint) -> Iterator[str]:
    yield paint(BOLD, summary_line(plan))
    yield f"digest {plan.digest}"
    yield ""
    numbered = list(enumerate(plan.steps, 1))
    for phase, group in groupby(numbered, key=lambda pair: pair[1].phase):
        yield paint(BOLD, f"{phase}: {phase_title(phase)}")
        for number, step in group:
            if step.id == plan.point_of_no_return:
                yield paint(RED, "  ── point of no return: what follows cannot be taken back as a whole ──")
            yield from _step(number, step, plan, paint)
        yield ""
    yield from _dependents(plan, paint)
    yield from _closing(plan, paint)


def _step(number: int, step: Step, plan: Plan, paint: _Paint) -> Iterator[str]:
    mark = "⏸ " if isinstance(step, Gate) else ""
    yield f"  {number:>2}. {mark}{paint(BOLD, step.purpose)}"
    indent = "      "
    for line in _shortened(sql_of(step)):
        yield paint(DIM, f"{indent}{line}")
    for claim in step.claims:
        if claim.blocks:
            yield f"{indent}lock      {_claim(claim)}"
    if step.claims and not isinstance(step, Backfill):
        yield f"{indent}limits    waits {seconds_limit(step.lock_timeout_ms)} for the lock, runs {seconds_limit(step.statement_timeout_ms)}"
    for guard in step.guards:
        if guard.refuse_if == "never":
            yield f"{indent}counts    {guard.summary.replace('{count}', 'how many')}"
        else:
            yield f"{indent}refuses   if {_guard(guard.summary, guard.refuse_if)}"
    yield from (f"{indent}{line}" for line in _kind(step))
    if step.estimate is not None:
        yield f"{indent}takes     {duration(step.estimate)}: {step.estimate.basis}"
    elif isinstance(step, Stage):
        yield f"{indent}takes     as long as the source takes to load"
    elif not isinstance(step, Gate | Verify):
        yield f"{indent}takes     not known: no statistics"
    yield f"{indent}undo      {_undo(step, plan, paint)}"
    yield paint(DIM, f"{indent}id        {step.id}" + (f"   from {step.span}" if step.span is not None else ""))


def _shortened(text: str) -> Iterator[str]:
    lines = text.splitlines()
    yield from lines[:SQL_LINES_MAX]
    if len(lines) > SQL_LINES_MAX:
        yield f"… {len(lines) - SQL_LINES_MAX} more lines: driftflow show --format sql"


def _claim(claim: LockClaim) -> str:
    why = f" ({claim.why})" if claim.why else ""
    return f"{claim.mode} on {claim.relation}, {held(claim)}; {blocks(claim)}{why}"


def _guard(summary: str, refuse_if: str) -> str:
    text = summary.replace("{count}", "any")
    return text if refuse_if == "not_zero" else f"not so: {text}"


def _kind(step: Step) -> Iterator[str]:
    match step:
        case Gate(checklist=checklist, name=name, question_back=back, not_before=day):
            if day:
                yield f"shut      until {day}, whoever opens it"
            yield from (f"check     {item}" for item in checklist)
            yield f"opens by  driftflow gate open RUN {name}"
            if back:
                yield f"way back  a rollback past it asks: {back}"
        case Backfill():
            rows = f"{step.rows_estimate:,} rows" if step.rows_estimate is not None else "an unknown number of rows"
            yield f"chunks    {rows} along {', '.join(step.key)}, {step.chunk.target_ms} ms each, resting {step.chunk.rest_percent} %"
            yield "pauses    between two chunks; counts every row once, whatever happens in between"
        case RebuildTable(online=OnlineCopy() as online):
            rows = f"{step.rows_estimate:,} rows" if step.rows_estimate is not None else "an unknown number of rows"
            yield f"copies    {rows} along {', '.join(online.key)}, {online.chunk.target_ms} ms each, resting {online.chunk.rest_percent} %, while the application writes"
            yield "pauses    between two chunks; triggers take changed rows out of the copy, and their keys are copied again before the swap"
            if step.swap_estimate is not None:
                yield f"swaps     {duration(step.swap_estimate)}: {step.swap_estimate.basis}"
        case BuildIndex():
            yield "if killed the invalid index is found, dropped and built again"
        case Stage(source=source):
            yield f"source    pinned by SHA-256 {source.sha256[:12]}"
        case RunSql(transaction="none"):
            probe = "a query on the catalog tells" if step.probe is not None else "nobody can tell: a person must look"
            yield f"if killed {probe} whether it happened"
        case Verify(expectations=expectations):
            yield from (f"expects   {expectation.summary}" for expectation in expectations)
        case _:
            return


def _undo(step: Step, plan: Plan, paint: _Paint) -> str:
    match step.undo:
        case UndoSteps(besides=besides):
            said = "; ".join(line for line in undo_sql(step) if line)[:400]
            return f"{said} (nothing else: {besides})" if besides else said
        case UndoNothing(reason=reason):
            return f"nothing to do: {reason}"
        case Irreversible(reason=reason, name=name):
            accepted = "accepted" if name in plan.accepted else f"accept it by name: --accept {name!r}"
            left = f"; what comes back is {back}" if (back := "; ".join(undo_sql(step))[:300]) else ""
            return paint(RED, f"cannot be taken back: {reason} ({accepted})") + left


def _dependents(plan: Plan, paint: _Paint) -> Iterator[str]:
    for one in plan.dependents:
        yield paint(BOLD, f"what depends on {one.table}.{one.column}")
        yield from (f"  {dependent_line(dependent)}" for dependent in one.dependents)
        yield ""


def _closing(plan: Plan, paint: _Paint) -> Iterator[str]:
    yield f"longest stall   {stall_line(plan)}"
    yield f"whole plan      {duration(plan.estimate) + ': ' + plan.estimate.basis if plan.estimate is not None else 'not known: no statistics'}"
    irreversible = [step.undo.name for step in plan.steps if isinstance(step.undo, Irreversible)]
    if irreversible:
        open_names = [name for name in irreversible if name not in plan.accepted]
        said = f"{len(irreversible)} step{'s' if len(irreversible) > 1 else ''} cannot be taken back"
        yield f"way back        {said}" + (f"; not accepted yet: {', '.join(open_names)}" if open_names else "; all accepted")
    else:
        yield "way back        every step can be taken back: driftflow rollback RUN"
    if plan.inputs:
        yield "inputs          " + ", ".join(f"{given.path} ({given.sha256[:12]})" for given in plan.inputs)
    for note in plan.notes:
        yield paint(YELLOW, f"note            {note}")
