"""Statements about the connection: transactions, PRAGMA, VACUUM, ANALYZE, ATTACH."""

from __future__ import annotations

from typing import Literal

from driftflow.dialects.sqlite.normal import normal
from driftflow.dialects.sqlite.parse.cursor import Cursor, Unread
from driftflow.dialects.sqlite.tokens import name_of
from driftflow.model.names import Name
from driftflow.model.operations import AlterObject, Pragma, RewriteTable, TransactionControl

_Action = Literal["begin", "commit", "rollback", "savepoint", "release", "rollback_to"]
TRANSACTION_WORDS = frozenset({"BEGIN", "COMMIT", "END", "ROLLBACK", "SAVEPOINT", "RELEASE"})


def transaction(cursor: Cursor) -> TransactionControl:
    return TransactionControl(action=_action(cursor), sql=normal_words(cursor))


def _action(cursor: Cursor) -> _Action:
    match cursor.take().key:
        case "BEGIN":
            cursor.accept_any(("DEFERRED", "IMMEDIATE", "EXCLUSIVE"))
            _transaction_name(cursor)
            return "begin"
        case "COMMIT" | "END":
            _transaction_name(cursor)
            return "commit"
        case "SAVEPOINT":
            cursor.name()
            return "savepoint"
        case "RELEASE":
            cursor.accept("SAVEPOINT")
            cursor.name()
            return "release"
        case _:
            _transaction_name(cursor)
            if cursor.accept("TO"):
                cursor.accept("SAVEPOINT")
                cursor.name()
                return "rollback_to"
            return "rollback"


def _transaction_name(cursor: Cursor) -> None:
    if cursor.accept("TRANSACTION") and not cursor.done and not cursor.at("TO"):
        cursor.name()


def normal_words(cursor: Cursor) -> str:
    """Words in upper case, names as they are: `ROLLBACK TO sp`."""
    names = {"SAVEPOINT", "TO", "RELEASE"}
    text: list[str] = []
    for index, token in enumerate(cursor.tokens):
        before = cursor.tokens[index - 1].key if index else ""
        is_name = token.kind != "word" or (before in names and token.key != "SAVEPOINT")
        text.append(token.text if is_name else token.key)
    return " ".join(text)


def pragma(cursor: Cursor) -> Pragma:
    """Behind PRAGMA: [schema.]name [= value | (value)]"""
    name = cursor.qualified()
    value: str | None = None
    if cursor.accept("="):
        value = _pragma_value(cursor)
    elif cursor.accept("("):
        value = _pragma_value(cursor)
        cursor.expect(")")
    return Pragma(name=name.name.lower(), value=value, schema=name.schema, sql=cursor.sql)


def _pragma_value(cursor: Cursor) -> str:
    sign = cursor.take().key if cursor.at("-") or cursor.at("+") else ""
    token = cursor.take()
    match token.kind:
        case "number":
            return sign.replace("+", "") + token.text
        case "word" | "quoted" | "string":
            return name_of(token)
        case _:
            raise Unread(f"a pragma's value cannot be `{token.text}`")


def vacuum(cursor: Cursor) -> RewriteTable:
    """Behind VACUUM. It writes the whole file anew; VACUUM INTO writes another one."""
    value = normal(cursor.rest())
    into = any(token.key == "INTO" for token in cursor.tokens)
    return RewriteTable(table=None, action="vacuum" if into else "vacuum_full", value=value)


def analyze(cursor: Cursor) -> RewriteTable:
    table = None if cursor.done else cursor.qualified()
    return RewriteTable(table=table, action="analyze")


def attach(cursor: Cursor, action: str) -> AlterObject:
    """ATTACH and DETACH: another file under a schema's name."""
    name = name_of(cursor.tokens[-1])
    cursor.rest()
    return AlterObject(kind="database", action=action, name=Name(name=name), sql=cursor.sql)
