"""INSERT, REPLACE, UPDATE, DELETE and SELECT: what they write, what they read, and the pieces that a chunked form needs."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from driftflow.dialects.relations import relations_read
from driftflow.dialects.sqlite.functions import foreign_functions
from driftflow.dialects.sqlite.normal import normal
from driftflow.dialects.sqlite.parse.constraint import CONFLICT_ACTIONS
from driftflow.dialects.sqlite.parse.cursor import Cursor, Unread, expression_of
from driftflow.dialects.sqlite.tokens import Token
from driftflow.model.names import Name
from driftflow.model.operations import Delete, Insert, Operation, Select, Update


def data_statement(cursor: Cursor) -> Operation:
    """A statement on rows, perhaps behind WITH."""
    start = cursor.index
    _skip_with(cursor)
    match cursor.peek().key:
        case "INSERT" | "REPLACE":
            return _insert(cursor, start)
        case "UPDATE":
            return _update(cursor, start)
        case "DELETE":
            return _delete(cursor, start)
        case "SELECT" | "VALUES":
            tokens = cursor.tokens[start:]
            cursor.rest()
            return Select(sql=cursor.sql, reads=relations_read(cursor.over(tokens)), calls=foreign_functions(tokens))
        case _:
            raise Unread(f"no statement begins {cursor.here()}")


def statement_relations(tokens: Sequence[Token], sql: str) -> tuple[Name, ...]:
    """What one statement of a trigger's body writes and reads. An unread one reads what stands behind FROM, INTO and UPDATE."""
    operation = data_statement(Cursor(tokens, sql))
    match operation:
        case Insert(table=table, reads=reads) | Update(table=table, reads=reads) | Delete(table=table, reads=reads):
            return (table, *reads)
        case Select(reads=reads):
            return reads
        case _:  # pragma: no cover
            return ()


def _skip_with(cursor: Cursor) -> None:
    if not cursor.accept("WITH"):
        return
    cursor.accept("RECURSIVE")
    while True:
        cursor.name()
        if cursor.at("("):
            cursor.parenthesised()
        cursor.expect("AS")
        cursor.accept("NOT")
        cursor.accept("MATERIALIZED")
        cursor.parenthesised()
        if not cursor.accept(","):
            return


def _reads(cursor: Cursor, start: int, target: int, behind: int) -> tuple[Name, ...]:
    """Relations in the WITH clause before the target and in everything behind it."""
    tokens = [*cursor.tokens[start:target], *cursor.tokens[behind:]]
    return relations_read(cursor.over(tokens))


def _insert(cursor: Cursor, start: int) -> Insert:
    before = cursor.index
    replaces = cursor.take().key == "REPLACE"
    action = cursor.accept_any(CONFLICT_ACTIONS) if cursor.accept("OR") else ""
    cursor.expect("INTO")
    table = cursor.qualified()
    if cursor.accept("AS"):
        cursor.name()
    columns = cursor.name_list() if cursor.at("(") else ()
    behind = cursor.index
    rows = _value_rows(cursor)
    upsert = cursor.rest()
    on_conflict = "replace" if replaces or action == "REPLACE" else "ignore" if action == "IGNORE" else _upsert(upsert)
    return Insert(
        table=table,
        sql=cursor.sql,
        columns=columns,
        rows=rows,
        reads=_reads(cursor, start, before, behind),
        on_conflict=on_conflict,
    )


def _value_rows(cursor: Cursor) -> int | None:
    """Rows of VALUES (...), (...); one for DEFAULT VALUES; None for a query."""
    if cursor.accept("DEFAULT", "VALUES"):
        return 1
    if not cursor.at("VALUES"):
        return None
    cursor.take()
    rows = 1
    cursor.parenthesised()
    while cursor.accept(","):
        cursor.parenthesised()
        rows += 1
    return None if cursor.at("UNION") or cursor.at("EXCEPT") or cursor.at("INTERSECT") else rows


def _upsert(tokens: Sequence[Token]) -> str:
    keys = [token.key for token in tokens]
    for index, key in enumerate(keys):
        if key == "ON" and keys[index + 1 : index + 2] == ["CONFLICT"]:
            behind = keys[index:]
            return "update" if any(pair == ("DO", "UPDATE") for pair in pairwise(behind)) else "nothing"
    return ""


def _update(cursor: Cursor, start: int) -> Update:
    before = cursor.index
    cursor.expect("UPDATE")
    on_conflict = cursor.accept_any(CONFLICT_ACTIONS).lower() if cursor.accept("OR") else ""
    table = cursor.qualified()
    alias = cursor.name() if cursor.accept("AS") else ""
    _indexed_by(cursor)
    cursor.expect("SET")
    behind = cursor.index
    assignments = [_assignment(cursor)]
    while cursor.accept(","):
        assignments.append(_assignment(cursor))
    from_clause = normal(cursor.until("WHERE", "RETURNING", "ORDER", "LIMIT")) if cursor.accept("FROM") else ""
    where = expression_of(cursor.until("RETURNING", "ORDER", "LIMIT")) if cursor.accept("WHERE") else ""
    returning, limited = _tail(cursor)
    return Update(
        table=table,
        sql=cursor.sql,
        assignments=tuple(pair for group in assignments for pair in group),
        where=where,
        reads=_reads(cursor, start, before, behind),
        bounded=limited,
        alias=alias,
        from_clause=from_clause,
        returning=returning,
        on_conflict=on_conflict,
    )


def _assignment(cursor: Cursor) -> list[tuple[str, str]]:
    """column = expression, or (column, ...) = (expression, ...); a row from a query stays one expression for the whole list."""
    if not cursor.at("("):
        column = cursor.name()
        cursor.expect("=")
        return [(column, expression_of(cursor.until(",", "FROM", "WHERE", "RETURNING", "ORDER", "LIMIT")))]
    columns = cursor.name_list()
    cursor.expect("=")
    row = Cursor(cursor.until(",", "FROM", "WHERE", "RETURNING", "ORDER", "LIMIT"), cursor.sql)
    if not row.at("(") or row.peek(1).key in {"SELECT", "VALUES", "WITH"}:
        return [(f"({', '.join(columns)})", normal(row.rest()))]
    values = Cursor(row.parenthesised(), cursor.sql)
    expressions = [expression_of(values.until(","))]
    while values.accept(","):
        expressions.append(expression_of(values.until(",")))
    if len(expressions) != len(columns):
        raise Unread("an assignment whose sides differ in length")
    return list(zip(columns, expressions, strict=True))


def _delete(cursor: Cursor, start: int) -> Delete:
    before = cursor.index
    cursor.expect("DELETE", "FROM")
    table = cursor.qualified()
    alias = cursor.name() if cursor.accept("AS") else ""
    _indexed_by(cursor)
    behind = cursor.index
    where = expression_of(cursor.until("RETURNING", "ORDER", "LIMIT")) if cursor.accept("WHERE") else ""
    returning, limited = _tail(cursor)
    return Delete(
        table=table,
        sql=cursor.sql,
        where=where,
        reads=_reads(cursor, start, before, behind),
        bounded=limited,
        alias=alias,
        returning=returning,
    )


def _indexed_by(cursor: Cursor) -> None:
    if cursor.accept("INDEXED"):
        cursor.accept_any(("BY",))
        cursor.name()
    elif cursor.accept("NOT", "INDEXED"):
        pass


def _tail(cursor: Cursor) -> tuple[bool, bool]:
    """[RETURNING ...] [ORDER BY ...] [LIMIT ...]: whether rows come back, and whether a LIMIT bounds the statement."""
    returning = limited = False
    while not cursor.done:
        if cursor.accept("RETURNING"):
            returning = True
        elif cursor.accept("ORDER"):
            pass
        elif cursor.accept("LIMIT"):
            limited = True
        else:
            raise Unread(f"nothing is known about what begins {cursor.here()}")
        cursor.until("RETURNING", "ORDER", "LIMIT")
    return returning, limited
