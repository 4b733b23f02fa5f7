"""SQLite: `PRAGMA legacy_alter_table = ON` keeps what refers to a table from following its new name. The plan's own sessions do not say it."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from driftflow.dialects.situation import Situation
from driftflow.errors import RefusedError
from driftflow.model.names import Name
from driftflow.model.operations import Pragma, RenameTable

ON = ("1", "on", "true", "yes")


def refuse_legacy_renames(groups: Sequence[Sequence[Situation]], taken: Collection[int]) -> None:
    """Raises RefusedError (DF-E791) where a table in use goes aside under the pragma for another one of its name: views, triggers and foreign keys would
    follow it, and point at what is dropped in the end. `taken` are the statements that a rebuild stands for."""
    legacy = ""
    for number, group in enumerate(groups):
        at = group[0]
        match at.operation:
            case Pragma(name=name, value=str(value)) if name.lower() == "legacy_alter_table":
                legacy = at.migration.id if value.lower() in ON else ""
            case RenameTable(name=name) if legacy == at.migration.id and number not in taken and _comes_again(at, name):
                if followers := _followers(at, name):
                    raise RefusedError(
                        "DF-E791",
                        f"{', '.join(followers)} would follow {name.name} to its new name",
                        where=str(at.statement.span),
                        why="the migration keeps them from it by PRAGMA legacy_alter_table, which speaks of one session, and the plan has several",
                        hint="make the new table first, copy the rows, drop the old one and give the new one its name: that is planned as a rebuild",
                    )
            case _:
                pass


def _comes_again(at: Situation, name: Name) -> bool:
    return at.table(name) is not None and at.final is not None and at.final.table(name) is not None


def _followers(at: Situation, name: Name) -> list[str]:
    found = [view.name.name for view in at.catalog.dependents(name)]
    return list(dict.fromkeys((*found, *(holder.name.name for holder, _ in at.catalog.referencing(name) if holder.name != name))))
