"""SARIF 2.1.0: what code-scanning services of GitHub, GitLab and Azure read."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection
from typing import Any
from urllib.parse import quote

from driftflow import __version__
from driftflow.model.baseline import fingerprints
from driftflow.model.finding import Assessment, FileError, Finding, SuppressedFinding
from driftflow.model.names import Span
from driftflow.pages import page_of
from driftflow.plugins import discover, register

LEVELS = {"error": "error", "warning": "warning", "info": "note"}


@register("report", "sarif")
def render(assessment: Assessment, **_: Any) -> str:
    """One run, one result per finding, also of those that are suppressed; rules are the checks that spoke."""
    spoken = [(finding, None) for finding in assessment.findings] + [(one.finding, one) for one in assessment.suppressed]
    rules = _rules({finding.code for finding, _ in spoken})
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
            {"ruleIndex": index[finding.code], **_result(finding, mark), "suppressions": _suppressions(silence)}
            for (finding, silence), mark in zip(spoken, fingerprints(assessment), strict=True)
        ],
    }
    document = {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _rules(codes: Collection[str]) -> list[dict[str, Any]]:
    registry = discover("check")
    rules = []
    for code in sorted(codes):
        entry = registry.get("check", code)
        title = entry.info["title"] if entry is not None else code
        help_ = {"text": f"{title}. The page with an example and its solution: driftflow explain {code}"}
        if entry is not None and (page := page_of("checks", entry.info["page"])) is not None:
            help_["markdown"] = _standing_alone(page)
        rules.append({"id": code, "shortDescription": {"text": title}, "help": help_})
    return rules


def _notification(error: FileError) -> dict[str, Any]:
    """A file that could not be read is a fault of the run, not a result of it."""
    return {
        "descriptor": {"id": error.code},
        "level": "error",
        "message": {"text": error_message(error)},
        "locations": [_location(error.place)] if error.place.file else [],
    }


def _standing_alone(page: str) -> str:
    """Without what only the tests read, and without its links, which lead nowhere outside the documentation."""
    text = re.sub(r"<!--.*?-->\n?", "", page.partition("\n## Links\n")[0], flags=re.DOTALL)
    return re.sub(r"\[([^\]\n]+)\]\((?!https?:)[^)\s]*\)", r"\1", text).strip() + "\n"


def _suppressions(silence: SuppressedFinding | None) -> list[dict[str, str]]:
    """Empty where the result counts: a list that is missing would mean that nobody knows."""
    if silence is None:
        return []
    return [{"kind": silence.kind, **({"justification": silence.reason} if silence.reason else {})}]


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
        "partialFingerprints": {"driftflow/v3": mark},
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
