"""DF306: 14.0 to 14.3 can build a corrupt index concurrently."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import CreateIndex, Reindex


@check(
    "DF306",
    on=(CreateIndex, Reindex),
    page="index/corrupt-concurrently",
    title="CONCURRENTLY corrupts indexes on 14.0 to 14.3",
    dialects=("postgresql",),
)
def corrupt_concurrently(operation: CreateIndex | Reindex, at: Situation) -> Iterator[Finding]:
    version = at.version
    if operation.concurrently and version is not None and version.major == 14 and version.minor < 4:
        yield finding(
            at,
            f"PostgreSQL {version} may build a corrupt index concurrently",
            axis="breaks",
            severity="error",
            why="rows that were updated during the build may be missing from the index (mended in 14.4)",
            remedy=Remedy(summary="update the server to 14.4 or later first"),
        )
