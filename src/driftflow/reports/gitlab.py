"""GitLab's Code Quality report: shown beside the lines of a merge request."""

from __future__ import annotations

import json
from typing import Any

from driftflow.model.baseline import fingerprints
from driftflow.model.finding import Assessment
from driftflow.plugins import register
from driftflow.reports.sarif import message

SEVERITIES = {"error": "critical", "warning": "major", "info": "info"}


@register("report", "gitlab")
def render(assessment: Assessment, **_: Any) -> str:
    """GitLab drops entries with equal fingerprints; ours never are."""
    entries = []
    for finding, mark in zip(assessment.findings, fingerprints(assessment), strict=True):
        entries.append(
            {
                "check_name": finding.code,
                "description": finding.summary,
                "content": {"body": message(finding)},
                "fingerprint": mark,
                "severity": SEVERITIES[finding.severity],
                "location": {"path": finding.span.file, "lines": {"begin": finding.span.line, "end": finding.span.end_line}},
            }
        )
    return json.dumps(entries, indent=2, ensure_ascii=False) + "\n"
