"""Statements about the session: transactions, SET, USE, LOCK TABLES, FLUSH."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from driftflow.dialects.mysql.normal import normal
from driftflow.dialects.mysql.parse.cursor import Cursor, Unread, expression_of
from driftflow.dialects.mysql.parse.request import wait_seconds
from driftflow.dialects.mysql.tokens import string_of
from driftflow.dialects.tokens import Token
from driftflow.model.operations import AlterObject, LockTable, Operation, Select, SetSetting, TransactionControl
from driftflow.model.record import replace

_Action = Literal["begin", "commit", "rollback", "savepoint", "release", "rollback_to", "prepare"]
TRANSACTION_WORDS = frozenset({"BEGIN", "START", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "XA"})
_LOCK_WORDS = ("LOW_PRIORITY", "READ", "WRITE", "LOCAL", "CONCURRENT")
_SCOPES = frozenset({"SESSION", "LOCAL", "GLOBAL", "PERSIST", "PERSIST_ONLY"})


def transaction(cursor: Cursor) -> TransactionControl:
    action = _action(cursor)
    return TransactionControl(action=action, sql=normal(cursor.tokens))


def _action(cursor: Cursor) -> _Action:
    word = cursor.take().key
    match word:
        case "XA":
            verb = cursor.take().key
            cursor.rest()
            match verb:
                case "START" | "BEGIN":
                    return "begin"
                case "PREPARE":
                    return "prepare"
                case "COMMIT":
                    return "commit"
                case "ROLLBACK":
                    return "rollback"
                case _:
                    raise Unread(f"XA {verb}")
        case "BEGIN":
            if cursor.at("NOT", "ATOMIC"):
                raise Unread("a compound statement outside a routine")
            cursor.accept("WORK")
            return "begin"
        case "START":
            cursor.expect("TRANSACTION")
            cursor.rest()
            return "begin"
        case "SAVEPOINT":
            cursor.name()
            return "savepoint"
        case "RELEASE":
            cursor.expect("SAVEPOINT")
            cursor.name()
            return "release"
        case "ROLLBACK":
            cursor.accept("WORK")
            if cursor.accept("TO"):
                cursor.accept("SAVEPOINT")
                cursor.name()
                return "rollback_to"
            _chain(cursor)
            return "rollback"
        case _:
            cursor.accept("WORK")
            _chain(cursor)
            return "commit"


def _chain(cursor: Cursor) -> None:
    """[AND [NO] CHAIN] [[NO] RELEASE]"""
    if cursor.accept("AND"):
        cursor.accept("NO")
        cursor.expect("CHAIN")
    cursor.accept("NO")
    cursor.accept("RELEASE")


def settings(cursor: Cursor) -> tuple[Operation, ...]:
    """Behind SET: variables, NAMES, TRANSACTION, ROLE, PASSWORD. One operation per variable; names in lower case."""
    if cursor.at("PASSWORD") or cursor.at("ROLE") or cursor.at("DEFAULT", "ROLE") or cursor.at("RESOURCE"):
        cursor.rest()
        return (AlterObject(kind="role", action="set", sql=cursor.sql),)
    if cursor.accept("NAMES") or cursor.accept("CHARACTER", "SET") or cursor.accept("CHARSET"):
        value = cursor.word()
        cursor.rest()
        return (SetSetting(name="names", value=value.lower(), sql=cursor.sql),)
    if cursor.at("STATEMENT"):
        raise Unread("SET STATEMENT ... FOR is MariaDB's")
    found: list[Operation] = []
    scope = ""
    while True:
        scope = cursor.accept_any(_SCOPES) or scope
        if cursor.accept("TRANSACTION"):
            value = normal(cursor.until(","))
            found.append(SetSetting(name="transaction", value=value, sql=cursor.sql))
        else:
            found.append(_variable(cursor, scope))
        if not cursor.accept(","):
            return tuple(found)


def statement_settings(cursor: Cursor) -> list[SetSetting]:
    """Behind SET STATEMENT: name = value, ... up to FOR; `sql` is each pair."""
    found = []
    while True:
        name = cursor.name().lower()
        cursor.expect("=")
        tokens = cursor.until(",", "FOR")
        value = None if [one.key for one in tokens] == ["DEFAULT"] else _value(tokens)
        found.append(SetSetting(name=name, value=value, sql=f"{name}={normal(tokens)}"))
        if not cursor.accept(","):
            return found


def handler(cursor: Cursor) -> Select:
    """HANDLER table OPEN [[AS] alias] | alias READ ... | CLOSE: rows read behind the optimizer's back. Only OPEN names the table."""
    cursor.expect("HANDLER")
    table = cursor.qualified()
    opens = cursor.at("OPEN")
    cursor.rest()
    return Select(sql=cursor.sql, reads=(table,) if opens else ())


def _variable(cursor: Cursor, scope: str) -> SetSetting:
    token = cursor.take()
    name = token.text.lower()
    if token.kind == "variable":
        named = name.lstrip("@")
        for word in _SCOPES:
            if name.startswith("@@") and named.startswith(f"{word.lower()}."):
                scope, named = word, named[len(word) + 1 :]
        name = named if name.startswith("@@") else f"@{named}"
    else:
        while cursor.accept("."):
            name = f"{name}.{cursor.name().lower()}"
    if not cursor.accept_any(("=", ":=")):
        raise Unread(f"`=` was expected {cursor.here()}")
    tokens = cursor.until(",")
    value = None if [one.key for one in tokens] == ["DEFAULT"] else _value(tokens)
    return SetSetting(
        name=f"global.{name}" if scope in {"GLOBAL", "PERSIST", "PERSIST_ONLY"} else name, value=value, sql=cursor.sql
    )


def _value(tokens: Sequence[Token]) -> str:
    if len(tokens) == 1 and tokens[0].kind == "string":
        return string_of(tokens[0])
    if len(tokens) == 1 and tokens[0].kind == "word":
        return tokens[0].text.lower()
    return expression_of(tokens)


def use(cursor: Cursor) -> SetSetting:
    """Behind USE: the database that unqualified names mean from here on."""
    return SetSetting(name="search_path", value=cursor.name(), sql=cursor.sql)


def lock_tables(cursor: Cursor) -> tuple[Operation, ...]:
    """Behind LOCK: TABLES name [[AS] alias] READ [LOCAL] | [LOW_PRIORITY] WRITE, ..."""
    if not cursor.accept_any(("TABLES", "TABLE")):
        cursor.rest()
        return (AlterObject(kind="instance", action="lock", sql=cursor.sql),)
    found: list[LockTable] = []
    while True:
        table = cursor.qualified()
        named = cursor.accept("AS") or (cursor.is_name() and cursor.peek().key not in _LOCK_WORDS)
        alias = cursor.name() if named else ""
        words = [word for word in _LOCK_WORDS if cursor.accept(word)]
        mode = " ".join(words)
        if mode not in {"READ", "READ LOCAL", "WRITE", "LOW_PRIORITY WRITE", "WRITE CONCURRENT"}:
            raise Unread(f"READ or WRITE was expected {cursor.here()}")
        found.append(LockTable(tables=(table,), mode=mode, alias=alias))
        if not cursor.accept(","):
            break
    seconds = wait_seconds(cursor)
    return tuple(replace(one, wait_seconds=seconds) for one in found)
