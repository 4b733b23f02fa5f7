"""DF616: a right for PUBLIC is a right for every role that there is and that there will be."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import Grant


@check("DF616", on=Grant, page="security/granted-to-public", title="A right for PUBLIC", dialects=("postgresql",))
def granted_to_public(operation: Grant, at: Situation) -> Iterator[Finding]:
    """Only on relations; EXECUTE and USAGE for PUBLIC are the server's own defaults."""
    named = ", ".join(name.name for name in operation.relations) or operation.every
    if operation.revoke or not named or not any(role.lower() == "public" for role in operation.roles):
        return
    yield finding(
        at,
        f"every role of the server may use {named} from this moment, those of tomorrow too",
        axis="note",
        severity="warning",
        why="PUBLIC is everybody who can connect, and a REVOKE from one role does not take it away from that role",
        remedy=Remedy(summary="name the roles that need it"),
        known_by="rule",
        near="PUBLIC",
    )
