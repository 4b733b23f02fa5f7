"""DF308: an index of more than three columns mostly costs more than it helps."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import CreateIndex

MOST = 3


@check("DF308", on=CreateIndex, page="index/many-columns", title="An index of many columns")
def many_columns(operation: CreateIndex, at: Situation) -> Iterator[Finding]:
    """A unique index says what must be unique: its columns are not a choice. GIN and its like keep each column apart."""
    index = operation.index
    if index.unique or len(index.parts) <= MOST or index.method not in ("", "btree"):
        return
    yield finding(
        at,
        f"{index.name.name} has {len(index.parts)} columns",
        axis="note",
        severity="info",
        why="behind the second or third column an index rarely narrows a search, and every write pays for all of them",
        remedy=Remedy(
            summary="keep the columns that narrow most, those compared with = first; measure with the plans of the real queries"
        ),
        known_by="rule",
        near=index.name.name,
    )
