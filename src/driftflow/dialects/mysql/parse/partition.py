"""PARTITION BY, the definitions of partitions, and the clauses of ALTER TABLE that work on them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from driftflow.dialects.mysql.normal import normal
from driftflow.dialects.mysql.parse.cursor import Cursor, Unread, expression_of
from driftflow.dialects.tokens import Token
from driftflow.model.catalog import Partitioning
from driftflow.model.names import Name
from driftflow.model.operations import AlterPartitions, RewriteTable

Maintained = Literal["analyze", "check", "optimize", "repair", "rebuild", "truncate"]
WORDS = frozenset(
    {"LESS", "THAN", "VALUES", "IN", "RANGE", "LIST", "HASH", "COLUMNS", "PARTITIONS", "SUBPARTITION", "SUBPARTITIONS"}
)
"""Keywords of a PARTITION BY clause, reserved or not."""
MAINTAINED: dict[str, Maintained] = {
    "ANALYZE": "analyze",
    "CHECK": "check",
    "OPTIMIZE": "optimize",
    "REPAIR": "repair",
    "REBUILD": "rebuild",
    "TRUNCATE": "truncate",
}


def partition_by(cursor: Cursor) -> tuple[Partitioning, str]:
    """PARTITION BY ... to its end: how the table is partitioned, and the whole clause as text."""
    start = cursor.index
    cursor.expect("PARTITION", "BY")
    partitioning = _method(cursor)
    if cursor.accept("PARTITIONS"):
        cursor.integer()
    if cursor.accept("SUBPARTITION", "BY"):
        _method(cursor)
        if cursor.accept("SUBPARTITIONS"):
            cursor.integer()
    if cursor.at("("):
        definitions(cursor)
    return partitioning, normal(_without_engine(cursor.tokens[start : cursor.index]), keywords=WORDS)


def _without_engine(tokens: Sequence[Token]) -> list[Token]:
    """SHOW CREATE TABLE names the engine behind every partition; it is the table's, on both servers."""
    kept: list[Token] = []
    skipped = 0
    for token, after in zip(tokens, (*tokens[1:], tokens[-1]), strict=True):
        if skipped:
            skipped -= 1
        elif token.key == "ENGINE" and after.key == "=":
            skipped = 2
        elif token.key == "STORAGE" and after.key == "ENGINE":
            continue
        else:
            kept.append(token)
    return kept


def _method(cursor: Cursor) -> Partitioning:
    cursor.accept("LINEAR")
    if cursor.accept("HASH"):
        return Partitioning(strategy="HASH", key=(expression_of(cursor.parenthesised()),))
    if cursor.accept("KEY"):
        if cursor.accept("ALGORITHM"):
            cursor.expect("=")
            cursor.integer()
        inside = cursor.inside()
        return Partitioning(strategy="KEY", key=inside.names() if not inside.done else ())
    strategy: Literal["RANGE", "LIST"]
    if cursor.accept("RANGE"):
        strategy = "RANGE"
    elif cursor.accept("LIST"):
        strategy = "LIST"
    else:
        raise Unread(f"a way of partitioning was expected {cursor.here()}")
    if cursor.accept("COLUMNS"):
        return Partitioning(strategy=strategy, key=cursor.name_list())
    return Partitioning(strategy=strategy, key=(expression_of(cursor.parenthesised()),))


def definitions(cursor: Cursor) -> tuple[tuple[str, ...], str]:
    """( PARTITION name VALUES ..., ... ): the names, and the list as text."""
    start = cursor.index
    inside = cursor.inside()
    names = []
    while True:
        inside.expect("PARTITION")
        names.append(inside.name())
        inside.until_sign(",")
        if not inside.accept(","):
            break
    inside.finish()
    return tuple(names), normal(cursor.tokens[start : cursor.index], keywords=WORDS)


def opens_partition_clause(cursor: Cursor) -> bool:
    key, after = cursor.peek().key, cursor.peek(1).key
    if key == "PARTITION":
        return after == "BY"
    if key == "REMOVE":
        return after == "PARTITIONING"
    if key in {"DISCARD", "IMPORT", "EXCHANGE", "COALESCE", "REORGANIZE", "ADD", "DROP"} or key in MAINTAINED:
        return after == "PARTITION"
    return key == "CONVERT" and after in {"PARTITION", "TABLE"}


def partition_clause(cursor: Cursor, table: Name) -> AlterPartitions:
    """One clause of ALTER TABLE; `opens_partition_clause` said that it is one."""
    if cursor.at("PARTITION", "BY"):
        partitioning, text = partition_by(cursor)
        return AlterPartitions(table=table, action="partition_by", partitioning=partitioning, definition=text)
    if cursor.accept("REMOVE", "PARTITIONING"):
        return AlterPartitions(table=table, action="remove")
    word = cursor.take().key
    if word == "CONVERT":
        return _converted(cursor, table)
    cursor.expect("PARTITION")
    match word:
        case "ADD":
            return _added(cursor, table)
        case "DROP":
            if_exists = cursor.accept("IF", "EXISTS")
            return AlterPartitions(table=table, action="drop", partitions=cursor.names(), if_exists=if_exists)
        case "COALESCE":
            _binlog(cursor)
            return AlterPartitions(table=table, action="coalesce", count=cursor.integer())
        case "REORGANIZE":
            _binlog(cursor)
            names = cursor.names() if cursor.is_name() and not cursor.at("INTO") else ()
            text = definitions(cursor)[1] if cursor.accept("INTO") else ""
            return AlterPartitions(table=table, action="reorganize", partitions=names, definition=text)
        case "EXCHANGE":
            return _exchanged(cursor, table)
        case "DISCARD" | "IMPORT":
            names, every = _names(cursor)
            cursor.expect("TABLESPACE")
            action: Literal["discard_tablespace", "import_tablespace"] = (
                "discard_tablespace" if word == "DISCARD" else "import_tablespace"
            )
            return AlterPartitions(table=table, action=action, partitions=names, every=every)
        case _ if word in MAINTAINED:
            _binlog(cursor)
            names, every = _names(cursor)
            if word in {"CHECK", "REPAIR"}:
                while cursor.accept_any(("QUICK", "EXTENDED", "FAST", "MEDIUM", "CHANGED", "USE_FRM")) or cursor.accept(
                    "FOR", "UPGRADE"
                ):
                    pass
            return AlterPartitions(table=table, action=MAINTAINED[word], partitions=names, every=every)
        case _:
            raise Unread(f"partitions know no {word}")


def _added(cursor: Cursor, table: Name) -> AlterPartitions:
    cursor.accept("IF", "NOT", "EXISTS")
    _binlog(cursor)
    if cursor.accept("PARTITIONS"):
        return AlterPartitions(table=table, action="add", count=cursor.integer())
    names, text = definitions(cursor)
    return AlterPartitions(table=table, action="add", partitions=names, definition=text)


def _exchanged(cursor: Cursor, table: Name) -> AlterPartitions:
    partition = cursor.name()
    cursor.expect("WITH", "TABLE")
    other = cursor.qualified()
    validated = not cursor.accept("WITHOUT", "VALIDATION")
    cursor.accept("WITH", "VALIDATION")
    return AlterPartitions(table=table, action="exchange", partitions=(partition,), other=other, validated=validated)


def _converted(cursor: Cursor, table: Name) -> AlterPartitions:
    """MariaDB 10.7: CONVERT PARTITION p TO TABLE t, CONVERT TABLE t TO PARTITION p VALUES ..."""
    if cursor.accept("PARTITION"):
        partition = cursor.name()
        cursor.expect("TO", "TABLE")
        return AlterPartitions(table=table, action="convert_to_table", partitions=(partition,), other=cursor.qualified())
    cursor.expect("TABLE")
    other = cursor.qualified()
    cursor.expect("TO", "PARTITION")
    start = cursor.index
    partition = cursor.name()
    cursor.until_sign(",", "WITH", "WITHOUT")
    text = normal(cursor.tokens[start : cursor.index])
    validated = not cursor.accept("WITHOUT", "VALIDATION")
    cursor.accept("WITH", "VALIDATION")
    return AlterPartitions(
        table=table,
        action="convert_from_table",
        partitions=(partition,),
        other=other,
        definition=text,
        validated=validated,
    )


def _names(cursor: Cursor) -> tuple[tuple[str, ...], bool]:
    if cursor.accept("ALL"):
        return (), True
    return cursor.names(), False


def _binlog(cursor: Cursor) -> None:
    cursor.accept_any(("NO_WRITE_TO_BINLOG", "LOCAL"))


def maintenance(cursor: Cursor) -> tuple[RewriteTable, ...]:
    """OPTIMIZE | ANALYZE | CHECK | REPAIR TABLE name, ..."""
    word = cursor.take().key
    _binlog(cursor)
    cursor.accept_any(("TABLE", "TABLES"))
    action: Literal["optimize", "analyze", "check", "repair"]
    match word:
        case "OPTIMIZE":
            action = "optimize"
        case "ANALYZE":
            action = "analyze"
        case "CHECK":
            action = "check"
        case _:
            action = "repair"
    tables = [cursor.qualified()]
    while cursor.accept(","):
        tables.append(cursor.qualified())
    value = normal(cursor.rest())
    return tuple(RewriteTable(table=table, action=action, value=value) for table in tables)
