"""DF305: IF NOT EXISTS takes an INVALID index of the same name for the finished one."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import CreateIndex


@check(
    "DF305",
    on=CreateIndex,
    page="index/if-not-exists",
    title="IF NOT EXISTS keeps an invalid index",
    dialects=("postgresql",),
    only=("if_not_exists",),
)
def if_not_exists_keeps_invalid(operation: CreateIndex, at: Situation) -> Iterator[Finding]:
    """A failed concurrent build leaves an INVALID index: it costs writes, serves nobody, and the retry is "done"."""
    if not operation.concurrently:
        return
    name = at.dialect.quote_name(operation.index.name)
    table = at.table(operation.index.table)
    known = table.index(operation.index.name.name) if table is not None else None
    invalid = known is not None and not known.valid
    yield finding(
        at,
        f"{operation.index.name.name} is there and INVALID: the statement would do nothing"
        if invalid
        else "IF NOT EXISTS would keep an INVALID index of that name",
        axis="breaks",
        severity="error" if invalid else "warning",
        why="an interrupted CREATE INDEX CONCURRENTLY leaves an invalid index behind, and the next try finds the name taken",
        remedy=Remedy(
            summary="drop what may be left over, then build without IF NOT EXISTS",
            sql=f"DROP INDEX CONCURRENTLY IF EXISTS {name};\n-- then, alone:\nCREATE INDEX CONCURRENTLY …;",
        ),
        known_by="catalog" if invalid else "rule",
        near="EXISTS",
    )
