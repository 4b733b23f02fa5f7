"""DF672: the server counts instant changes of columns per table, and 8.0.29 damages tables."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.checks.sizes import is_new
from driftflow.dialects.mysql.capabilities import row_version_limit
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy
from driftflow.model.names import Version
from driftflow.model.operations import AddColumn, DropColumn

BANNED = Version(major=8, minor=0, patch=29)
NEAR = 0.8
"""From this share of the limit on it is said."""


@check(
    "DF672",
    on=(AddColumn, DropColumn),
    page="mysql/row-versions",
    title="Instant column changes are used up, or unsafe",
    dialects=("mysql", "mariadb"),
)
def row_versions(operation: AddColumn | DropColumn, at: Situation) -> Iterator[Finding]:
    """MySQL from 8.0.29 on keeps a version of the rows for each instant change; at the limit the server writes the table anew, or refuses."""
    table = at.table(operation.table)
    if at.dialect.name != "mysql" or at.version is None or table is None or is_new(at, operation.table):
        return
    takes = at.effects.algorithms[:1]
    if at.version == BANNED and takes and takes[0].algorithm == "INSTANT":
        yield finding(
            at,
            "INSTANT of MySQL 8.0.29 damages tables",
            axis="loses",
            severity="error",
            why="the release was withdrawn for it, and the server uses INSTANT by itself",
            remedy=Remedy(summary="upgrade first, or name the algorithm", sql="ALTER TABLE … , ALGORITHM=INPLACE, LOCK=NONE;"),
        )
        return
    used, limit = table.statistics.row_versions, row_version_limit(at.version)
    if at.version <= BANNED or used is None or used < NEAR * limit:
        return
    yield finding(
        at,
        f"{used} of {limit} instant changes of {operation.table.name} are used up",
        axis="blocks",
        severity="info" if used < limit else "warning",
        why="at the limit the same ALTER writes the whole table anew (error 4092 where ALGORITHM=INSTANT is named)",
        remedy=Remedy(
            summary="rebuild it in a quiet hour: the count begins anew",
            sql=f"ALTER TABLE {at.dialect.quote_name(operation.table)} FORCE;",
        ),
    )
