"""DF123: a timestamp without a time zone is no point in time, and repairing that later costs its indexes or the table."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import AddColumn, CreateTable


@check(
    "DF123",
    on=(AddColumn, CreateTable),
    page="column/timestamp-without-zone",
    title="A timestamp without a time zone",
    dialects=("postgresql",),
)
def timestamp_without_zone(operation: AddColumn | CreateTable, at: Situation) -> Iterator[Finding]:
    for column in (operation.column,) if isinstance(operation, AddColumn) else operation.table.columns:
        if column.type.startswith("timestamp") and column.type.endswith("without time zone"):
            yield finding(
                at,
                f"{column.name} holds what a clock showed, and not where: two sessions may write different moments as the same value",
                axis="note",
                severity="info",
                why="now() is cut to the session's time zone; the change to timestamptz reads old values in whichever zone the migration runs in",
                remedy=Remedy(summary="use timestamptz", sql=f"{at.dialect.quote(column.name)} timestamptz"),
                known_by="rule",
                near=column.name,
            )
