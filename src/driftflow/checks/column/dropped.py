"""DF111: the column's data is gone, and code that is running still asks for it."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.checks.sizes import is_new, still_said
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import DropColumn


@check("DF111", on=DropColumn, page="column/dropped", title="A dropped column takes its data and breaks running code")
def column_dropped(operation: DropColumn, at: Situation) -> Iterator[Finding]:
    holder = at.table(operation.table)
    known_gone = operation.if_exists and holder is not None and not holder.partial and holder.column(operation.column) is None
    if known_gone or is_new(at, operation.table):
        return
    table, name = at.dialect.quote_name(operation.table), at.dialect.quote(operation.column)
    yield finding(
        at,
        f"{operation.table.name}.{operation.column} and its data are gone",
        axis="loses",
        severity="error",
        why="nothing brings the values back but an archive; code of the version before this one still reads and writes the column"
        + still_said(at),
        remedy=Remedy(
            summary="deploy code that no longer names the column first; keep an archive; drop it in the contract phase",
            sql=(
                f"-- after the deploy; the archive first:\nCREATE TABLE {_archive(operation, at)} AS SELECT {_key(operation, at)}, {name} FROM {table};\n"
                f"ALTER TABLE {table} DROP COLUMN {name};"
            ),
        ),
        near=operation.column,
    )


def _archive(operation: DropColumn, at: Situation) -> str:
    return at.dialect.quote(f"{operation.table.name}_{operation.column}_archive")


def _key(operation: DropColumn, at: Situation) -> str:
    table = at.table(operation.table)
    key = table.primary_key if table is not None else None
    return ", ".join(at.dialect.quote(column) for column in key.columns) if key is not None else "…"
