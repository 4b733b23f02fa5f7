"""Databases, users, rights, sequences, and what is dropped by kind and name."""

from __future__ import annotations

from driftflow.dialects.mysql.parse.cursor import Cursor, Unread
from driftflow.dialects.mysql.parse.option import table_option
from driftflow.dialects.mysql.parse.request import wait_seconds
from driftflow.model.catalog import Sequence, SequenceOptions
from driftflow.model.names import Name
from driftflow.model.operations import (
    AlterObject,
    AlterSequence,
    CreateSchema,
    CreateSequence,
    DropFunction,
    DropObject,
    DropSchema,
    DropSequence,
    DropTable,
    DropTrigger,
    DropView,
    Grant,
    Operation,
)
from driftflow.model.record import replace

_NAMED = frozenset({"SERVER", "TABLESPACE", "EVENT", "PACKAGE", "LOGFILE", "LIBRARY"})


def create_object(cursor: Cursor, *, or_replace: bool) -> tuple[Operation, ...]:
    """Behind CREATE [OR REPLACE]: a database, or an object without an operation of its own. A database is replaced by a DROP before it."""
    if cursor.accept_any(("DATABASE", "SCHEMA")):
        if_not_exists = cursor.accept("IF", "NOT", "EXISTS")
        name = cursor.name()
        options: list[str] = []
        while (option := table_option(cursor)) is not None:
            options.append(option.text)
        before = (DropSchema(name=name, if_exists=True, cascade=True),) if or_replace else ()
        return (*before, CreateSchema(name=name, if_not_exists=if_not_exists, or_replace=or_replace, options=tuple(options)))
    return (_other(cursor, "create"),)


def alter_object(cursor: Cursor) -> Operation:
    """Behind ALTER: everything but a table."""
    if cursor.accept("SEQUENCE"):
        if_exists = cursor.accept("IF", "EXISTS")
        name = cursor.qualified()
        restart, restarts, options = _sequence_options(cursor, alters=True)
        return AlterSequence(name=name, options=options, restart=restart, restarts=restarts, if_exists=if_exists)
    while cursor.at("ALGORITHM") or cursor.at("DEFINER") or cursor.at("SQL", "SECURITY"):
        cursor.until("VIEW", "EVENT", "ALGORITHM" if cursor.at("DEFINER") else "DEFINER")
    return _other(cursor, "alter")


def _other(cursor: Cursor, action: str) -> Operation:
    kind = cursor.take()
    if kind.kind != "word":
        raise Unread(f"nothing is {action}d that begins `{kind.text}`")
    name = None
    if kind.key in {"USER", "ROLE"}:
        cursor.rest()
        return AlterObject(kind="role", action=action, sql=cursor.sql)
    if kind.key in {"VIEW", "EVENT", "PROCEDURE", "FUNCTION", "DATABASE", "SCHEMA"} or kind.key in _NAMED:
        cursor.accept("IF", "EXISTS")
        cursor.accept("IF", "NOT", "EXISTS")
        name = cursor.qualified() if cursor.is_name() else None
    elif kind.key not in {"INSTANCE", "UNDO", "SPATIAL", "RESOURCE", "DEFINER"}:
        raise Unread(f"nothing is known about {action} {kind.text}")
    cursor.rest()
    relations = (name,) if name is not None and kind.key == "VIEW" else ()
    return AlterObject(kind=kind.key.lower(), action=action, name=name, sql=cursor.sql, relations=relations)


def drop(cursor: Cursor) -> tuple[Operation, ...]:
    """Behind DROP, everything but an index."""
    temporary = cursor.accept("TEMPORARY")
    kind = cursor.take().key
    if_exists = cursor.accept("IF", "EXISTS")
    match kind:
        case "TABLE" | "TABLES":
            names = _qualified_names(cursor)
            cursor.accept_any(("RESTRICT", "CASCADE"))
            seconds = wait_seconds(cursor)
            if temporary:
                return tuple(DropObject(kind="temporary_table", name=name, sql=cursor.sql, if_exists=if_exists) for name in names)
            return tuple(DropTable(name=name, if_exists=if_exists, wait_seconds=seconds) for name in names)
        case "VIEW":
            names = _qualified_names(cursor)
            cursor.accept_any(("RESTRICT", "CASCADE"))
            return tuple(DropView(name=name, if_exists=if_exists) for name in names)
        case "SEQUENCE":
            if temporary:
                raise Unread("DROP TEMPORARY SEQUENCE")
            return tuple(DropSequence(name=name, if_exists=if_exists) for name in _qualified_names(cursor))
        case "TRIGGER":
            name = cursor.qualified()
            return (DropTrigger(name=name.name, schema=name.schema, if_exists=if_exists),)
        case "PROCEDURE" | "FUNCTION":
            return (DropFunction(name=cursor.qualified(), kind=kind.lower(), if_exists=if_exists),)
        case "DATABASE" | "SCHEMA":
            return (DropSchema(name=cursor.name(), if_exists=if_exists, cascade=True),)
        case "USER" | "ROLE":
            cursor.rest()
            return (DropObject(kind="role", sql=cursor.sql, if_exists=if_exists),)
        case _ if kind in _NAMED:
            name = cursor.qualified()
            cursor.rest()
            return (DropObject(kind=kind.lower(), name=name, sql=cursor.sql, if_exists=if_exists),)
        case _:
            raise Unread(f"nothing is dropped that begins `{kind}`")


def _qualified_names(cursor: Cursor) -> list[Name]:
    names = [cursor.qualified()]
    while cursor.accept(","):
        names.append(cursor.qualified())
    return names


def grant(cursor: Cursor) -> Grant:
    """GRANT and REVOKE, with the tables that they name."""
    revoke = cursor.take().key == "REVOKE"
    cursor.until("ON", "TO", "FROM")
    relations: tuple[Name, ...] = ()
    if cursor.accept("ON"):
        cursor.accept("TABLE")
        if cursor.is_name() and cursor.peek().key != "PROCEDURE" and not cursor.at("FUNCTION"):
            first = cursor.name()
            if not cursor.accept("."):
                relations = (Name(name=first),)
            elif cursor.is_name():
                relations = (Name(schema=first, name=cursor.name()),)
    cursor.rest()
    return Grant(sql=cursor.sql, revoke=revoke, relations=relations)


def sequence(cursor: Cursor, *, temporary: bool, or_replace: bool) -> Operation:
    """Behind CREATE SEQUENCE (MariaDB)."""
    if or_replace:
        raise Unread("CREATE OR REPLACE SEQUENCE")
    if_not_exists = cursor.accept("IF", "NOT", "EXISTS")
    name = cursor.qualified()
    _, _, options = _sequence_options(cursor, alters=False)
    return CreateSequence(sequence=Sequence(name=name, options=options), if_not_exists=if_not_exists, temporary=temporary)


def _sequence_options(cursor: Cursor, *, alters: bool) -> tuple[int | None, bool, SequenceOptions]:
    options = SequenceOptions()
    restart, restarts = None, False
    while not cursor.done:
        word = cursor.take().key
        cursor.accept_any(("WITH", "BY", "="))
        match word:
            case "START":
                options = replace(options, start=_signed(cursor))
            case "INCREMENT":
                options = replace(options, increment=_signed(cursor))
            case "MINVALUE":
                options = replace(options, minimum=_signed(cursor))
            case "MAXVALUE":
                options = replace(options, maximum=_signed(cursor))
            case "CACHE":
                options = replace(options, cache=_signed(cursor))
            case "RESTART":
                restarts = True
                restart = _signed(cursor) if cursor.peek().kind == "number" or cursor.at("-") else None
            case "CYCLE":
                options = replace(options, cycle=True)
            case "NOCYCLE":
                options = replace(options, cycle=False)
            case "NO" if cursor.accept("CYCLE"):
                options = replace(options, cycle=False)
            case "NO" if cursor.accept("CACHE"):
                options = replace(options, cache=0)
            case "NO" if not alters and cursor.accept_any(("MINVALUE", "MAXVALUE")):
                pass
            case "NOCACHE":
                options = replace(options, cache=0)
            case "NOMINVALUE" | "NOMAXVALUE" if not alters:
                pass  # what it is without a word
            case _:
                cursor.index -= 1
                raise Unread(f"a sequence knows nothing that begins {cursor.here()}")
    return restart, restarts, options


def _signed(cursor: Cursor) -> int:
    sign = -1 if cursor.accept("-") else 1
    return sign * cursor.integer()
