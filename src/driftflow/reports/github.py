"""GitHub's workflow commands: annotations at the lines of a pull request, written to the log of a job."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from driftflow.model.finding import Assessment
from driftflow.model.names import Span
from driftflow.plugins import register
from driftflow.reports.sarif import error_message, message

COMMANDS = {"error": "error", "warning": "warning", "info": "notice"}


@register("report", "github")
def render(assessment: Assessment, **_: Any) -> str:
    return "".join(f"{line}\n" for line in _lines(assessment))


def _lines(assessment: Assessment) -> Iterator[str]:
    for error in assessment.errors:
        yield f"::error {_properties(error.place, f'{error.code}: {error.summary}')}::{_data(error_message(error))}"
    for finding in assessment.findings:
        title = f"{finding.code}: {finding.summary}"
        yield f"::{COMMANDS[finding.severity]} {_properties(finding.span, title)}::{_data(message(finding))}"


def _properties(span: Span, title: str) -> str:
    values: dict[str, object] = {"file": span.file, "line": span.line, "endLine": span.end_line, "title": title}
    if not span.file:
        values = {"title": title}
    elif span.end_line == span.line:  # columns are only allowed on one line
        values |= {"col": span.column, "endColumn": max(span.end_column, span.column + 1)}
    return ",".join(f"{key}={_property(str(value))}" for key, value in values.items())


def _data(text: str) -> str:
    """As @actions/core escapes a message."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
