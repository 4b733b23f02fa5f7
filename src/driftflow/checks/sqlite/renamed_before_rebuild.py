"""DF658: a rebuild that renames the old table first takes the references of other tables along."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.checks.sizes import is_new
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import RenameTable


@check(
    "DF658",
    on=RenameTable,
    page="sqlite/renamed-before-rebuild",
    title="A rebuild that begins with a rename",
    dialects=("sqlite",),
)
def renamed_before_rebuild(operation: RenameTable, at: Situation) -> Iterator[Finding]:
    """Since 3.26 foreign keys and views of others follow the rename; the new table of the old name is not what they point at."""
    after = at.final
    remade = after is not None and operation.name.text in after.tables
    followers = [holder.name.name for holder, _ in at.catalog.referencing(operation.name) if holder.name != operation.name]
    followers += [view.name.name for view in at.catalog.dependents(operation.name)]
    if not remade or not followers or is_new(at, operation.name):
        return
    new = at.dialect.quote(f"new_{operation.name.name}")
    yield finding(
        at,
        f"{', '.join(dict.fromkeys(followers))} will point at {operation.to}, not at the new {operation.name.name}",
        axis="breaks",
        severity="error",
        why="a rename carries references along (3.26 and later); when the old table is dropped they point at nothing",
        remedy=Remedy(
            summary="make the new table under another name, copy, drop the old one, rename the new one last (rebuild_table)",
            sql=f"CREATE TABLE {new} (…);\nINSERT INTO {new} SELECT …;\nDROP TABLE {at.dialect.quote_name(operation.name)};\nALTER TABLE {new} RENAME TO {at.dialect.quote(operation.name.name)};",
        ),
        near=operation.name.name,
    )
