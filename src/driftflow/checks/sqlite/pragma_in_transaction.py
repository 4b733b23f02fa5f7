"""DF653: PRAGMA foreign_keys inside a transaction does nothing, and says nothing."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import Pragma


@check(
    "DF653",
    on=Pragma,
    page="sqlite/pragma-in-transaction",
    title="A pragma that does nothing inside a transaction",
    dialects=("sqlite",),
)
def pragma_in_transaction(operation: Pragma, at: Situation) -> Iterator[Finding]:
    if operation.value is None or not at.in_transaction or at.effects.transactional:
        return
    silent = operation.name.lower() == "foreign_keys"
    yield finding(
        at,
        "PRAGMA foreign_keys does nothing here: a transaction is open"
        if silent
        else f"will fail: PRAGMA {operation.name} inside a transaction",
        axis="loses" if silent else "breaks",
        severity="error",
        why="foreign keys stay as they were: a DROP TABLE that follows deletes child rows"
        if silent
        else f"{at.migration.source} runs the file in a transaction",
        remedy=Remedy(
            summary="give the pragma a place outside the transaction: a file without one, or the connection's own set-up"
        ),
        known_by="rule",
        near=operation.name,
    )
