"""Constraints of a table, as CREATE TABLE and ALTER TABLE write them behind the columns; and the parts that column constraints share."""

from __future__ import annotations

from collections.abc import Collection

from driftflow.dialects.sqlite.parse.cursor import Cursor, Unread, expression_of
from driftflow.model.catalog import Action, Check, Constraint, ForeignKey, IndexPart, PrimaryKey, Unique
from driftflow.model.names import Name

CONFLICT_ACTIONS = frozenset({"ROLLBACK", "ABORT", "FAIL", "IGNORE", "REPLACE"})
OPENS_TABLE_CONSTRAINT = frozenset({"CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"})


def table_constraint(cursor: Cursor, columns: Collection[str] | None) -> tuple[Constraint | None, str]:
    """[CONSTRAINT name] and what it names. The second value is the column that PRIMARY KEY (id AUTOINCREMENT) marks.

    None for a bare CONSTRAINT name, which SQLite accepts and forgets.
    """
    name = cursor.name() if cursor.accept("CONSTRAINT") else ""
    if cursor.accept("PRIMARY", "KEY"):
        parts, autoincrement = _key_parts(cursor, columns)
        names = tuple(part.column for part in parts)
        key = PrimaryKey(name=name, columns=names, parts=_kept(parts), on_conflict=on_conflict(cursor))
        return key, names[0] if autoincrement else ""
    if cursor.accept("UNIQUE"):
        parts, _ = _key_parts(cursor, columns)
        names = tuple(part.column for part in parts)
        return Unique(name=name, columns=names, parts=_kept(parts), on_conflict=on_conflict(cursor)), ""
    if cursor.accept("CHECK"):
        expression = expression_of(cursor.parenthesised(), columns)
        return Check(name=name, expression=expression, on_conflict=on_conflict(cursor)), ""
    if cursor.accept("FOREIGN", "KEY"):
        return references(cursor, name=name, columns=cursor.name_list()), ""
    if name and (cursor.done or cursor.at(",") or cursor.at(")") or cursor.peek().key in OPENS_TABLE_CONSTRAINT):
        return None, ""
    raise Unread(f"a constraint was expected {cursor.here()}")


def references(cursor: Cursor, *, name: str, columns: tuple[str, ...]) -> ForeignKey:
    """REFERENCES table [(columns)] [ON ... | MATCH ...]* [[NOT] DEFERRABLE ...]"""
    cursor.expect("REFERENCES")
    referenced = Name(name=cursor.name())
    referenced_columns = cursor.name_list() if cursor.at("(") else ()
    on_delete: Action = "NO ACTION"
    on_update: Action = "NO ACTION"
    match = ""
    while True:
        if cursor.accept("ON", "DELETE"):
            on_delete = _action(cursor)
        elif cursor.accept("ON", "UPDATE"):
            on_update = _action(cursor)
        elif cursor.accept("MATCH"):
            match = cursor.name().upper()
        else:
            break
    deferrable, deferred = deferral(cursor) or (False, False)
    return ForeignKey(
        name=name,
        columns=columns,
        referenced=referenced,
        referenced_columns=referenced_columns,
        on_delete=on_delete,
        on_update=on_update,
        match=match,
        deferrable=deferrable,
        initially_deferred=deferred,
    )


def deferral(cursor: Cursor) -> tuple[bool, bool] | None:
    """[NOT] DEFERRABLE [INITIALLY DEFERRED | IMMEDIATE] as (deferrable, initially deferred); None when nothing is said."""
    negated = cursor.at("NOT", "DEFERRABLE")
    if not negated and not cursor.at("DEFERRABLE"):
        return None
    cursor.accept("NOT")
    cursor.expect("DEFERRABLE")
    deferred = False
    if cursor.accept("INITIALLY") and not (deferred := cursor.accept("DEFERRED")):
        cursor.expect("IMMEDIATE")
    return (False, False) if negated else (True, deferred)


def on_conflict(cursor: Cursor) -> str:
    """[ON CONFLICT action]; the default, ABORT, is said by silence."""
    if not cursor.accept("ON", "CONFLICT"):
        return ""
    action = cursor.accept_any(CONFLICT_ACTIONS)
    if not action:
        raise Unread(f"a conflict action was expected {cursor.here()}")
    return "" if action == "ABORT" else action


def _action(cursor: Cursor) -> Action:
    if cursor.accept("SET", "NULL"):
        return "SET NULL"
    if cursor.accept("SET", "DEFAULT"):
        return "SET DEFAULT"
    if cursor.accept("CASCADE"):
        return "CASCADE"
    if cursor.accept("RESTRICT"):
        return "RESTRICT"
    cursor.expect("NO", "ACTION")
    return "NO ACTION"


def _key_parts(cursor: Cursor, columns: Collection[str] | None) -> tuple[tuple[IndexPart, ...], bool]:
    cursor.expect("(")
    parts = [index_part(cursor, columns)]
    autoincrement = cursor.accept("AUTOINCREMENT")
    while cursor.accept(","):
        parts.append(index_part(cursor, columns))
    cursor.expect(")")
    if any(part.expression for part in parts):
        raise Unread("a key over an expression")
    return tuple(parts), autoincrement


def index_part(cursor: Cursor, columns: Collection[str] | None) -> IndexPart:
    """column or expression, [COLLATE name], [ASC | DESC]"""
    tokens = list(cursor.until(",", "AUTOINCREMENT"))
    descending = False
    if len(tokens) > 1 and tokens[-1].key in {"ASC", "DESC"}:
        descending = tokens.pop().key == "DESC"
    collation = ""
    if len(tokens) > 2 and tokens[-2].key == "COLLATE":
        inner = Cursor(tokens[-1:], cursor.sql)
        collation = inner.name()
        del tokens[-2:]
    column = Cursor(tokens, cursor.sql)
    if len(tokens) == 1 and column.is_name():
        return IndexPart(column=column.name(), descending=descending, collation=collation)
    return IndexPart(expression=expression_of(tokens, columns), descending=descending, collation=collation)


def _kept(parts: tuple[IndexPart, ...]) -> tuple[IndexPart, ...]:
    return parts if any(part.descending or part.collation for part in parts) else ()
