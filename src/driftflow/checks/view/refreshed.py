"""DF601: REFRESH without CONCURRENTLY keeps readers out until the query is done."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import RefreshView


@check("DF601", on=RefreshView, page="view/refreshed", title="REFRESH keeps readers out", dialects=("postgresql",))
def refresh_keeps_readers_out(operation: RefreshView, at: Situation) -> Iterator[Finding]:
    if operation.concurrently or not operation.with_data:
        return
    view = at.catalog.views.get(operation.name.text)
    ready = view is not None and any(index.unique and not index.predicate for index in view.indexes)
    name = at.dialect.quote_name(operation.name)
    unique = "" if ready or view is None else f"CREATE UNIQUE INDEX ON {name} (…);  -- over columns that are unique\n"
    yield finding(
        at,
        f"readers of {operation.name.name} wait until its query is done",
        axis="blocks",
        severity="warning",
        why="ACCESS EXCLUSIVE is held while the query runs and its indexes are built",
        remedy=Remedy(
            summary="refresh concurrently: readers pass; it needs a unique index over plain columns",
            sql=f"{unique}REFRESH MATERIALIZED VIEW CONCURRENTLY {name};",
        ),
        near=operation.name.name,
    )
