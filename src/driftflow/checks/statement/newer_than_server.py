"""DF005: the server is older than the syntax, or than the combination that it would have to accept."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.checks.sqlite.rebuild_needed import REBUILDS
from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import BaseOperation, SetRowSecurity


@check(
    "DF005",
    on=BaseOperation,
    page="statement/newer-than-server",
    title="The server does not support the statement",
    only=("may_fail",),
)
def newer_than_server(operation: BaseOperation, at: Situation) -> Iterator[Finding]:
    """An error when the version is known; a warning while only the range of supported versions is. SQLite's rebuilds have a rule of their own (DF651)."""
    if at.can(Capability.TABLE_REBUILD_ONLY) and isinstance(operation, REBUILDS):
        return
    if isinstance(operation, SetRowSecurity) and at.directives("row-security"):
        return  # the author asked for the equivalent
    for condition in at.effects.fails_if:
        if condition.kind in ("unsupported", "foreign_words"):
            known = f"the server is {at.version}" if at.version else "the server's version is not known"
            yield finding(
                at,
                f"not supported: {condition.summary}",
                axis="breaks",
                severity="error" if condition.certain else "warning",
                why=known,
                remedy=Remedy(
                    summary="write the form that this version has, or update the server first"
                    if at.version
                    else "say which version the server has (--server-version, or server_version in driftflow.toml)"
                ),
            )
