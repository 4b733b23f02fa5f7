"""GitLab's Code Quality report: shown beside the lines of a merge request."""

from __future__ import annotations

import json
from typing import Any

from driftflow.model.baseline import fingerprints
from driftflow.model.finding import Assessment, FileError
from driftflow.model.names import Span
from driftflow.model.record import digest
from driftflow.plugins import register
from driftflow.reports.sarif import error_message, message

SEVERITIES = {"error": "critical", "warning": "major", "info": "info"}


@register("report", "gitlab")
def render(assessment: Assessment, **_: Any) -> str:
    """GitLab drops entries with equal fingerprints; ours never are. Suppressed findings are not its business."""
    entries = [_unread(error) for error in assessment.errors]
    for finding, mark in zip(assessment.findings, fingerprints(assessment), strict=False):
        entries.append(
            {
                "check_name": finding.code,
                "description": finding.summary,
                "content": {"body": message(finding)},
                "fingerprint": mark,
                "severity": SEVERITIES[finding.severity],
                "location": _location(finding.span),
            }
        )
    return json.dumps(entries, indent=2, ensure_ascii=False) + "\n"


def _unread(error: FileError) -> dict[str, Any]:
    return {
        "check_name": error.code,
        "description": error.summary,
        "content": {"body": error_message(error)},
        "fingerprint": digest((error.code, error.where, error.summary))[:32],
        "severity": "blocker",
        "location": _location(error.place),
    }


def _location(span: Span) -> dict[str, Any]:
    """GitLab wants a path in every entry."""
    return {"path": span.file or ".", "lines": {"begin": span.line, "end": span.end_line}}
