"""DF654: SQLite checks the whole schema when it renames or drops: a view, trigger or index somewhere else stops it."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import DropColumn, RenameColumn, RenameTable

REFUSED = (RenameTable, RenameColumn, DropColumn)


@check(
    "DF654",
    on=REFUSED,
    page="sqlite/refused-by-dependents",
    title="A view, trigger or index stops the change",
    dialects=("sqlite",),
)
def refused_by_dependents(operation: RenameTable | RenameColumn | DropColumn, at: Situation) -> Iterator[Finding]:
    """A broken view of another table is enough for a rename to fail (3.25 and later)."""
    for condition in at.effects.fails_if:
        if condition.kind == "dependency":
            yield finding(
                at,
                f"{'will fail' if condition.certain else 'may fail'}: {condition.summary}",
                axis="breaks",
                severity="error" if condition.certain else "warning",
                why="SQLite parses the whole schema again after the change, and takes the change back when one object no longer fits",
                remedy=Remedy(
                    summary="drop what stands in the way first and make it again afterwards, in one transaction",
                    sql="SELECT type, name, sql FROM sqlite_schema WHERE sql LIKE '%…%';  -- what mentions it",
                ),
            )
