"""DF652: DROP TABLE deletes every row first when foreign keys are on, and ON DELETE CASCADE empties the children."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.checks.sizes import is_new
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import DropTable


@check("DF652", on=DropTable, page="sqlite/drop-cascades", title="DROP TABLE empties the children", dialects=("sqlite",))
def drop_cascades(operation: DropTable, at: Situation) -> Iterator[Finding]:
    """The hand-written rebuild inside a transaction is the usual way to meet it: the pragma does nothing there."""
    children = [loss for loss in at.effects.loses if loss.relation is not None and loss.relation != operation.name]
    if not children or is_new(at, operation.name):
        return
    yield finding(
        at,
        f"loses {'; '.join(loss.what for loss in children)}",
        axis="loses",
        severity="error",
        why="SQLite deletes the rows of a dropped table one by one when foreign_keys is on, and their foreign key actions fire",
        remedy=Remedy(
            summary="switch foreign keys off before the transaction begins (inside it the pragma does nothing), check them before the commit",
            sql="PRAGMA foreign_keys = OFF;  -- before BEGIN\n…\nPRAGMA foreign_key_check;  -- before COMMIT\nPRAGMA foreign_keys = ON;  -- after it",
        ),
        near=operation.name.name,
    )
