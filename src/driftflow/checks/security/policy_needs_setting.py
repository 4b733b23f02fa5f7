"""DF613: current_setting('x') without the second argument is an error in every session that never set x."""

from __future__ import annotations

import re
from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import AlterPolicy, CreatePolicy
from driftflow.patterns import lazy_regex

_CALL = lazy_regex(r"current_setting\(\s*('(?:[^']|'')*')(?:::text)?\s*\)", re.IGNORECASE)


@check(
    "DF613",
    on=(CreatePolicy, AlterPolicy),
    page="security/policy-needs-setting",
    title="A policy that breaks sessions without a context",
    dialects=("postgresql",),
)
def policy_needs_setting(operation: CreatePolicy | AlterPolicy, at: Situation) -> Iterator[Finding]:
    policy = operation.policy if isinstance(operation, CreatePolicy) else operation
    for expression in dict.fromkeys((policy.using, policy.check)):
        match = _CALL.search(expression)
        if match is not None:
            yield finding(
                at,
                f"every query of {policy.table.name} fails in a session that never set {match[1]}",
                axis="breaks",
                severity="error",
                why="current_setting without missing_ok raises an error: migrations, reports and fresh pool connections stop working",
                remedy=Remedy(
                    summary="no context should mean no rows, not an error; an empty one too, for a pooler resets settings to ''",
                    sql=_CALL.sub(r"NULLIF(current_setting(\1, true), '')", expression),
                ),
                known_by="rule",
                near="current_setting",
            )
            return
