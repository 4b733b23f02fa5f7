"""What MySQL locks together with a table between LOCK TABLES and UNLOCK TABLES: what foreign keys and triggers tie to it.

Named in one statement all of it is locked in one go; what is left out is waited for while the table is held, by whoever has written one and now comes
to it. Measured on 9.7: what a key points at and what points there by one that refuses is locked for reading, what a key changes and what a trigger
names for writing, and so on from those.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from driftflow.dialects.cursor import Unread
from driftflow.dialects.mysql.effects.partners import CASCADING
from driftflow.dialects.mysql.effects.prediction import SHARED_NO_READ_WRITE, SHARED_READ_ONLY
from driftflow.dialects.mysql.parse.cursor import Cursor
from driftflow.dialects.mysql.parse.routine import body_relations
from driftflow.dialects.mysql.render import quote_name
from driftflow.dialects.mysql.tokens import TokenFault, tokenize
from driftflow.dialects.relations import relations_read
from driftflow.dialects.tokens import END, Token
from driftflow.model.catalog import Catalog, Table, Trigger
from driftflow.model.effects import LockClaim
from driftflow.model.names import Name

MOST = 20
"""Tables; more are hardly ever free at one moment."""
_NOT_LOCKED = frozenset({"information_schema", "performance_schema"})
_ROWS = frozenset({"old", "new"})


class _NotKnown(Exception):
    """Something is tied to the table that the catalog does not know, or a body is not read."""


def locked_with(tables: Sequence[Name], catalog: Catalog) -> tuple[LockClaim, ...]:
    """The tables and all that is locked with them, in the order of names. Nothing where that is not known, or too much."""
    if any(catalog.table(table) is None for table in tables):
        return ()
    try:
        found = _tied(tables, catalog)
    except (_NotKnown, TokenFault, Unread):
        return ()
    return tuple(_claim(name, why) for name, why in sorted(found.items())) if len(found) <= MOST else ()


def lock_tables(claims: Sequence[LockClaim]) -> str:
    """The statement that takes them."""
    listed = (f"{quote_name(one.relation)} {'WRITE' if 'reads' in one.blocks else 'READ'}" for one in claims)
    return f"LOCK TABLES {', '.join(listed)}"


def _claim(name: Name, why: tuple[bool, str]) -> LockClaim:
    written, said = why
    if written:
        return LockClaim(relation=name, mode=SHARED_NO_READ_WRITE, blocks=("reads", "writes", "ddl"), why=said)
    return LockClaim(relation=name, mode=SHARED_READ_ONLY, blocks=("writes", "ddl"), why=said)


def _tied(tables: Sequence[Name], catalog: Catalog) -> dict[Name, tuple[bool, str]]:
    """By name: whether it is locked for writing, and why."""
    found = dict.fromkeys(tables, (True, ""))
    waiting = list(tables)
    while waiting and len(found) <= MOST:
        name = waiting.pop()
        holder = catalog.table(name)
        for other, written, why in _next(holder, catalog) if holder is not None else ():
            if catalog.table(other) is None and other.text not in catalog.views:
                continue  # it is gone, and who writes the table meets an error
            if other not in found or (written and not found[other][0]):
                found[other] = (written, why)
                waiting += [other] if written else []
    return found


def _next(table: Table, catalog: Catalog) -> Iterator[tuple[Name, bool, str]]:
    for key in table.foreign_keys:
        _known(key.referenced, catalog)
        yield key.referenced, False, f"referenced by {table.name.name} ({key.name})"
    for child, key in catalog.referencing(table.name):
        changes = bool(CASCADING & {key.on_delete, key.on_update})
        yield child.name, changes, f"references {table.name.name} ({key.name})"
    for trigger in table.triggers:
        for name, written in _named_by(trigger, table.name.schema, catalog):
            yield name, written, f"named by the trigger {trigger.name} of {table.name.name}"


def _known(name: Name, catalog: Catalog) -> None:
    """A catalog is of one database: of what lies in another nothing is known."""
    if name.schema and catalog.database and name.schema != catalog.database:
        raise _NotKnown


def _named_by(trigger: Trigger, schema: str, catalog: Catalog) -> Iterator[tuple[Name, bool]]:
    """The tables and views that the body names, and the tables of these views, with whether they may be written."""
    text = trigger.definition
    if trigger.kept is not None and "NO_BACKSLASH_ESCAPES" in (trigger.kept.sql_mode or ""):
        text = text.replace("\\", "\\\\")
    tokens, _ = tokenize(text)
    body = tokens[2:]
    if body and body[0].key in {"FOLLOWS", "PRECEDES"}:
        body = body[2:]
    _no_calls(body, catalog)
    waiting = list(_relations(body, text))
    seen: set[tuple[Name, bool]] = set()
    while waiting:
        one, written = waiting.pop()
        if one.schema.lower() in _NOT_LOCKED:
            continue
        name = one if one.schema else Name(schema=schema, name=one.name)
        _known(name, catalog)
        if (name, written) not in seen:
            seen.add((name, written))
            yield name, written
            view = catalog.views.get(name.text)
            waiting += [(below, written) for below in view.depends_on] if view is not None else []


def _relations(body: Sequence[Token], text: str) -> Iterator[tuple[Name, bool]]:
    """Of the statements; and what a condition or a SET reads, which stands in no statement of its own."""
    cursor = Cursor(list(body), text)
    yield from ((name, True) for name in body_relations(cursor))
    statement: list[Token] = []
    for token in (*body, END):
        if token is not END and token.key != ";":
            statement.append(token)
        else:
            yield from ((name, False) for name in relations_read(cursor.over(statement)) if name.name.lower() not in _ROWS)
            statement = []


def _no_calls(body: Sequence[Token], catalog: Catalog) -> None:
    """What a routine names is locked too, and what the routines name that it calls: these are not followed."""
    routines = {one.name.name.lower() for one in catalog.routines.values()}
    for at, token in enumerate(body):
        calls = at + 1 < len(body) and body[at + 1].key == "("
        if token.key == "CALL" or (calls and token.text.strip("`").lower() in routines):
            raise _NotKnown
        if calls and at > 1 and body[at - 1].key == ".":
            _known(Name(schema=body[at - 2].text.strip("`"), name=token.text), catalog)
