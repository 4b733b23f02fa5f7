"""DF669: rows that do not fit a new unique key are deleted without a word."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import RequestAlgorithm


@check(
    "DF669",
    on=RequestAlgorithm,
    page="mysql/ignore-deletes-rows",
    title="ALTER IGNORE deletes rows",
    dialects=("mariadb",),
)
def ignore_deletes_rows(operation: RequestAlgorithm, at: Situation) -> Iterator[Finding]:
    """MariaDB only; MySQL dropped it in 5.7.4 and answers with a syntax error (DF005)."""
    if not operation.ignore:
        return
    yield finding(
        at,
        f"rows of {operation.table.name} that break a new unique key are deleted",
        axis="loses",
        severity="error",
        why="which of the duplicates stays is not said, and nothing is archived",
        remedy=Remedy(
            summary="find the duplicates, decide which row stays, move the others away, then add the key without IGNORE"
        ),
        near="IGNORE",
    )
