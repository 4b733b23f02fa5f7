"""The assessment as Markdown, for a comment on a pull request: a verdict, a table, and each finding folded below it.

GitHub takes no comment of more than 65,536 characters: what does not fit is counted, the worst first in the table's own order.
"""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from driftflow.model.finding import AssessedStatement, Assessment, Finding, StatementIndex
from driftflow.plugins import register
from driftflow.reports.style import count
from driftflow.reports.text import axes

CHARACTERS_MAX = 65_000
"""Below the limit, with room for what a caller puts before it."""
TABLE_MAX = 30_000
ERRORS_MAX = 10_000
MARKS = {"error": "🛑", "warning": "⚠️", "info": "💡"}


@register("report", "assessment-markdown")
def render(assessment: Assessment, **_: Any) -> str:
    head = "\n".join([*_head(assessment), *_errors(assessment), *_table(assessment)])
    end = _fitting(_facts(assessment), CHARACTERS_MAX - TABLE_MAX - ERRORS_MAX - 5_000, "facts")
    details = _fitting(_details(assessment), CHARACTERS_MAX - len(head) - len(end), "findings in full")
    return f"{head}\n{details}\n{end}".rstrip() + "\n"


def _fitting(parts: Iterable[str], room: int, what: str) -> str:
    """As many of the parts as there is room for, and how many are missing."""
    found: list[str] = []
    left = 0
    room -= 100  # for the sentence itself
    for part in parts:
        room -= len(part) + 1
        if left or room < 0:
            left += 1
        else:
            found.append(part)
    return "\n".join([*found, *([f"\n*{left} more {what} had no room here: `driftflow lint` shows them.*\n"] if left else [])])


def _head(assessment: Assessment) -> Iterator[str]:
    found: Counter[str] = Counter(finding.severity for finding in assessment.findings)
    parts = [
        count(found[severity], word)
        for severity, word in (("error", "error"), ("warning", "warning"), ("info", "note"))
        if found[severity]
    ]
    by_axis = f" ({axes(assessment)})" if parts else ""
    calm = "not everything could be read" if assessment.errors else "nothing to object to"
    yield f"### driftflow: {', '.join(parts) or calm}{by_axis}"
    yield ""
    version = assessment.server_version or "any supported version"
    silent = f" {len(assessment.suppressed)} suppressed." if assessment.suppressed else ""
    yield f"{count(len(assessment.statements), 'statement')} for {assessment.dialect} ({version}).{silent}"
    yield ""


def _errors(assessment: Assessment) -> Iterator[str]:
    if assessment.errors:
        yield f"**{count(len(assessment.errors), 'error')} in what could not be read.** What it means for the other files is not known."
        yield ""
        yield "| where | what | because | code |"
        yield "|---|---|---|---|"
        rows = (
            f"| <code>{_cell(str(error.place) if error.place.file else error.where)}</code> | {_cell(error.summary)} "
            f"| {_cell(error.why)} | {error.code} |"
            for error in assessment.errors
        )
        yield _fitting(rows, ERRORS_MAX, "errors")
        yield ""


def _table(assessment: Assessment) -> Iterator[str]:
    if assessment.findings:
        yield "| | where | what | axis | rule |"
        yield "|---|---|---|---|---|"
        yield _fitting((_row(finding) for finding in assessment.findings), TABLE_MAX, "findings")
        yield ""


def _row(finding: Finding) -> str:
    where = f"<code>{_cell(str(finding.span))}</code>"
    return f"| {MARKS[finding.severity]} | {where} | {_cell(finding.summary)} | {finding.axis} | {finding.code} |"


def _details(assessment: Assessment) -> Iterator[str]:
    statements = StatementIndex(assessment.statements)
    for finding in assessment.findings:
        yield "\n".join(_one(finding, statements.of(finding)))


def _one(finding: Finding, assessed: AssessedStatement | None) -> Iterator[str]:
    yield f"<details><summary>{MARKS[finding.severity]} {finding.code} at <code>{html.escape(str(finding.span), quote=False)}</code></summary>"
    yield ""
    if assessed is not None:
        yield from _code(assessed.statement.sql.strip())
    if finding.why:
        yield f"**because** {_prose(finding.why)}"
        yield ""
    if finding.remedy is not None:
        yield f"**remedy** {_prose(finding.remedy.summary)}"
        yield ""
        if finding.remedy.sql:
            yield from _code(finding.remedy.sql)
    yield "</details>"
    yield ""


def _code(sql: str) -> Iterator[str]:
    """A fence longer than any run of backticks in the SQL."""
    fence = "```"
    while fence in sql:
        fence += "`"
    yield f"{fence}sql"
    yield sql
    yield fence
    yield ""


def _facts(assessment: Assessment) -> Iterator[str]:
    if assessment.facts:
        yield "Good to know:\n"
        for fact in assessment.facts:
            yield f"- {_prose(fact)}"


def _cell(text: str) -> str:
    return _prose(text).replace("|", "\\|").replace("\n", " ").replace("\r", " ")


def _prose(text: str) -> str:
    """A name between angle brackets would be taken for a tag and vanish; stars, underscores and backticks would set type."""
    return re.sub(r"([\\`*_~\[\]])", r"\\\1", html.escape(text, quote=False))
