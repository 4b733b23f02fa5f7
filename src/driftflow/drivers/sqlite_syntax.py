"""Ask SQLite itself whether a statement is syntax: EXPLAIN on an empty database tells a syntax error from a missing table.

The dialect reads statements and never judges them; here the library at hand does. What an older library than the target's cannot know, and the
standard ALTER TABLE forms that a rebuild stands in for, are accepted when the dialect read them to the last token.
"""

from __future__ import annotations

import bisect
import re
import sqlite3
from contextlib import closing

from driftflow.dialects.mixed import hint_for
from driftflow.dialects.place import excerpt_of, shortened
from driftflow.dialects.sqlite.lacking import lacking
from driftflow.dialects.sqlite.render.constraint import table_constraint
from driftflow.dialects.sqlite.render.table import column_definition
from driftflow.dialects.sqlite.tokens import tokenize, tokens_of
from driftflow.errors import ParseError
from driftflow.model.catalog import NotNull
from driftflow.model.migration import Statement
from driftflow.model.names import Version
from driftflow.model.operations import (
    AddColumn,
    AddConstraint,
    AlterColumnType,
    CreateTableAs,
    DropColumn,
    DropConstraint,
    DropDefault,
    DropNotNull,
    Operation,
    RawSql,
    SetDefault,
    SetNotNull,
)
from driftflow.patterns import lazy_regex

LIBRARY = Version.parse(sqlite3.sqlite_version)
_SYNTAX = lazy_regex(r'near "(?P<near>.*)": syntax error|incomplete input|unrecognized token', re.DOTALL)
_EXPLAIN = lazy_regex(r"\s*EXPLAIN(\s+QUERY\s+PLAN)?\b", re.IGNORECASE)
_MISSING_TABLE = lazy_regex(r"no such table: (?:main\.)?(?P<name>.+)", re.DOTALL)


def check_syntax(statement: Statement, *, version: Version | None = None) -> None:
    """Raise ParseError (DF-E201) when SQLite's own grammar rejects the parsed statement. `version` is the target's, where it is known."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as library:
        library.set_authorizer(_parse_only)
        if _ours(statement.operations):
            for part in _parts(statement.operations[0]):
                if (said := _complaint(library, part)) is not None:
                    near = _SYNTAX.search(said)
                    raise _error(statement, said, max(statement.sql.rfind((near and near["near"]) or ""), 0))
            return
        said = _complaint(library, _without_result(statement))
        if said is None or (_read(statement.operations) and version is not None and version > LIBRARY):
            return
        raise _error(statement, said, _offset(library, _without_result(statement), said))


def _parse_only(action: int, *_: object) -> int:
    """A query is read to its end and then not taken apart: the library would put each WITH query in place of each mention, and forty names that
    double are all the memory that there is."""
    return sqlite3.SQLITE_DENY if action == sqlite3.SQLITE_SELECT else sqlite3.SQLITE_OK


def _without_result(statement: Statement) -> str:
    """CREATE TABLE ... AS looks for its columns before anybody is asked. A view takes the same words, and looks when it is used."""
    if any(isinstance(operation, CreateTableAs) for operation in statement.operations):
        word = next(token for token in tokens_of(statement.sql, []) if token.key == "TABLE")
        return f"{statement.sql[: word.start]}VIEW {statement.sql[word.end :]}"
    return statement.sql


def _read(operations: tuple[Operation, ...]) -> bool:
    return bool(operations) and not any(isinstance(operation, RawSql) for operation in operations)


def _ours(operations: tuple[Operation, ...]) -> bool:
    """Standard forms that SQLite's ALTER TABLE lacks, or has only since 3.53."""
    match operations:
        case (
            AddConstraint()
            | DropConstraint()
            | SetNotNull()
            | DropNotNull()
            | SetDefault()
            | DropDefault()
            | AlterColumnType()
            | AddColumn(if_not_exists=True)
            | DropColumn(if_exists=True),
        ):
            return True
        case _:
            return False


def _parts(operation: Operation) -> list[str]:
    """The pieces of such a form that SQLite can judge, each inside a statement that it knows."""
    match operation:
        case AddConstraint(constraint=NotNull()):
            return []
        case AddConstraint(constraint=constraint):
            return [f"CREATE TABLE t (c, {table_constraint(constraint)})"]
        case AddColumn():
            return [f"CREATE TABLE t ({column_definition(operation.column, operation.constraints)})"]
        case SetDefault():
            return [f"CREATE TABLE t (c DEFAULT ({operation.default}))"]
        case AlterColumnType():
            return [f"CREATE TABLE t (c {operation.type})", *([f"SELECT {operation.using}"] if operation.using else [])]
        case _:
            return []


def _complaint(library: sqlite3.Connection, sql: str) -> str | None:
    """What SQLite's grammar says against the text. Missing tables and columns are no matter of grammar."""
    asked = _EXPLAIN.match(sql)
    text = sql[asked.end() :] if asked is not None else sql
    for _ in range(2):
        try:
            library.execute(f"EXPLAIN {text}")
        except sqlite3.Error as error:
            message = str(error)
            if _SYNTAX.search(message):
                return message
            missing = _MISSING_TABLE.fullmatch(message)
            if missing is None or text.lstrip()[:5].upper() != "ALTER":
                return None
            # ALTER TABLE looks for its table before it reads on: give it one, and ask again.
            name = missing["name"].replace('"', '""')
            library.execute(f'CREATE TABLE IF NOT EXISTS "{name}" (c)')
            continue
        return None
    return None


def _offset(library: sqlite3.Connection, sql: str, said: str) -> int:
    """Where the offending token stands: the first one of that text with which a beginning of the statement is already wrong."""
    found = _SYNTAX.search(said)
    near = found["near"] if found else None
    if not near:
        return len(sql)
    places = [token for token in tokenize(sql)[0] if token.text == near]
    # What follows a fault changes nothing of it: from the first wrong beginning on, all of them are wrong.
    first = bisect.bisect_left(places, True, key=lambda token: _complaint(library, sql[: token.end]) == said)
    return places[first].start if first < len(places) else max(sql.find(near), 0)


def _error(statement: Statement, said: str, offset: int) -> ParseError:
    lack = lacking(statement.sql)
    return ParseError(
        "DF-E201",
        shortened(said),
        where=excerpt_of(statement, offset),
        why=f"{lack.what}: {lack.why}" if lack is not None else f"SQLite {LIBRARY} rejects the statement",
        hint=lack.hint
        if lack is not None
        else hint_for(statement.sql, "sqlite", "correct the statement, then run the command again"),
    )
