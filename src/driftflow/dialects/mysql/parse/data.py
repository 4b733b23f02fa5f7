"""INSERT, REPLACE, UPDATE, DELETE, SELECT, TRUNCATE, LOAD DATA, CALL: what they write, what they read, and what bounds them."""

from __future__ import annotations

from collections.abc import Sequence

from driftflow.dialects.mysql.functions import foreign_functions
from driftflow.dialects.mysql.normal import normal
from driftflow.dialects.mysql.parse.cursor import Cursor, Unread, expression_of
from driftflow.dialects.mysql.parse.request import wait_seconds
from driftflow.dialects.relations import relations_read
from driftflow.dialects.tokens import Token
from driftflow.model.names import Name
from driftflow.model.operations import Copy, Delete, Insert, Operation, RawSql, Select, Truncate, Update

_QUALIFIERS = frozenset({"LOW_PRIORITY", "DELAYED", "HIGH_PRIORITY", "QUICK"})
OPENS_DATA = frozenset(
    {"WITH", "INSERT", "REPLACE", "UPDATE", "DELETE", "SELECT", "VALUES", "TABLE", "(", "CALL", "DO", "LOAD", "TRUNCATE"}
)


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
        case "SELECT" | "VALUES" | "TABLE" | "(":
            return _select(cursor, start)
        case "CALL" | "DO":
            opaque = cursor.take().key == "CALL"
            tokens = cursor.rest()
            return Select(
                sql=cursor.sql,
                opaque=opaque,
                reads=relations_read(cursor.over(tokens)),
                calls=foreign_functions(tokens),
            )
        case "LOAD":
            return _load(cursor)
        case "TRUNCATE":
            cursor.take()
            cursor.accept("TABLE")
            table = cursor.qualified()
            return Truncate(tables=(table,), wait_seconds=wait_seconds(cursor))
        case _:
            raise Unread(f"no statement begins {cursor.here()}")


def statement_relations(cursor: Cursor) -> tuple[Name, ...]:
    """What one statement of a body writes and reads; nothing where it is none that touches rows."""
    if cursor.peek().key not in OPENS_DATA:
        return ()
    match data_statement(cursor):
        case Insert(table=table, reads=reads) | Update(table=table, reads=reads) | Delete(table=table, reads=reads):
            return (table, *reads)
        case Select(reads=reads):
            return reads
        case Truncate(tables=tables):
            return tables
        case _:
            return ()


def _select(cursor: Cursor, start: int) -> Operation:
    tokens = cursor.tokens[start:]
    cursor.rest()
    if any(one.key == "INTO" for one in tokens) and any(one.key in {"OUTFILE", "DUMPFILE"} for one in tokens):
        return Copy(sql=cursor.sql, inward=False)
    keys = [one.key for one in tokens[-4:]]
    tail = max((at for at, one in enumerate(tokens) if one.key in {"FOR", "LOCK"}), default=-1)
    locks = ("UPDATE" if "UPDATE" in keys and "FOR" in keys else "SHARE" if "SHARE" in keys else "") if tail >= 0 else ""
    if not locks:  # FOR UPDATE and LOCK IN SHARE MODE name no relation
        tail = len(tokens)
    reads = relations_read(cursor.over(tokens[:tail]))
    return Select(sql=cursor.sql, reads=reads, calls=foreign_functions(tokens), locks_rows=locks)


def _skip_with(cursor: Cursor) -> None:
    if not cursor.accept("WITH"):
        return
    cursor.accept("RECURSIVE")
    while True:
        cursor.name()
        if cursor.at("("):
            cursor.parenthesised()
        cursor.expect("AS")
        cursor.parenthesised()
        if not cursor.accept(","):
            return


def _reads(cursor: Cursor, start: int, target: int, behind: int) -> tuple[Name, ...]:
    """Relations in the WITH clause before the target and in everything behind it."""
    return relations_read(cursor.over([*cursor.tokens[start:target], *cursor.tokens[behind:]]))


def _insert(cursor: Cursor, start: int) -> Insert:
    before = cursor.index
    replaces = cursor.take().key == "REPLACE"
    cursor.accept_any(_QUALIFIERS)
    ignores = cursor.accept("IGNORE")
    cursor.accept("INTO")
    table = cursor.qualified()
    if cursor.accept("PARTITION"):
        cursor.parenthesised()
    columns = cursor.name_list() if cursor.at("(") and cursor.peek(1).key not in {"SELECT", "WITH", ")"} else ()
    if cursor.at("(", ")"):
        cursor.parenthesised()
    behind = cursor.index
    rows: int | None = None
    if cursor.accept("SET"):
        rows, columns = 1, _set_columns(cursor)
    elif cursor.accept_any(("VALUES", "VALUE")):
        rows = _rows(cursor)
    rest = cursor.rest()
    upserts = any(one.key == "DUPLICATE" and index and rest[index - 1].key == "ON" for index, one in enumerate(rest))
    reads = () if rows is not None and not any(one.key == "SELECT" for one in cursor.tokens) else None
    return Insert(
        table=table,
        sql=cursor.sql,
        columns=columns,
        rows=rows,
        reads=_reads(cursor, start, before, behind) if reads is None else reads,
        on_conflict="replace" if replaces else "ignore" if ignores else "update" if upserts else "",
    )


def _set_columns(cursor: Cursor) -> tuple[str, ...]:
    found = []
    while True:
        found.append(_column(cursor))
        cursor.accept_any(("=", ":="))
        cursor.until(",", "ON", "AS", "RETURNING")
        if not cursor.accept(","):
            return tuple(found)


def _rows(cursor: Cursor) -> int:
    rows = 0
    while True:
        cursor.accept("ROW")
        cursor.parenthesised()
        rows += 1
        if not cursor.accept(","):
            return rows


def _update(cursor: Cursor, start: int) -> Operation:
    before = cursor.index
    cursor.expect("UPDATE")
    cursor.accept_any(_QUALIFIERS)
    on_conflict = "ignore" if cursor.accept("IGNORE") else ""
    targets = cursor.until("SET")
    joined = any(one.key in {",", "JOIN", "STRAIGHT_JOIN", "("} for one in targets)
    target = cursor.over(targets)
    table, alias = _aliased(target)
    cursor.expect("SET")
    assignments = [_assignment(cursor)]
    while cursor.accept(","):
        assignments.append(_assignment(cursor))
    where = expression_of(cursor.until("ORDER", "LIMIT", "RETURNING")) if cursor.accept("WHERE") else ""
    limited, returning = _tail(cursor)
    everything = [*cursor.tokens[start:before], *_as_query(targets), *cursor.tokens[before + 1 :]]
    reads = tuple(name for name in relations_read(cursor.over(everything)) if name != table or joined is False)
    return Update(
        table=table,
        sql=cursor.sql,
        assignments=tuple(assignments),
        where=where,
        reads=tuple(name for name in reads if name != table),
        bounded=limited,
        alias=alias,
        from_clause=normal(targets) if joined else "",
        returning=returning,
        on_conflict=on_conflict,
    )


def _as_query(targets: Sequence[Token]) -> list[Token]:
    """The table references of a multi-table statement, as if they stood behind FROM."""
    if not targets:
        raise Unread("no table is named")
    return [Token("word", "FROM", targets[0].start, "FROM"), *targets, Token("word", "WHERE", targets[-1].end, "WHERE")]


def _aliased(target: Cursor) -> tuple[Name, str]:
    """[(] table [[AS] alias]: the first table reference."""
    while target.accept("("):
        pass
    table = target.qualified()
    if target.accept("PARTITION"):
        target.parenthesised()
    if target.accept("AS") or (target.is_name() and not target.done):
        return table, target.name()
    return table, ""


def _column(cursor: Cursor) -> str:
    """[[database.]table.]column"""
    name = cursor.name()
    while cursor.accept("."):
        name = cursor.name()
    return name


def _assignment(cursor: Cursor) -> tuple[str, str]:
    column = _column(cursor)
    if not cursor.accept_any(("=", ":=")):
        raise Unread(f"`=` was expected {cursor.here()}")
    return column, expression_of(cursor.until(",", "WHERE", "ORDER", "LIMIT", "RETURNING"))


def _delete(cursor: Cursor, start: int) -> Operation:
    before = cursor.index
    cursor.expect("DELETE")
    while cursor.accept_any((*_QUALIFIERS, "IGNORE")):
        pass
    if cursor.mariadb and cursor.at("HISTORY", "FROM"):
        raise Unread("it deletes the history of rows, and no row")
    if not cursor.accept("FROM"):
        return _delete_from_several(cursor, start)
    first = cursor.index
    table = cursor.qualified()
    if cursor.accept(".", "*") or cursor.at(","):
        cursor.index = first
        return _delete_from_several(cursor, start)
    if cursor.accept("PARTITION"):
        cursor.parenthesised()
    alias = ""
    if cursor.accept("AS") or (cursor.is_name() and not cursor.at("USING") and not cursor.done):
        alias = cursor.name()
    if cursor.at("USING"):
        cursor.index = first
        return _delete_from_several(cursor, start)
    behind = cursor.index
    where = expression_of(cursor.until("ORDER", "LIMIT", "RETURNING")) if cursor.accept("WHERE") else ""
    limited, returning = _tail(cursor)
    return Delete(
        table=table,
        sql=cursor.sql,
        where=where,
        reads=_reads(cursor, start, before, behind),
        bounded=limited,
        alias=alias,
        returning=returning,
    )


def _delete_from_several(cursor: Cursor, start: int) -> Operation:
    """DELETE a, b FROM joined ..., or DELETE FROM a, b USING joined ...: only those from one table are read further."""
    targets = cursor.until("FROM", "USING")
    names = [one for one in targets if one.key not in {".", "*"}]
    cursor.take()
    source = cursor.until("WHERE", "ORDER", "LIMIT", "RETURNING")
    where = expression_of(cursor.until("ORDER", "LIMIT", "RETURNING")) if cursor.accept("WHERE") else ""
    limited, returning = _tail(cursor)
    reads = relations_read(cursor.over([*_as_query(source), *cursor.tokens[start:]]))
    if any(one.key == "," for one in targets):
        return RawSql(sql=cursor.sql, reason="a DELETE from several tables", relations=reads, transactional=True)
    spelled = cursor.over(names).name()
    table = _meant(cursor, spelled, source, reads)
    return Delete(
        table=table,
        sql=cursor.sql,
        where=where,
        reads=tuple(name for name in reads if name != table),
        bounded=limited,
        using=normal(source),
        alias="" if spelled == table.name else spelled,
        returning=returning,
    )


def _meant(cursor: Cursor, spelled: str, source: Sequence[Token], reads: Sequence[Name]) -> Name:
    """The table that a name in DELETE stands for: itself, or what carries it as an alias."""
    for name in reads:
        if name.name == spelled:
            return name
    tokens = list(source)
    for at, token in enumerate(tokens):
        if token.kind in {"word", "quoted"} and cursor.over([token]).is_name() and at:
            own = cursor.over([token]).name()
            before = at - 2 if tokens[at - 1].key == "AS" else at - 1
            if own == spelled and before >= 0 and tokens[before].kind in {"word", "quoted"}:
                found = cursor.over([tokens[before]]).name()
                return next((name for name in reads if name.name == found), Name(name=found))
    return Name(name=spelled)


def _tail(cursor: Cursor) -> tuple[bool, bool]:
    """[ORDER BY ...] [LIMIT ...] [RETURNING ...]: whether a LIMIT bounds the statement, and whether rows come back."""
    limited = returning = False
    while not cursor.done:
        word = cursor.accept_any(("ORDER", "LIMIT", "RETURNING"))
        if not word:
            raise Unread(f"nothing is known about what begins {cursor.here()}")
        limited, returning = limited or word == "LIMIT", returning or word == "RETURNING"
        cursor.until("ORDER", "LIMIT", "RETURNING")
    return limited, returning


def _load(cursor: Cursor) -> Operation:
    """LOAD DATA [LOCAL] INFILE ... INTO TABLE name ..."""
    cursor.until("INTO")
    cursor.expect("INTO", "TABLE")
    table = cursor.qualified()
    cursor.rest()
    return Copy(table=table, sql=cursor.sql)
