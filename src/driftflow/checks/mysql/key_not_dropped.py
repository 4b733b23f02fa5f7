"""DF676: a foreign key that a statement drops stays, since the server passes over the words where it copies the table."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import DropConstraint


@check(
    "DF676",
    on=DropConstraint,
    page="mysql/key-not-dropped",
    title="DROP CONSTRAINT of a foreign key is passed over where the table is copied",
    dialects=("mariadb",),
)
def key_not_dropped(operation: DropConstraint, at: Situation) -> Iterator[Finding]:
    """MariaDB reports success, and the key is still there."""
    if not at.dialect.overlooks(operation, at.catalog) or {one.algorithm for one in at.effects.algorithms} != {"COPY"}:
        return
    table, name = at.dialect.quote_name(operation.table), at.dialect.quote(operation.name)
    yield finding(
        at,
        f"the foreign key {operation.name} of {operation.table.name} stays, and the server says nothing",
        axis="breaks",
        severity="error",
        why="MariaDB passes over DROP CONSTRAINT of a foreign key in a statement that copies the table; a plan of driftflow says DROP FOREIGN KEY",
        remedy=Remedy(
            summary="say DROP FOREIGN KEY, which every statement does", sql=f"ALTER TABLE {table} DROP FOREIGN KEY {name};"
        ),
        near=operation.name,
    )
