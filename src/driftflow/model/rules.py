"""What a team says of a check: another severity, silence, or paths that it does not concern. Always with a reason."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from functools import cache
from typing import Literal

from driftflow.model.finding import Assessment, Finding, SuppressedFinding
from driftflow.model.record import Record, replace


class Rule(Record, frozen=True, kw_only=True):
    """`[rules.CODE]` or `[environments.NAME.rules.CODE]`."""

    severity: Literal["", "off", "info", "warning", "error"] = ""
    """Instead of the check's own; empty leaves it. With `off` the check says nothing."""
    exclude: tuple[str, ...] = ()
    """Paths, relative to the project: `db/legacy/**`. What the check finds there does not count."""
    reason: str = ""


def ruled(
    assessment: Assessment, rules: Mapping[str, Rule], *, select: Collection[str] = (), ignore: Collection[str] = ()
) -> Assessment:
    """The assessment as the rules leave it: only codes of `select` where it says any, none of `ignore`. What a rule silences is suppressed."""
    if not (rules or select or ignore):
        return assessment

    def asked(finding: Finding) -> bool:
        return (not select or finding.code in select) and finding.code not in ignore

    found: list[Finding] = []
    suppressed = [one for one in assessment.suppressed if asked(one.finding)]
    for finding in filter(asked, assessment.findings):
        rule = rules.get(finding.code, Rule())
        if rule.severity == "off" or any(matches(pattern, finding.span.file) for pattern in rule.exclude):
            suppressed.append(SuppressedFinding(finding=finding, kind="external", reason=rule.reason))
        else:
            found.append(replace(finding, severity=rule.severity) if rule.severity else finding)
    return replace(assessment, findings=tuple(found), suppressed=tuple(suppressed))


def matches(pattern: str, path: str) -> bool:
    """Whether a path (with `/`) is one that the pattern means: `*` and `?` stay within a folder, `**` does not."""
    return _pattern(pattern).fullmatch(path) is not None


@cache
def _pattern(pattern: str) -> re.Pattern[str]:
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", pattern)
    words = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return re.compile("".join(words.get(part, re.escape(part)) for part in parts), re.DOTALL)
