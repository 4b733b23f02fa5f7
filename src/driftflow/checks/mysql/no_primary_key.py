"""DF671: replicas, Group Replication and online tools need a key that identifies a row."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.dialects.situation import Situation
from driftflow.dialects.walk import end_of
from driftflow.model.catalog import Table
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import CreateTable, DropConstraint


@check(
    "DF671",
    on=(CreateTable, DropConstraint),
    page="mysql/no-primary-key",
    title="A table without a primary key",
    dialects=("mysql", "mariadb"),
)
def no_primary_key(operation: CreateTable | DropConstraint, at: Situation) -> Iterator[Finding]:
    """Judged by what the statement leaves: a key that is dropped and added again is there."""
    name = operation.table.name if isinstance(operation, CreateTable) else operation.table
    if isinstance(operation, DropConstraint) and operation.name != "PRIMARY":
        return
    table = end_of(at).table(name)
    if table is None or table.primary_key is not None or table.partial or table.kind != "table":
        return
    if any(index.unique and all(_not_null(table, part) for part in index.columns) for index in table.indexes):
        return
    yield finding(
        at,
        f"{name.name} has no primary key",
        axis="breaks",
        severity="warning",
        why="row-based replicas look through the whole table for every changed row, Group Replication and Galera refuse writes, and online tools "
        "cannot copy it in chunks",
        remedy=Remedy(
            summary="give it one: a number of its own where nothing else identifies a row",
            sql="id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY",
        ),
        near=name.name,
    )


def _not_null(table: Table, column: str) -> bool:
    found = table.column(column)
    return found is not None and not found.nullable
