"""DF307: an index with the same keys is there already."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import CreateIndex


@check("DF307", on=CreateIndex, page="index/duplicate", title="Another index has the same keys")
def index_is_duplicate(operation: CreateIndex, at: Situation) -> Iterator[Finding]:
    """Exactly the same keys, predicate and method: each write pays for both."""
    wanted = operation.index
    table = at.table(wanted.table)
    for index in table.indexes if table is not None else ():
        same = (index.parts, index.predicate, index.method or "btree") == (
            wanted.parts,
            wanted.predicate,
            wanted.method or "btree",
        )
        if same and index.name != wanted.name and index.valid and (index.unique or not wanted.unique):
            yield finding(
                at,
                f"{index.name.name} has the same keys already",
                axis="note",
                severity="warning",
                why="each write would maintain both, and no query gains",
                remedy=Remedy(summary="leave the new one out, or drop the old one afterwards"),
                near=wanted.name.name,
            )
            return
