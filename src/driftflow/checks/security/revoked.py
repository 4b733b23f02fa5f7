"""DF617: a right is taken away while code that needs it is running."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.checks.sizes import is_new
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import Grant


@check("DF617", on=Grant, page="security/revoked", title="A right is taken away")
def revoked(operation: Grant, at: Situation) -> Iterator[Finding]:
    """PUBLIC's rights are taken away to be safe: that is said of the others."""
    roles = [role for role in operation.roles if role.lower() != "public"]
    named = [name for name in operation.relations if not is_new(at, name)]
    what = ", ".join(name.name for name in named) or operation.every
    if not operation.revoke or not what or (operation.roles and not roles) or _granted_again(operation, at):
        return
    yield finding(
        at,
        f"{', '.join(roles) or 'who is named'} may do less with {what} from this moment",
        axis="breaks",
        severity="warning",
        why="sessions that are open feel it with their next statement: code that still needs the right fails",
        remedy=Remedy(summary="deploy code that does without it first, and revoke in the contract phase"),
        known_by="rule",
        near=named[0].name if named else "",
    )


def _granted_again(operation: Grant, at: Situation) -> bool:
    """REVOKE ALL followed by a GRANT of what is meant, in the same file, is the usual way of writing rights down."""
    later = (one for statement in at.migration.statements for one in statement.operations if isinstance(one, Grant))
    roles = set(operation.roles)
    return any(not one.revoke and roles & set(one.roles) for one in later)
