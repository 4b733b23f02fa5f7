"""The assessment as Markdown, for a comment on a pull request: a verdict, a table, and each finding folded below it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from driftflow.model.finding import AssessedStatement, Assessment, Finding
from driftflow.plugins import register
from driftflow.reports.style import count
from driftflow.reports.text import Statements

MARKS = {"error": "🛑", "warning": "⚠️", "info": "💡"}


@register("report", "assessment-markdown")
def render(assessment: Assessment, **_: Any) -> str:
    return "\n".join([*_head(assessment), *_table(assessment), *_details(assessment), *_facts(assessment)]).rstrip() + "\n"


def _head(assessment: Assessment) -> Iterator[str]:
    found: Counter[str] = Counter(finding.severity for finding in assessment.findings)
    parts = [
        count(found[severity], word)
        for severity, word in (("error", "error"), ("warning", "warning"), ("info", "note"))
        if found[severity]
    ]
    yield f"### driftflow: {', '.join(parts) or 'nothing to object to'}"
    yield ""
    version = assessment.server_version or "any supported version"
    yield f"{count(len(assessment.statements), 'statement')} for {assessment.dialect} ({version})."
    yield ""


def _table(assessment: Assessment) -> Iterator[str]:
    if assessment.findings:
        yield "| | where | what | axis | rule |"
        yield "|---|---|---|---|---|"
        for finding in assessment.findings:
            yield f"| {MARKS[finding.severity]} | `{finding.span}` | {_cell(finding.summary)} | {finding.axis} | {finding.code} |"
        yield ""


def _details(assessment: Assessment) -> Iterator[str]:
    statements = Statements(assessment)
    for finding in assessment.findings:
        yield from _one(finding, statements.of(finding))


def _one(finding: Finding, assessed: AssessedStatement | None) -> Iterator[str]:
    yield f"<details><summary>{MARKS[finding.severity]} {finding.code} at <code>{finding.span}</code></summary>"
    yield ""
    if assessed is not None:
        yield from _code(assessed.statement.sql.strip())
    if finding.why:
        yield f"**because** {finding.why}"
        yield ""
    if finding.remedy is not None:
        yield f"**remedy** {finding.remedy.summary}"
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
        yield "Good to know:"
        yield ""
        for fact in assessment.facts:
            yield f"- {fact}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
