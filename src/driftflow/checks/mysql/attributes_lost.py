"""DF664: the new definition of a column leaves out what the old one had, and the server drops it."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import ChangeColumn


@check(
    "DF664",
    on=ChangeColumn,
    page="mysql/attributes-lost",
    title="MODIFY and CHANGE drop what they do not repeat",
    dialects=("mysql", "mariadb"),
)
def attributes_lost(operation: ChangeColumn, at: Situation) -> Iterator[Finding]:
    """Known only with the catalog: without it nobody can say what the column had."""
    lost = [one.what.partition(" of ")[0] for one in at.effects.loses if "does not repeat" in one.what]
    if not lost:
        return
    yield finding(
        at,
        f"{operation.table.name}.{operation.column} loses {', '.join(lost)}",
        axis="breaks",
        severity="warning",
        why="the new definition replaces the old one whole, and does not repeat it; code that relies on it goes on without a word",
        remedy=Remedy(
            summary="repeat the whole definition, as SHOW CREATE TABLE prints it",
            sql=f"SHOW CREATE TABLE {at.dialect.quote_name(operation.table)};",
        ),
        near=operation.column,
    )
