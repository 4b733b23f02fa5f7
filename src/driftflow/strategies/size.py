"""Whether an operation deserves care: how big the table is, whether anybody uses it yet, and what the author said."""

from __future__ import annotations

from driftflow.dialects.situation import Situation
from driftflow.model.catalog import Table
from driftflow.model.effects import Effects
from driftflow.model.names import Name
from driftflow.strategies import spoken


def is_new(at: Situation, table: Name) -> bool:
    """Made by this release: empty, and no running code knows it."""
    found = at.table(table)
    return found is not None and found.new


def is_large(at: Situation, table: Name) -> bool:
    """Large enough that reading it under a lock hurts. Unknown size counts as large; `small` and `as-is` overrule."""
    return not (is_new(at, table) or at.is_small(table) or spoken.said_small(at) or spoken.as_is(at))


def has_slow_work(effects: Effects, *, basis: tuple[str, ...] = ("scan", "rewrite", "index_build", "rows")) -> bool:
    """Whether the statement reads or writes every row of something."""
    return any(work.kind in basis for work in effects.work)


def lives(at: Situation, table: Name) -> bool:
    """The table is in use by the application that is running now."""
    found: Table | None = at.table(table)
    return found is None or not found.new


def column_is_new(at: Situation, table: Name, column: str) -> bool:
    """Added by this release: code that is running now does not write it. What may be an old table or column under a new name is not new."""
    found, now = beginning(at).get(table.text), at.table(table)
    if found is None:
        return now is None or now.new
    if found.column(column) is not None:
        return False
    names = [one.name for one in now.columns] if now is not None else []
    kept = all(one.name in names for one in found.columns)
    # A renamed column stays in its place, among the first; an added one comes last.
    return kept or column not in names or names.index(column) >= len(found.columns)


def beginning(at: Situation) -> dict[str, Table]:
    """The tables as the release finds them, as far as this situation knows: those that are not new."""
    tables = at.start.tables if at.start is not None else at.catalog.tables
    return {key: table for key, table in tables.items() if not table.new}
