"""DF404: the statement exists to write the whole table anew, under ACCESS EXCLUSIVE."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.checks.sizes import severity_of_block, waiting
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import RewriteTable


@check(
    "DF404",
    on=RewriteTable,
    page="table/rewritten",
    title="SET LOGGED, SET TABLESPACE, CLUSTER, VACUUM FULL rewrite the table",
    dialects=("postgresql",),
)
def table_rewritten(operation: RewriteTable, at: Situation) -> Iterator[Finding]:
    """Nothing is written where the table already is what the statement wants: silent then."""
    table = operation.table
    if table is None:
        if operation.action in ("cluster", "vacuum_full"):
            yield finding(
                at,
                "every table of the database is written anew, one after the other",
                axis="blocks",
                severity="error",
                why="each under ACCESS EXCLUSIVE",
            )
        return
    severity, claim = severity_of_block(at, table), at.effects.lock_on(table)
    if table not in at.effects.rewrites or severity is None or claim is None:
        return
    yield finding(
        at,
        f"{table.name} is written anew ({operation.action.replace('_', ' ').upper()}): readers and writers wait, and it needs the space twice",
        axis="blocks",
        severity=severity,
        why=waiting(at, claim, "copied"),
        remedy=Remedy(
            summary="copy into a new table in chunks, kept in step by a trigger, and swap the names (rebuild_table); or an outside tool such as pg_repack"
        ),
        near=table.name,
    )
