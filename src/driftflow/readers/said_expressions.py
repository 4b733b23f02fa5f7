"""Whether the server can read the SQL that directives say: while a plan is made, and not at the first chunk, behind an ADD COLUMN.

Only its grammar is asked. Which columns and functions there will be when the expression is carried out, the migration itself may decide.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import closing

from driftflow.dialects.base import ErrorKind
from driftflow.engine.ports import Connection, Connector, DatabaseFault
from driftflow.errors import ParseError
from driftflow.model.migration import Directive
from driftflow.patterns import lazy_regex
from driftflow.readers.sources import Source, pending_migrations

SQLITE_GRAMMAR = lazy_regex(r'near ".*": syntax error|incomplete input|unrecognized token|wrong number of arguments', re.DOTALL)
"""SQLite has one code for all that it does not like about a statement."""
QUERY = lazy_regex(r"\s*(SELECT|WITH)\b", re.IGNORECASE)
"""What can be explained."""
NUMBER_OF_ARGUMENTS = {"1582"}
"""MySQL and MariaDB, of functions of their own: those the migration cannot have made."""


def refuse_unreadable(sources: Sequence[Source], pending: Sequence[str] | None, connector: Connector) -> None:
    """Raises ParseError (DF-E213) for an expression, a join or a query that the server's grammar rejects. Nothing is read and nothing is written."""
    statements = (statement for migration in pending_migrations(sources, pending) for statement in migration.statements)
    said = [directive for statement in statements for directive in statement.directives]
    if not said:
        return
    with closing(connector.connect("plan")) as connection:
        for directive in said:
            for option, sql in _texts(directive, connection.dialect):
                if complaint := _complaint(sql, connection):
                    raise ParseError(
                        "DF-E213",
                        f"{option}= of the directive `{directive.verb}` is no SQL that the server can read",
                        where=str(directive.span),
                        why=complaint,
                        hint="a text in SQL stands in quotes within the directive's quotes: set=\"'new value'\"",
                    )


def _texts(directive: Directive, dialect: str) -> Iterator[tuple[str, str]]:
    """(the option, a statement that holds what it says). On one line, as it will stand: a comment at its end would take in what follows."""
    nowhere = " FROM DUAL WHERE 1 = 0" if dialect in {"mysql", "mariadb"} else " WHERE 1 = 0"
    options = directive.options
    match directive.verb:
        case "backfill" | "dual-write" | "maintained":
            for option in ("set", "where", "on"):
                if said := options.get(option):
                    yield option, f"SELECT ({said}){nowhere}"
            if source := options.get("from"):
                yield "from", f"SELECT (SELECT 1 FROM {source}){nowhere}"
        case "verify" if QUERY.match(options.get("query", "")):
            yield "query", options["query"]
        case _:
            pass


def _complaint(sql: str, connection: Connection) -> str:
    """What the server's grammar says against it; empty where it reads it."""
    connection.begin(write=False)
    try:
        connection.query(f"EXPLAIN {sql}")
    except DatabaseFault as fault:
        if fault.kind is ErrorKind.CONNECTION_LOST:
            raise
        if connection.dialect == "sqlite":
            return fault.message if SQLITE_GRAMMAR.search(fault.message) else ""
        return fault.message if fault.kind is ErrorKind.SYNTAX or fault.code in NUMBER_OF_ARGUMENTS else ""
    finally:
        connection.rollback()
    return ""
