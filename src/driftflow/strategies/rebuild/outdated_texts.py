"""SQLite: views and triggers that a rebuild makes again, and whose text the server itself has changed by then."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

from driftflow.dialects.situation import Situation
from driftflow.errors import RefusedError
from driftflow.model.catalog import Table
from driftflow.model.operations.identifiers import mentions
from driftflow.patterns import lazy_regex
from driftflow.strategies.size import beginning

if TYPE_CHECKING:
    from driftflow.dialects.sqlite.rebuild import RebuildParts

NAME = r'"(?:[^"]|"")*"|\S+'
WRITTEN_ANEW = lazy_regex(rf"\s*CREATE\s+(VIEW|TRIGGER)\s+({NAME})")
DROPPED = lazy_regex(rf"DROP (VIEW|TRIGGER) ({NAME})")


def outdated_texts(
    at: Situation, parts: RebuildParts, before: Table, after: Table, *, renamed: Collection[str] = ()
) -> tuple[str, ...]:
    """Names of those that say what an earlier statement of the release has renamed, or what the recipe itself has (`renamed`): SQLite follows a new name
    of a table or column into the text of every view and trigger, and what we know is how it was before. The engine makes them again as the file holds
    them by then.

    Raises RefusedError (DF-E789) where there is no such text, since the view or trigger went before, or where nobody can say whether it names one of the
    columns that the rebuild leaves out. A column that the release itself brings is named by none.
    """
    gone, former = tuple(_gone(at)), _former(at, before)
    aside = {name.lower() for name in (*renamed, *_new(former, before))}
    tables = frozenset(one.name.name.lower() for one in (before, after, *former))
    left = tuple((tables, name) for _, name in _left_out(before, after) if name not in aside)
    # Of one that bears another name by now, who knows under which name the text says it.
    unknown = any(not all(name in {column.name.lower() for column in one.columns} for one in former) for _, name in left)
    ours = tuple((frozenset({before.name.name.lower(), after.name.name.lower()}), name.lower()) for name in renamed)
    found: list[str] = []
    for text in parts.restore if gone or left or ours else ():
        made = WRITTEN_ANEW.match(text)
        if made is None:
            continue
        if name := _said(text, left):
            raise _refused(at, made[1], made[2], f"it says {name}, which the table made anew does not have")
        if name := _said(text, gone):
            if unknown or not _is_there(made[1], made[2], parts, before):
                raise _refused(
                    at, made[1], made[2], f"it says {name}, which has another name by now, and the table is made anew here"
                )
            found.append(made[2])
        elif _said(text, ours):
            found.append(made[2])
    return tuple(found)


def _refused(at: Situation, kind: str, name: str, why: str) -> RefusedError:
    return RefusedError(
        "DF-E789",
        f"the {kind.lower()} {name} would be made from an outdated text",
        where=str(at.statement.span),
        why=why,
        hint="apply the rename first, in a release of its own; or drop the view or trigger before it, and make it again behind this statement",
    )


def _said(text: str, names: Collection[tuple[frozenset[str], str]]) -> str:
    """The first of the names that the text says as a column of its tables, or as a table."""
    from driftflow.dialects.sqlite.mentions import words

    said = words(text) if names else frozenset()
    for tables, name in names:
        if name in said and ((said & tables and mentions(text, name, any_case=True)) if tables else True):
            return name
    return ""


def _is_there(kind: str, name: str, parts: RebuildParts, before: Table) -> bool:
    """Whether the rebuild finds it, and so the text that the file holds; triggers of a view go with the view, and are there as it is."""
    dropped = {(made[1], made[2]) for text in parts.drop_views if (made := DROPPED.match(text)) is not None}
    own = {trigger.name.lower() for trigger in before.triggers}
    return (kind, name) in dropped or (
        kind == "TRIGGER" and (name.strip('"').lower() in own or any(one == "VIEW" for one, _ in dropped))
    )


def _former(at: Situation, table: Table) -> list[Table]:
    """The table as the release found it; under a new name it is one of those that are gone."""
    start = beginning(at)
    found = start.get(table.name.text)
    if found is not None:
        return [found]
    return [] if table.new else [one for one in start.values() if at.table(one.name) is None]


def _new(former: Sequence[Table], table: Table) -> set[str]:
    """Columns of the table that the release adds. One that it renames stays in its place, among the first; an added one comes last."""
    if not former:
        return {one.name for one in table.columns} if table.new else set()
    return set.intersection(*(_added(one, table) for one in former))


def _added(was: Table, now: Table) -> set[str]:
    names = [one.name for one in now.columns]
    kept = all(one.name in names for one in was.columns)
    return {name for place, name in enumerate(names) if was.column(name) is None and (kept or place >= len(was.columns))}


def _left_out(before: Table, after: Table) -> Iterator[tuple[frozenset[str], str]]:
    """Columns that are not there afterwards."""
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
