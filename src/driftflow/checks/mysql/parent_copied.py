"""DF675: as the copy of a table takes its place, those who write the tables that reference it find no parent."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.checks.sizes import is_new
from driftflow.dialects.situation import Situation
from driftflow.model.effects import NO_PARENT
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import BaseOperation, Operation


@check(
    "DF675",
    on=BaseOperation,
    page="mysql/parent-copied",
    title="Writers of a referencing table find no parent",
    dialects=("mariadb",),
)
def parent_copied(operation: Operation, at: Situation) -> Iterator[Finding]:
    """ALGORITHM=COPY on MariaDB: two renames, and between them no table that the children's foreign keys could look into."""
    children = [name for name in at.effects.orphans if not is_new(at, name)]
    table = at.dialect.altered_table(operation)
    if table is None or not children or is_new(at, table):
        return
    names = ", ".join(name.name for name in children)
    locked = ", ".join(f"{at.dialect.quote_name(name)} WRITE" for name in (table, *children))
    yield finding(
        at,
        f"writers of {names} fail with {NO_PARENT} as the copy of {table.name} ends, though the parent is there",
        axis="breaks",
        severity="warning",
        why=f"the server swaps the copy in by two renames, locks no table that references {table.name}, and for a moment finds none under that name",
        remedy=Remedy(
            summary=f"while {table.name} is small, lock all of them around the statement (everybody waits for the copy); else have their writers wait "
            "for that moment by triggers: driftflow's plan does so",
            sql=f"LOCK TABLES {locked};\n…\nUNLOCK TABLES;",
        ),
    )
