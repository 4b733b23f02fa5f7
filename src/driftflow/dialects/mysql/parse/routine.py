"""CREATE TRIGGER, PROCEDURE, FUNCTION, EVENT and VIEW, with the relations that their bodies name."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, cast

from driftflow.dialects.mysql.keywords import quote
from driftflow.dialects.mysql.normal import normal
from driftflow.dialects.mysql.parse.cursor import Cursor, Unread
from driftflow.dialects.mysql.parse.data import OPENS_DATA, statement_relations
from driftflow.dialects.relations import relations_read
from driftflow.model.catalog import Routine, Trigger, View
from driftflow.model.names import Name
from driftflow.model.operations import AlterObject, CreateFunction, CreateTrigger, CreateView, Operation

_ROWS = frozenset({"old", "new"})
_CHARACTERISTICS = frozenset({"DETERMINISTIC", "COMMENT", "LANGUAGE", "SQL", "CONTAINS", "NO", "READS", "MODIFIES", "NOT"})


class Head(NamedTuple):
    """What stands between CREATE and the kind of object."""

    algorithm: Literal["", "UNDEFINED", "MERGE", "TEMPTABLE"] = ""
    definer: str = ""
    security: Literal["", "DEFINER", "INVOKER"] = ""


def read_head(cursor: Cursor) -> Head:
    """[ALGORITHM = ...] [DEFINER = ...] [SQL SECURITY ...]"""
    head = Head()
    while True:
        if cursor.accept("ALGORITHM"):
            cursor.expect("=")
            head = head._replace(algorithm=cast(Any, cursor.accept_any(("UNDEFINED", "MERGE", "TEMPTABLE"))))
        elif cursor.accept("SQL", "SECURITY"):
            head = head._replace(security=cast(Any, cursor.accept_any(("DEFINER", "INVOKER"))))
        elif cursor.accept("DEFINER"):
            cursor.expect("=")
            head = head._replace(definer=_user(cursor))
        else:
            return head


def _user(cursor: Cursor) -> str:
    """A user with or without a host, CURRENT_USER or CURRENT_ROLE, as written."""
    start = cursor.index
    cursor.take()
    while cursor.peek().kind == "variable" or cursor.at("(", ")"):
        cursor.take()
        cursor.accept(")")
    return "".join(token.text for token in cursor.tokens[start : cursor.index])


def create_view(cursor: Cursor, head: Head, *, or_replace: bool) -> CreateView:
    """Behind CREATE [OR REPLACE] [ALGORITHM = ...] [DEFINER = ...] [SQL SECURITY ...] VIEW."""
    if_not_exists = cursor.accept("IF", "NOT", "EXISTS")
    name = cursor.qualified()
    columns = cursor.name_list() if cursor.at("(") else ()
    cursor.expect("AS")
    query = list(cursor.rest())
    check = ""
    keys = [one.key for one in query]
    if keys[-2:] == ["CHECK", "OPTION"]:
        cut = len(keys) - 1 - keys[::-1].index("WITH")
        check = "LOCAL" if "LOCAL" in keys[cut:] else "CASCADED"
        query = query[:cut]
    depends_on = relations_read(cursor.over(query))
    view = View(name=name, definition=normal(query), columns=columns, depends_on=depends_on)
    return CreateView(
        view=view,
        or_replace=or_replace,
        if_not_exists=if_not_exists,
        check_option=check,
        algorithm=head.algorithm,
        definer=head.definer,
        security=head.security,
    )


def create_trigger(cursor: Cursor, head: Head, *, or_replace: bool) -> CreateTrigger:
    """Behind CREATE [OR REPLACE] [DEFINER = ...] TRIGGER."""
    if_not_exists = cursor.accept("IF", "NOT", "EXISTS")
    name = cursor.qualified()
    timing: Literal["BEFORE", "AFTER"] = "AFTER" if cursor.accept("AFTER") else "BEFORE"
    if timing == "BEFORE":
        cursor.expect("BEFORE")
    event = cursor.accept_any(("INSERT", "UPDATE", "DELETE"))
    if not event:
        raise Unread(f"INSERT, UPDATE or DELETE was expected {cursor.here()}")
    cursor.expect("ON")
    table = cursor.qualified()
    cursor.expect("FOR", "EACH", "ROW")
    order = ""
    if word := cursor.accept_any(("FOLLOWS", "PRECEDES")):
        order = f" {word} {quote(cursor.name())}"
    start = cursor.index
    touches = _touches(cursor)
    body = normal(cursor.tokens[start:])
    cursor.rest()
    trigger = Trigger(
        name=name.name,
        table=table if table.schema or not name.schema else Name(schema=name.schema, name=table.name),
        definition=f"{timing} {event}{order} {body}",
        timing=timing,
        events=(event,),
    )
    return CreateTrigger(
        trigger=trigger, or_replace=or_replace, if_not_exists=if_not_exists, touches=touches, definer=head.definer
    )


def body_relations(cursor: Cursor) -> tuple[Name, ...]:
    """What the rest of the statement, a compound one, writes and reads."""
    found = _touches(cursor)
    cursor.rest()
    return found


def _touches(cursor: Cursor) -> tuple[Name, ...]:
    """The relations that the statements of a body write and read. A statement that is not read says nothing: the body is shown whole."""
    found: dict[str, Name] = {}
    tokens = cursor.tokens[cursor.index :]
    starts = [0, *(at + 1 for at, one in enumerate(tokens) if one.key in {";", "BEGIN", "THEN", "ELSE", "DO"})]
    reached = 0
    for at in starts:
        if reached <= at < len(tokens) and tokens[at].key in OPENS_DATA - {"("}:
            reached = next((end for end in range(at, len(tokens)) if tokens[end].key == ";"), len(tokens))
            try:
                names = statement_relations(cursor.over(tokens[at:reached]))
            except Unread:
                continue
            for name in names:
                found.setdefault(name.text.lower(), name)
    return tuple(name for key, name in found.items() if key not in _ROWS)


def create_routine(cursor: Cursor, head: Head, kind: Literal["procedure", "function"], *, or_replace: bool) -> CreateFunction:
    """Behind CREATE [OR REPLACE] [DEFINER = ...] PROCEDURE | FUNCTION."""
    if_not_exists = cursor.accept("IF", "NOT", "EXISTS")
    name = cursor.qualified()
    arguments = normal(cursor.parenthesised())
    returns = ""
    if kind == "function" and cursor.accept("RETURNS"):
        if cursor.peek(1).key == "SONAME":
            raise Unread("a loadable function")
        start = cursor.index
        cursor.take()
        if cursor.at("("):
            cursor.parenthesised()
        while cursor.peek().key in {"UNSIGNED", "CHARACTER", "CHARSET", "SET", "COLLATE"} or (
            cursor.peek(-1).key in {"SET", "CHARSET", "COLLATE"}
        ):
            cursor.take()
        returns = normal(cursor.tokens[start : cursor.index])
    start = cursor.index
    definer_rights, volatile = True, True
    while cursor.peek().key in _CHARACTERISTICS:
        if cursor.accept("SQL", "SECURITY"):
            definer_rights = cursor.take().key == "DEFINER"
        elif cursor.accept("COMMENT"):
            cursor.string()
        elif cursor.accept("NOT", "DETERMINISTIC"):
            volatile = True
        elif cursor.accept("DETERMINISTIC"):
            volatile = False
        else:
            cursor.take()
            while cursor.peek().key in {"SQL", "DATA"} and not cursor.at("SQL", "SECURITY"):
                cursor.take()
    depends_on = _touches(cursor)
    definition = normal(cursor.tokens[start:])
    cursor.rest()
    routine = Routine(
        name=name,
        arguments=arguments,
        kind=kind,
        volatility="volatile" if volatile else "immutable",
        language="sql",
        returns=returns,
        definition=definition,
        security_definer=definer_rights,
        depends_on=depends_on,
    )
    return CreateFunction(routine=routine, or_replace=or_replace, if_not_exists=if_not_exists, definer=head.definer)


def create_event(cursor: Cursor) -> Operation:
    """Behind CREATE [DEFINER = ...] EVENT: a statement that the server runs by the clock."""
    cursor.accept("IF", "NOT", "EXISTS")
    name = cursor.qualified()
    cursor.until("DO")
    relations = _touches(cursor)
    cursor.rest()
    return AlterObject(kind="event", action="create", name=name, sql=cursor.sql, relations=relations)
