"""DF413: a function that an index, a check or a generated column was computed with gets another body."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.dialects.called import stored_with
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import CreateFunction


@check(
    "DF413",
    on=CreateFunction,
    page="table/function-replaced",
    title="A function that stored values depend on is replaced",
    dialects=("postgresql",),
)
def function_replaced(operation: CreateFunction, at: Situation) -> Iterator[Finding]:
    """Nothing is computed again: what was stored with the old body stays, and is compared with what the new one gives."""
    routine = operation.routine
    if not operation.or_replace or not any(one.name == routine.name for one in at.catalog.routines.values()):
        return
    users = [user for table in at.catalog.tables.values() if not table.new for user in stored_with(table, routine.name)]
    if users:
        yield finding(
            at,
            f"{', '.join(users)} {'was' if len(users) == 1 else 'were'} computed with the old {routine.name.name}",
            axis="breaks",
            severity="warning",
            why="the server computes nothing again: an index then misses rows, and checks were never asked of old ones",
            remedy=Remedy(
                summary="make the new body under a new name, build what uses it beside the old one, then move over; "
                "if the results are the same for every row, say so in an ignore"
            ),
            known_by="catalog",
            near=routine.name.name,
        )
