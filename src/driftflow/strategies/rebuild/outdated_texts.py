"""SQLite: views and triggers that a rebuild writes anew, and whose text the server itself has changed since it was read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from driftflow.dialects.situation import Situation
from driftflow.errors import RefusedError
from driftflow.model.catalog import Table
from driftflow.patterns import lazy_regex
from driftflow.strategies.size import beginning

WRITTEN_ANEW = lazy_regex(r"\s*CREATE\s+(?:TEMP(?:ORARY)?\s+)?(VIEW|TRIGGER)\s+(?:IF\s+NOT\s+EXISTS\s+)?(\S+)")


def refuse_outdated_texts(at: Situation, restored: Sequence[str], before: Table, after: Table) -> None:
    """Raises RefusedError (DF-E789) where one says a name that an earlier statement of the release has changed: SQLite follows a new name of a table or
    column into the text of every view and trigger, and what we know is how it was before. Made from that, a view would read what is no longer there, and
    nothing would say so until somebody asks it."""
    from driftflow.dialects.sqlite.mentions import words

    gone = (*_gone(at), *_left_out(before, after))
    for text in restored if gone else ():
        made = WRITTEN_ANEW.match(text)
        if made is None:
            continue
        said = words(text)
        name = next((name for tables, name in gone if name in said and (not tables or said & tables)), "")
        if name:
            raise RefusedError(
                "DF-E789",
                f"the {made[1].lower()} {made[2]} would be made from an outdated text",
                where=str(at.statement.span),
                why=f"it says {name}, which is another column, or has another name, by now, and the table is made anew here",
                hint="apply the rename first, in a release of its own; or drop the view or trigger before it, and make it again behind this statement",
            )


def _left_out(before: Table, after: Table) -> Iterator[tuple[frozenset[str], str]]:
    """Columns that are not there afterwards. Of those that a rebuild leaves out a text speaks only if the server has given it another name meanwhile."""
    left = {column.name.lower() for column in after.columns}
    names = frozenset({before.name.name.lower(), after.name.name.lower()})
    yield from ((names, column.name.lower()) for column in before.columns if column.name.lower() not in left)


def _gone(at: Situation) -> Iterator[tuple[frozenset[str], str]]:
    """Names in lower case that were there when the release began and are not now: (the table by its names, column), or (nothing, table)."""
    for table in beginning(at).values():
        now = at.table(table.name)
        if now is None:
            yield frozenset(), table.name.name.lower()
            now = at.table(at.later.get(table.name, table.name))
        if now is not None:
            yield from _left_out(table, now)
