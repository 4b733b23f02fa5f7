"""Which relations a query reads: names behind FROM, JOIN and IN, without the names that WITH defines."""

from __future__ import annotations

from collections.abc import Sequence

from driftflow.dialects.cursor import NameCursor, Unread
from driftflow.dialects.tokens import Token
from driftflow.model.names import Name

_ENDS_FROM = frozenset(
    [
        "WHERE",
        "GROUP",
        "HAVING",
        "WINDOW",
        "ORDER",
        "LIMIT",
        "UNION",
        "INTERSECT",
        "EXCEPT",
        "RETURNING",
        "SET",
        "SELECT",
        "VALUES",
    ]
)
_OPENS_QUERY = frozenset({"SELECT", "VALUES", "WITH"})


def relations_read(cursor: NameCursor) -> tuple[Name, ...]:
    """In order of their first mention, each once. Table-valued functions are no relations. Raises Unread for unbalanced parentheses."""
    found: dict[tuple[str, str], Name] = {}
    for name in _walk(cursor, frozenset()):
        found.setdefault((name.schema.lower(), name.name.lower()), name)
    return tuple(found.values())


def _walk(cursor: NameCursor, hidden: frozenset[str]) -> list[Name]:
    """One level of parentheses: a query, or the inside of any expression."""
    found: list[Name] = []
    if cursor.at("WITH"):
        hidden, inner = _with_clause(cursor, hidden)
        found += inner
    in_from = expecting = False
    while not cursor.done:
        token = cursor.peek()
        if expecting and token.key != "(":
            found += _table_or_function(cursor, hidden)
            expecting = False
            continue
        match token.key:
            case "(":
                called = cursor.index > 0 and cursor.peek(-1).key in cursor.from_inside_calls
                inside = cursor.inside()
                if called:
                    inside = cursor.over([one for one in inside.tokens if one.key != "FROM"])
                joined = expecting and inside.peek().key not in _OPENS_QUERY
                found += _joined(inside, hidden) if joined else _walk(inside, hidden)
                expecting = False
            case "FROM" if not _distinct_from(cursor):
                cursor.take()
                in_from = expecting = True
            case "JOIN" | "STRAIGHT_JOIN":
                cursor.take()
                expecting = in_from
            case "," if in_from:
                cursor.take()
                expecting = True
            case "IN":
                cursor.take()
                if cursor.is_name():
                    found += _table_or_function(cursor, hidden)
            case "WITH":  # INSERT INTO t WITH ... SELECT
                hidden, inner = _with_clause(cursor, hidden)
                found += inner
            case key:
                cursor.take()
                if key in _ENDS_FROM:
                    in_from = False
    return found


def _joined(cursor: NameCursor, hidden: frozenset[str]) -> list[Name]:
    """FROM ( a JOIN b ): the inside is a join, and begins with a table."""
    before = [] if cursor.at("(") else _table_or_function(cursor, hidden)
    found = list(before)
    in_from, expecting = True, cursor.at("(")
    while not cursor.done:
        if expecting and not cursor.at("("):
            found += _table_or_function(cursor, hidden)
            expecting = False
        elif cursor.at("("):
            inside = cursor.inside()
            joined = expecting and inside.peek().key not in _OPENS_QUERY
            found += _joined(inside, hidden) if joined else _walk(inside, hidden)
            expecting = False
        else:
            expecting = in_from and cursor.take().key in {"JOIN", "STRAIGHT_JOIN", ","}
    return found


def _with_clause(cursor: NameCursor, hidden: frozenset[str]) -> tuple[frozenset[str], list[Name]]:
    """WITH [RECURSIVE] name [(columns)] AS [NOT MATERIALIZED] (query), ...: the names it adds, and what its queries read."""
    cursor.expect("WITH")
    cursor.accept("RECURSIVE")
    bodies: list[Sequence[Token]] = []
    names: set[str] = set()
    while True:
        names.add(cursor.name().lower())
        if cursor.at("("):
            cursor.parenthesised()
        cursor.expect("AS")
        cursor.accept("NOT")
        cursor.accept("MATERIALIZED")
        bodies.append(cursor.parenthesised())
        if not cursor.accept(","):
            break
    hidden = hidden | names
    return hidden, [name for body in bodies for name in _walk(cursor.over(body), hidden)]


def _table_or_function(cursor: NameCursor, hidden: frozenset[str]) -> list[Name]:
    if cursor.peek().key in cursor.no_relations and cursor.peek(1).key != ".":
        cursor.take()
        return []
    if not cursor.is_name():
        raise Unread(f"a table was expected {cursor.here()}")
    name = cursor.qualified()
    if cursor.at("("):  # json_each(...), pragma_table_info(...); its arguments may hold a query
        return _walk(cursor.inside(), hidden)
    return [] if not name.schema and name.name.lower() in hidden else [name]


def _distinct_from(cursor: NameCursor) -> bool:
    """IS [NOT] DISTINCT FROM"""
    return cursor.index > 1 and cursor.peek(-1).key == "DISTINCT" and cursor.peek(-2).key in {"IS", "NOT"}
