"""DF670: DROP and TRUNCATE PARTITION take rows for good; EXCHANGE WITHOUT VALIDATION lets wrong ones in."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import AlterPartitions


@check(
    "DF670",
    on=AlterPartitions,
    page="mysql/partition-rows-lost",
    title="Rows go with their partition",
    dialects=("mysql", "mariadb"),
)
def partition_rows_lost(operation: AlterPartitions, at: Situation) -> Iterator[Finding]:
    """DROP and TRUNCATE PARTITION; and EXCHANGE WITHOUT VALIDATION, which lets rows in that no query will find."""
    names = ", ".join(operation.partitions) or "every partition"
    table = at.dialect.quote_name(operation.table)
    if operation.action in {"drop", "truncate"}:
        yield finding(
            at,
            f"the rows of {names} of {operation.table.name} are gone",
            axis="loses",
            severity="error",
            why="nothing brings them back but a backup",
            remedy=Remedy(
                summary="exchange the partition with an empty table first: the rows stay in it until nobody missed them",
                sql=f"ALTER TABLE {table} EXCHANGE PARTITION … WITH TABLE …;",
            ),
        )
    elif operation.action == "exchange" and not operation.validated:
        yield finding(
            at,
            f"rows that do not belong into {names} are let in",
            axis="breaks",
            severity="warning",
            why="WITHOUT VALIDATION looks at no row: one that belongs elsewhere is overlooked by every query that prunes partitions",
            remedy=Remedy(summary="leave WITHOUT VALIDATION out, or prove the bounds with a query before"),
            near="WITHOUT",
        )
