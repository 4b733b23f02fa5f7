"""CREATE TRIGGER: its head, and the relations that its body touches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from driftflow.dialects.relations import relations_read
from driftflow.dialects.sqlite.keywords import quote
from driftflow.dialects.sqlite.normal import normal
from driftflow.dialects.sqlite.parse.cursor import Cursor, Unread, expression_of
from driftflow.dialects.sqlite.parse.data import statement_relations
from driftflow.dialects.sqlite.tokens import Token
from driftflow.model.catalog import Trigger
from driftflow.model.names import Name
from driftflow.model.operations import CreateTrigger

Timing = Literal["BEFORE", "AFTER", "INSTEAD OF"]
_ROWS = frozenset({"old", "new"})


def create_trigger(cursor: Cursor, *, temporary: bool) -> CreateTrigger:
    """Behind CREATE [TEMP] TRIGGER."""
    if_not_exists = cursor.accept("IF", "NOT", "EXISTS")
    name = cursor.qualified()
    temporary = temporary or name.schema.lower() == "temp"
    # SQLite takes a missing time for BEFORE.
    timing: Timing = "BEFORE"
    if cursor.accept("AFTER"):
        timing = "AFTER"
    elif cursor.accept("INSTEAD", "OF"):
        timing = "INSTEAD OF"
    else:
        cursor.accept("BEFORE")
    event, update_columns = _event(cursor)
    cursor.expect("ON")
    table = cursor.qualified()
    cursor.accept("FOR", "EACH", "ROW")
    when = cursor.until("BEGIN") if cursor.accept("WHEN") else ()
    cursor.expect("BEGIN")
    body = _statements(cursor)
    cursor.finish()
    trigger = Trigger(
        name=name.name,
        table=table if table.schema or not name.schema else Name(schema=name.schema, name=table.name),
        definition=_definition(name.name, temporary, timing, event, update_columns, table, when, body),
        timing=timing,
        events=(event,),
        update_columns=update_columns,
    )
    return CreateTrigger(trigger=trigger, if_not_exists=if_not_exists, touches=_touches(body, when, cursor.sql))


def _event(cursor: Cursor) -> tuple[str, tuple[str, ...]]:
    event = cursor.accept_any(("INSERT", "UPDATE", "DELETE"))
    if not event:
        raise Unread(f"INSERT, UPDATE or DELETE was expected {cursor.here()}")
    columns: list[str] = []
    if event == "UPDATE" and cursor.accept("OF"):
        columns.append(cursor.name())
        while cursor.accept(","):
            columns.append(cursor.name())
    return event, tuple(columns)


def _statements(cursor: Cursor) -> list[Sequence[Token]]:
    body: list[Sequence[Token]] = []
    while not cursor.accept("END"):
        statement = cursor.until(";")
        cursor.expect(";")
        body.append(statement)
    if not body:
        raise Unread("a trigger without a statement")
    return body


def _definition(
    name: str,
    temporary: bool,
    timing: Timing,
    event: str,
    update_columns: tuple[str, ...],
    table: Name,
    when: Sequence[Token],
    body: list[Sequence[Token]],
) -> str:
    of = f" OF {', '.join(quote(column) for column in update_columns)}" if update_columns else ""
    condition = f" WHEN {expression_of(when)}" if when else ""
    statements = " ".join(f"{normal(statement)};" for statement in body)
    opening = "CREATE TEMP TRIGGER" if temporary else "CREATE TRIGGER"
    return f"{opening} {quote(name)} {timing} {event}{of} ON {quote(table.name)} FOR EACH ROW{condition} BEGIN {statements} END"


def _touches(body: list[Sequence[Token]], when: Sequence[Token], sql: str) -> tuple[Name, ...]:
    found: dict[str, Name] = {}
    for name in relations_read(Cursor(when, sql)):
        found.setdefault(name.text.lower(), name)
    for statement in body:
        for name in statement_relations(statement, sql):
            found.setdefault(name.text.lower(), name)
    return tuple(name for key, name in found.items() if key not in _ROWS)
