"""SQLite: a view or trigger that is dropped and made again is made again as the file holds it: within one transaction, or when the step that dropped it is
taken back, for which the journal keeps the text.

The server follows a new name of a table or column into the texts of views and triggers. So what the plan knows of them may be from before a rename that
an earlier step has made, or that somebody else has made since: the text in the file is right in any case, to the letter and with its comments.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from driftflow.engine.ports import Connection
from driftflow.patterns import lazy_regex

NAME = r'"(?:[^"]|"")*"|`[^`]*`|\[[^\]]*\]|[^\s."`\[(]+'
GOES = lazy_regex(rf"\s*DROP\s+(VIEW|TRIGGER)\s+(?:IF\s+EXISTS\s+)?(?:(?:{NAME})\s*\.\s*)?({NAME})", re.IGNORECASE)
RENAMES = lazy_regex(r"\s*ALTER\s+TABLE\b.*\bRENAME\b", re.IGNORECASE | re.DOTALL)
MADE = lazy_regex(rf"\s*CREATE\s+(VIEW|TRIGGER)\s+(?:IF\s+NOT\s+EXISTS\s+)?(?:(?:{NAME})\s*\.\s*)?({NAME})")


def as_held(statements: Sequence[str], connection: Connection) -> tuple[str, ...]:
    """The statements, to be asked for before anything is dropped: what makes a view or trigger that is there now says what the file holds."""
    if connection.dialect != "sqlite":
        return tuple(statements)
    return tuple(_held(statement, connection) for statement in statements)


def _held(statement: str, connection: Connection) -> str:
    made = MADE.match(statement)
    if made is None:
        return statement
    rows = connection.query(
        "SELECT sql FROM sqlite_schema WHERE type = %s AND name = %s COLLATE NOCASE AND sql IS NOT NULL",
        (made[1].lower(), _bare(made[2])),
    )
    return str(rows[0][0]) if rows else statement


def that_go(statements: Sequence[str], connection: Connection) -> dict[str, str]:
    """Texts of the views and triggers that the statements drop, as they are before; nothing where one of them changes what the others say."""
    found: dict[str, str] = {}
    if connection.dialect != "sqlite" or any(map(RENAMES.match, statements)):
        return found
    for gone in filter(None, map(GOES.match, statements)):
        kind, name = gone[1].lower(), _bare(gone[2])
        rows = connection.query(
            "SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND (type = %s AND name = %s COLLATE NOCASE"
            " OR %s = 'view' AND type = 'trigger' AND tbl_name = %s COLLATE NOCASE)",
            (kind, name, kind, name),
        )
        found |= {_key(str(kind), str(name)): str(sql) for kind, name, sql in rows}
    return found


def as_it_was(statements: Sequence[str], held: Mapping[str, str]) -> tuple[str, ...]:
    """The statements that take a step back, with the texts of what it dropped."""
    return tuple(held.get(_key(made[1], _bare(made[2])), text) if (made := MADE.match(text)) else text for text in statements)


def _key(kind: str, name: str) -> str:
    return f"{kind.lower()} {name.lower()}"


def _bare(name: str) -> str:
    if name[0] in '"`':
        return name[1:-1].replace(name[0] * 2, name[0])
    return name[1:-1] if name[0] == "[" else name
