"""SQLite: a full-text table that takes its content from another table would go on, and fail when its text is asked for."""

from __future__ import annotations

from driftflow.dialects.situation import Situation
from driftflow.errors import RefusedError
from driftflow.model.operations import DropColumn, DropTable, DropView, RenameColumn, RenameTable
from driftflow.strategies import spoken
from driftflow.strategies.passes import moved


def refuse_lost_content(at: Situation) -> None:
    """Raises RefusedError (DF-E790) for a statement that takes a name away by which a full-text table finds its content, where the release does not make
    that anew: SQLite says nothing then, and neither does a search, until the text or a rebuild is asked for."""
    if (
        at.catalog.vendor != "sqlite"
        or not isinstance(at.operation, DropColumn | DropTable | DropView | RenameColumn | RenameTable)
        or spoken.as_is(at)
    ):
        return
    from driftflow.dialects.sqlite.full_text import lost_contents

    before, after = lost_contents(at.catalog), lost_contents(moved(at.catalog, at.operation))
    end = lost_contents(at.final) if at.final is not None else after
    for name, lacking in after.items():
        if name not in before and name in end:
            bare = name.rpartition(".")[2]
            raise RefusedError(
                "DF-E790",
                f"the full-text table {bare} would not find {lacking} any more",
                where=str(at.statement.span),
                why="it knows its content by name, and no rename or drop follows into it",
                hint=f"drop {bare} before, and behind it make it again and fill it: INSERT INTO {bare} ({bare}) VALUES ('rebuild')",
            )
