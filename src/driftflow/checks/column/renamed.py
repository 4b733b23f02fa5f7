"""DF113: the old name is gone at once, for every client that still uses it."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.checks.sizes import is_new, still_said
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import ChangeColumn, RenameColumn


@check("DF113", on=(RenameColumn, ChangeColumn), page="column/renamed", title="A renamed column breaks running code")
def column_renamed(operation: RenameColumn | ChangeColumn, at: Situation) -> Iterator[Finding]:
    """MySQL and MariaDB rename with CHANGE too. Their names of columns do not care about case."""
    to = operation.to if isinstance(operation, RenameColumn) else operation.definition.name
    if is_new(at, operation.table) or (isinstance(operation, ChangeColumn) and to.lower() == operation.column.lower()):
        return
    table = at.dialect.quote_name(operation.table)
    old, new = at.dialect.quote(operation.column), at.dialect.quote(to)
    yield finding(
        at,
        f"code that uses {operation.table.name}.{operation.column} fails from this moment",
        axis="breaks",
        severity="error",
        why="a rename has no in-between: old code and new code cannot both run; functions that hold the name as text break too"
        + still_said(at),
        remedy=Remedy(
            summary="expand and contract: a second column kept in step by a trigger, deploy, then drop the old one",
            sql=(
                f"ALTER TABLE {table} ADD COLUMN {new} …;\n-- a trigger writes each into the other; fill old rows in chunks:\n"
                f"UPDATE {table} SET {new} = {old} WHERE {new} IS DISTINCT FROM {old} AND …;\n-- after the deploy: ALTER TABLE {table} DROP COLUMN {old};"
            ),
        ),
        near=operation.column,
    )
