"""DF712: two statements write the same table anew; as clauses of one they would do it once."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.checks.sizes import is_old, size, tables_named
from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import BaseOperation


@check("DF712", on=BaseOperation, page="transaction/rewritten-twice", title="A table is written anew twice", only=("rewrites",))
def rewritten_twice(operation: BaseOperation, at: Situation) -> Iterator[Finding]:
    """PostgreSQL, MySQL and MariaDB carry out all clauses of an ALTER TABLE in one pass over the rows. SQLite's ALTER has one clause."""
    if at.can(Capability.TABLE_REBUILD_ONLY):
        return
    for table in at.effects.rewrites:
        if at.file.rewrote_before(table, at) and is_old(at, table, tables_named(at.operation)) and not at.is_small(table):
            yield finding(
                at,
                f"{table.name} is written anew for the second time in this file",
                axis="blocks",
                severity="warning",
                why=f"{size(at, table)} are copied, and every index is built, once more",
                remedy=Remedy(summary="say both changes as clauses of one ALTER TABLE: one pass does them all"),
            )
