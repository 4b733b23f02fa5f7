"""SARIF 2.1.0: what code-scanning services of GitHub, GitLab and Azure read."""

from __future__ import annotations

import json
from typing import Any

from driftflow.model.finding import Assessment, Finding
from driftflow.model.record import digest
from driftflow.plugins import discover, register

LEVELS = {"error": "error", "warning": "warning", "info": "note"}


@register("report", "sarif")
def render(assessment: Assessment, **_: Any) -> str:
    """One run, one result per finding; rules are the checks that spoke."""
    run = {
        "tool": {"driver": {"name": "driftflow", "rules": _rules(assessment)}},
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding) for finding in assessment.findings],
    }
    document = {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _rules(assessment: Assessment) -> list[dict[str, Any]]:
    registry = discover("check")
    rules = []
    for code in sorted({finding.code for finding in assessment.findings}):
        entry = registry.get("check", code)
        title = entry.info["title"] if entry is not None else code
        rules.append({"id": code, "shortDescription": {"text": title}})
    return rules


def _result(finding: Finding) -> dict[str, Any]:
    span = finding.span
    region = {
        "startLine": span.line,
        "startColumn": span.column,
        "endLine": span.end_line,
        "endColumn": max(span.end_column, span.column + 1) if span.end_line == span.line else span.end_column,
    }
    location = {"physicalLocation": {"artifactLocation": {"uri": span.file}, "region": region}}
    return {
        "ruleId": finding.code,
        "level": LEVELS[finding.severity],
        "message": {"text": message(finding)},
        "locations": [location],
        "partialFingerprints": {"driftflow/v1": fingerprint(finding)},
        "properties": {"axis": finding.axis, "known_by": finding.known_by},
    }


def message(finding: Finding) -> str:
    """Summary, reason and remedy as plain paragraphs."""
    parts = [finding.summary, f"Because: {finding.why}" if finding.why else ""]
    if finding.remedy is not None:
        parts += [f"Remedy: {finding.remedy.summary}", finding.remedy.sql]
    return "\n\n".join(part for part in parts if part)


def fingerprint(finding: Finding) -> str:
    """The same for the same finding after lines moved: rule, migration and what it says."""
    return digest((finding.code, finding.span.file, finding.migration, finding.summary))[:32]
