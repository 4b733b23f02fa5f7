"""The assessment as text: what is wrong, where, because of what, and what to write instead. Made to be read at two in the morning."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from driftflow.model.finding import AssessedStatement, Assessment, Axis, Finding, StatementIndex
from driftflow.plugins import register
from driftflow.reports.errors import render_text
from driftflow.reports.source import excerpt
from driftflow.reports.style import BLUE, BOLD, CYAN, DIM, GREEN, RED, YELLOW, Paint, count

COLORS = {"error": RED, "warning": YELLOW, "info": CYAN}
KNOWN = {"rule": "from the statement alone", "catalog": "from the catalog", "server": "from the server itself"}


@register("report", "text")
def render(assessment: Assessment, *, color: bool = False, width: int | None = None) -> str:
    """Findings in the order of the files, then what is fine, then the count."""
    paint = Paint(color, width)
    statements = StatementIndex(assessment.statements)
    lines: list[str] = []
    for finding in assessment.findings:
        lines += [*_finding(finding, statements.of(finding), paint), ""]
    lines += _facts(assessment, paint)
    lines += _references(assessment, paint)
    for error in assessment.errors:
        lines += [render_text(error, color=color), ""]
    lines += _count(assessment, paint)
    return "\n".join(lines) + "\n"


def _finding(finding: Finding, assessed: AssessedStatement | None, paint: Paint) -> Iterator[str]:
    colour = COLORS[finding.severity]
    yield f"{paint(f'{finding.severity}[{finding.code}]', colour, BOLD)} {paint(finding.summary, BOLD)}"
    yield f"  {paint('-->', BLUE)} {finding.span}"
    if assessed is not None:
        yield from (f"  {line}" for line in excerpt(assessed.statement, finding.span, paint, colour))
    if finding.why:
        yield from _labelled("because", finding.why, paint)
    if finding.remedy is not None:
        yield from _labelled("remedy", finding.remedy.summary, paint)
        yield from (f"            {paint(line, GREEN)}" for line in finding.remedy.sql.splitlines())
    page = f" · driftflow explain {finding.code}" if finding.page else ""
    yield paint(f"  {finding.axis} · known {KNOWN[finding.known_by]}{page}", DIM)


def _labelled(label: str, text: str, paint: Paint) -> list[str]:
    lines = paint.wrap(text, first=f"  {label:<8}  ", rest=" " * 12)
    return [lines[0].replace(label, paint(label, BLUE, BOLD), 1), *lines[1:]]


def _facts(assessment: Assessment, paint: Paint) -> Iterator[str]:
    if assessment.facts:
        yield paint("good to know", BOLD)
        for fact in assessment.facts:
            yield from paint.wrap(fact, first="  · ", rest="    ")
        yield ""


def _references(assessment: Assessment, paint: Paint) -> Iterator[str]:
    """What the application still uses, as a checklist."""
    if assessment.references:
        yield paint("still used by the application (evidence, not proof)", BOLD)
        for reference in assessment.references:
            where = f"{reference.file}:{reference.line}" if reference.line else reference.file
            calls = f", {reference.calls:,} calls" if reference.calls else ""
            yield from paint.wrap(f"[ ] {reference.name}: {where}{calls}  {reference.text}".rstrip(), first="  ", rest="      ")
        yield ""


def _count(assessment: Assessment, paint: Paint) -> Iterator[str]:
    found: Counter[str] = Counter(finding.severity for finding in assessment.findings)
    migrations = len({assessed.migration for assessed in assessment.statements})
    where = f"in {count(len(assessment.statements), 'statement')} of {count(migrations, 'migration')}"
    version = (
        f", {assessment.dialect} {assessment.server_version}"
        if assessment.server_version
        else f", any supported {assessment.dialect}"
    )
    if assessment.errors:
        unread = count(len(assessment.errors), "error")
        yield paint(f"{unread} in what could not be read; what that means for the other files is not known", RED, BOLD)
    if not assessment.statements and not assessment.findings:
        yield f"no statement to look at{version}"
        return
    silent = f", {len(assessment.suppressed)} suppressed" if assessment.suppressed else ""
    if not assessment.findings:
        yield f"{paint('nothing to object to', GREEN, BOLD)} {where}{version}{silent}"
        return
    parts = [
        paint(count(found[severity], word), COLORS[severity], BOLD)
        for severity, word in (("error", "error"), ("warning", "warning"))
        if found[severity]
    ]
    parts += [paint(count(found["info"], "note"), COLORS["info"], BOLD)] if found["info"] else []
    yield f"{', '.join(parts)} ({axes(assessment)}) {where}{version}{silent}"


def axes(assessment: Assessment) -> str:
    """How many findings speak of which axis: `blocks 3, loses 1`."""
    found = Counter(finding.axis for finding in assessment.findings)
    order: tuple[Axis, ...] = ("blocks", "breaks", "loses", "note")
    return ", ".join(f"{axis} {found[axis]}" for axis in order if found[axis])
