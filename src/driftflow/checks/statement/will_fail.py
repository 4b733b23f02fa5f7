"""DF001: the catalog already says that the server will refuse the statement."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.checks.sqlite.refused_by_dependents import REFUSED
from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import BaseOperation

_REMEDIES = {
    "exists": "remove the statement, or find out who made it already: IF NOT EXISTS would keep a different definition silently",
    "missing": "check the name and the order of the migrations",
    "dependency": "drop what depends on it first and make it again in the same transaction",
    "types_differ": "give both columns types that can be compared, or drop the foreign key before and make it again behind",
    "bad_cast": "say how the values are converted with USING, and drop a default that does not fit first",
}


@check("DF001", on=BaseOperation, page="statement/will-fail", title="The server will refuse the statement", only=("may_fail",))
def will_fail(operation: BaseOperation, at: Situation) -> Iterator[Finding]:
    """Certain failures, apart from a syntax that the server is too old for (DF005)."""
    said = False
    if at.can(Capability.TABLE_REBUILD_ONLY) and isinstance(operation, REFUSED):
        conditions = [one for one in at.effects.fails_if if one.kind != "dependency"]  # those are DF654
    else:
        conditions = list(at.effects.fails_if)
    for condition in conditions:
        if condition.certain and condition.kind not in ("unsupported", "foreign_words"):
            said = True
            remedy = _REMEDIES.get(condition.kind, "")
            yield finding(
                at,
                f"will fail: {condition.summary}",
                axis="breaks",
                severity="error",
                why="the catalog as the migrations before this one leave it says so",
                remedy=Remedy(summary=remedy) if remedy else None,
            )
    if at.conflict and not said and not any(condition.certain for condition in at.effects.fails_if):
        yield finding(
            at,
            f"will fail: {at.conflict}",
            axis="breaks",
            severity="error",
            why="the catalog as the migrations before this one leave it says so",
        )
