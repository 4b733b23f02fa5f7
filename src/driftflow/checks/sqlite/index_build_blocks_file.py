"""DF656: an index build holds the one write lock of the file: writers of every table wait."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.checks.sizes import severity_of_block, size
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import CreateIndex, Reindex


@check(
    "DF656",
    on=(CreateIndex, Reindex),
    page="sqlite/index-build-blocks-file",
    title="An index build stops every writer of the file",
    dialects=("sqlite",),
)
def index_build_blocks_file(operation: CreateIndex | Reindex, at: Situation) -> Iterator[Finding]:
    """There is no concurrent build in SQLite: what can be done is to choose the moment, and to let clients wait instead of fail."""
    found = [(weight, work.relation) for work in at.effects.work if (weight := severity_of_block(at, work.relation)) is not None]
    if not found:
        return
    severity, table = min(found, key=lambda one: ("error", "warning", "info").index(one[0]))
    yield finding(
        at,
        f"every writer of the database waits while {size(at, table)} of {table.name} are sorted",
        axis="blocks",
        severity="warning" if severity == "error" else "info",
        why="SQLite has one write lock per file; a client whose busy_timeout is shorter than the build gets SQLITE_BUSY",
        remedy=Remedy(
            summary="run it off-peak, with a busy_timeout in every client that is longer than the build",
            sql="PRAGMA busy_timeout = 5000;",
        ),
        near=operation.index.name.name if isinstance(operation, CreateIndex) else table.name,
    )
