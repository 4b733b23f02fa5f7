"""GitHub's workflow commands: annotations at the lines of a pull request, written to the log of a job."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from driftflow.model.finding import Assessment, Finding
from driftflow.plugins import register
from driftflow.reports.sarif import message

COMMANDS = {"error": "error", "warning": "warning", "info": "notice"}


@register("report", "github")
def render(assessment: Assessment, **_: Any) -> str:
    return "".join(f"{line}\n" for line in _lines(assessment))


def _lines(assessment: Assessment) -> Iterator[str]:
    for finding in assessment.findings:
        yield f"::{COMMANDS[finding.severity]} {_properties(finding)}::{_data(message(finding))}"


def _properties(finding: Finding) -> str:
    span = finding.span
    values = {"file": span.file, "line": span.line, "endLine": span.end_line, "title": f"{finding.code}: {finding.summary}"}
    if span.end_line == span.line:  # columns are only allowed on one line
        values |= {"col": span.column, "endColumn": max(span.end_column, span.column + 1)}
    return ",".join(f"{key}={_property(str(value))}" for key, value in values.items())


def _data(text: str) -> str:
    """As @actions/core escapes a message."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
