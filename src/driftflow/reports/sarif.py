"""SARIF 2.1.0: what code-scanning services of GitHub, GitLab and Azure read."""

from __future__ import annotations

import json
import os
from typing import Any
from urllib.parse import quote

from driftflow import __version__
from driftflow.model.baseline import fingerprints
from driftflow.model.finding import Assessment, FileError, Finding
from driftflow.model.names import Span
from driftflow.plugins import discover, register

LEVELS = {"error": "error", "warning": "warning", "info": "note"}


@register("report", "sarif")
def render(assessment: Assessment, **_: Any) -> str:
    """One run, one result per finding; rules are the checks that spoke."""
    rules = _rules(assessment)
    index = {rule["id"]: place for place, rule in enumerate(rules)}
    run = {
        "tool": {"driver": {"name": "driftflow", "semanticVersion": __version__, "rules": rules}},
        "columnKind": "unicodeCodePoints",
        "invocations": [
            {
                "executionSuccessful": not assessment.errors,
                "toolExecutionNotifications": [_notification(error) for error in assessment.errors],
            }
        ],
        "results": [
            {"ruleIndex": index[finding.code], **_result(finding, mark)}
            for finding, mark in zip(assessment.findings, fingerprints(assessment), strict=True)
        ],
    }
    document = {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _rules(assessment: Assessment) -> list[dict[str, Any]]:
    registry = discover("check")
    rules = []
    for code in sorted({finding.code for finding in assessment.findings}):
        entry = registry.get("check", code)
        title = entry.info["title"] if entry is not None else code
        help_text = f"{title}. The page with an example and its solution: driftflow explain {code}"
        rules.append({"id": code, "shortDescription": {"text": title}, "help": {"text": help_text}})
    return rules


def _notification(error: FileError) -> dict[str, Any]:
    """A file that could not be read is a fault of the run, not a result of it."""
    return {
        "descriptor": {"id": error.code},
        "level": "error",
        "message": {"text": error_message(error)},
        "locations": [_location(error.place)] if error.place.file else [],
    }


def _location(span: Span) -> dict[str, Any]:
    region = {
        "startLine": span.line,
        "startColumn": span.column,
        "endLine": span.end_line,
        "endColumn": max(span.end_column, span.column + 1) if span.end_line == span.line else span.end_column,
    }
    # A URI reference, not a path: a blank or a letter beyond ASCII is escaped, and a colon cannot pass for a scheme.
    uri = quote(os.fsencode(span.file), safe="/")
    return {"physicalLocation": {"artifactLocation": {"uri": uri}, "region": region}}


def _result(finding: Finding, mark: str) -> dict[str, Any]:
    return {
        "ruleId": finding.code,
        "level": LEVELS[finding.severity],
        "message": {"text": message(finding)},
        "locations": [_location(finding.span)],
        "partialFingerprints": {"driftflow/v2": mark},
        "properties": {"axis": finding.axis, "known_by": finding.known_by},
    }


def error_message(error: FileError) -> str:
    """What is wrong, why, and what to do, as plain paragraphs. The excerpt is left out: whoever shows this shows the file."""
    parts = [error.summary, f"Because: {error.why}" if error.why else "", f"Hint: {error.hint}" if error.hint else ""]
    return "\n\n".join(part for part in parts if part)


def message(finding: Finding) -> str:
    """Summary, reason and remedy as plain paragraphs."""
    parts = [finding.summary, f"Because: {finding.why}" if finding.why else ""]
    if finding.remedy is not None:
        parts += [f"Remedy: {finding.remedy.summary}", finding.remedy.sql]
    return "\n\n".join(part for part in parts if part)
