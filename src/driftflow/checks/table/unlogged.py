"""DF405: an unlogged table is empty after a crash, and on every replica."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import CreateTable, RewriteTable


@check(
    "DF405",
    on=(RewriteTable, CreateTable),
    page="table/unlogged",
    title="An unlogged table does not survive a crash",
    dialects=("postgresql",),
)
def table_unlogged(operation: RewriteTable | CreateTable, at: Situation) -> Iterator[Finding]:
    unlogged = operation.table.unlogged if isinstance(operation, CreateTable) else operation.action == "unlogged"
    if unlogged:
        yield finding(
            at,
            "the table is empty after a crash of the server, and on every replica",
            axis="loses",
            severity="warning",
            why="an unlogged table writes no WAL",
            remedy=Remedy(summary="use it only for what can be made again, such as a staging table"),
            known_by="rule",
            near="UNLOGGED",
        )
