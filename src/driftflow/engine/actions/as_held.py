"""SQLite: a view or trigger that is dropped and made again within one transaction is made again as the file holds it.

The server follows a new name of a table or column into the texts of views and triggers. So what the plan knows of them may be from before a rename that
an earlier step has made, or that somebody else has made since: the text in the file is right in any case, to the letter and with its comments.
"""

from __future__ import annotations

from collections.abc import Sequence

from driftflow.engine.ports import Connection
from driftflow.patterns import lazy_regex

NAME = r'"(?:[^"]|"")*"|`[^`]*`|\[[^\]]*\]|[^\s."`\[(]+'
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


def _bare(name: str) -> str:
    if name[0] in '"`':
        return name[1:-1].replace(name[0] * 2, name[0])
    return name[1:-1] if name[0] == "[" else name
