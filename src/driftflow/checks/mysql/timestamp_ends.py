"""DF674: TIMESTAMP ends in January 2038."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.dialects.situation import Situation
from driftflow.model.catalog import Column
from driftflow.model.finding import Finding, Remedy
from driftflow.model.names import Version
from driftflow.model.operations import AddColumn, ChangeColumn, CreateTable

LONGER = Version(major=11, minor=5)
"""From this MariaDB on a TIMESTAMP on a 64-bit machine goes to 2106."""


@check(
    "DF674",
    on=(AddColumn, ChangeColumn, CreateTable),
    page="mysql/timestamp-ends",
    title="TIMESTAMP ends in 2038",
    dialects=("mysql", "mariadb"),
)
def timestamp_ends(operation: AddColumn | ChangeColumn | CreateTable, at: Situation) -> Iterator[Finding]:
    if at.dialect.name == "mariadb" and at.version is not None and at.version >= LONGER:
        return
    columns: tuple[Column, ...]
    match operation:
        case AddColumn():
            columns = (operation.column,)
        case ChangeColumn():
            columns = (operation.definition,)
        case CreateTable():
            columns = operation.table.columns
    for column in columns:
        if column.type.split("(")[0] == "timestamp":
            yield finding(
                at,
                f"{column.name} cannot hold a moment after 2038-01-19",
                axis="note",
                severity="info",
                why="a TIMESTAMP counts seconds in 32 bits; its values also move with the session's time_zone; DATETIME copies the table later",
                remedy=Remedy(
                    summary="use datetime, written in UTC, for what may lie far ahead",
                    sql=f"{at.dialect.quote(column.name)} datetime",
                ),
                known_by="rule",
                near=column.name,
            )
