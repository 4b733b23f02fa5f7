"""Keys and constraints, as CREATE TABLE and ALTER TABLE write them behind the columns; and the parts that columns share."""

from __future__ import annotations

from driftflow.dialects.mysql.parse.cursor import Cursor, Unread, expression_of
from driftflow.model.catalog import Action, Check, ForeignKey, Index, IndexPart, PrimaryKey
from driftflow.model.names import Name
from driftflow.model.record import replace

OPENS_KEY = frozenset({"CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN", "INDEX", "KEY", "FULLTEXT", "SPATIAL"})
PRIMARY = "PRIMARY"

Key = PrimaryKey | Check | ForeignKey | Index


def key_definition(cursor: Cursor, table: Name) -> Key:
    """[CONSTRAINT [name]] and what it names. A unique key is an index."""
    constrained, name = cursor.accept("CONSTRAINT"), ""
    if constrained and cursor.peek().key not in OPENS_KEY:
        name = cursor.name()
    if cursor.accept("PRIMARY", "KEY"):
        return _primary(cursor)
    if cursor.accept("CHECK"):
        return Check(name=name, expression=expression_of(cursor.parenthesised()), enforced=enforced(cursor))
    if cursor.accept("FOREIGN", "KEY"):
        cursor.accept("IF", "NOT", "EXISTS")
        if cursor.is_name():
            given = cursor.name()  # the name of the index behind it: taken as the key's own where there is none
            name = name or given
        return references(cursor, name=name, columns=cursor.name_list())
    return index_definition(cursor, table, name=name)


def index_definition(cursor: Cursor, table: Name, *, name: str = "") -> Index:
    """[UNIQUE | FULLTEXT | SPATIAL] [INDEX | KEY] [name] [USING type] (part, ...) [option ...]"""
    unique = cursor.accept("UNIQUE")
    method = cursor.accept_any(("FULLTEXT", "SPATIAL")).lower()
    named = cursor.accept_any(("INDEX", "KEY"))
    if not (unique or method or named):
        raise Unread(f"a key was expected {cursor.here()}")
    cursor.accept("IF", "NOT", "EXISTS")
    if cursor.is_name() and not cursor.at("USING"):
        name = cursor.name()
    return index_body(cursor, table, name=name, unique=unique, method=method)


def index_body(cursor: Cursor, table: Name, *, name: str, unique: bool, method: str) -> Index:
    """[USING type] (part, ...) [option ...]"""
    if cursor.accept("USING"):
        method = method or _method(cursor)
    index = Index(name=Name(schema=table.schema, name=name), table=table, parts=key_parts(cursor), unique=unique, method=method)
    return index_options(cursor, index)


def key_parts(cursor: Cursor) -> tuple[IndexPart, ...]:
    """( column [(length)] [ASC | DESC] | (expression) [ASC | DESC], ... )"""
    inside = cursor.inside()
    parts = [_part(inside)]
    while inside.accept(","):
        parts.append(_part(inside))
    inside.finish()
    return tuple(parts)


def _part(cursor: Cursor) -> IndexPart:
    if cursor.at("("):
        part = IndexPart(expression=expression_of(cursor.parenthesised()))
    else:
        column = cursor.name()
        if cursor.at("WITHOUT", "OVERLAPS") or cursor.at("."):
            raise Unread("a key over a period of time")
        prefix = cursor.inside().integer() if cursor.at("(") else None
        part = IndexPart(column=column, prefix=prefix)
    descending = cursor.accept_any(("ASC", "DESC")) == "DESC"
    return replace(part, descending=descending)


def index_options(cursor: Cursor, index: Index) -> Index:
    options: list[str] = []
    while True:
        if cursor.accept("USING") or cursor.accept("TYPE"):
            index = replace(index, method=index.method or _method(cursor))
        elif cursor.accept("KEY_BLOCK_SIZE"):
            cursor.accept("=")
            options.append(f"KEY_BLOCK_SIZE={cursor.integer()}")
        elif cursor.accept("WITH", "PARSER"):
            options.append(f"PARSER={cursor.name()}")
        elif cursor.accept("COMMENT"):
            index = replace(index, comment=cursor.string())
        elif word := cursor.accept_any(("VISIBLE", "INVISIBLE", "IGNORED")):
            index = replace(index, visible=word == "VISIBLE")
        elif cursor.accept("NOT", "IGNORED"):
            index = replace(index, visible=True)
        elif cursor.accept_any(("ENGINE_ATTRIBUTE", "SECONDARY_ENGINE_ATTRIBUTE")):
            cursor.accept("=")
            cursor.string()
        elif cursor.accept("CLUSTERING"):
            raise Unread("a clustering key")
        else:
            return replace(index, options=tuple(sorted(options)))


def references(cursor: Cursor, *, name: str, columns: tuple[str, ...]) -> ForeignKey:
    """REFERENCES table [(columns)] [MATCH ...] [ON DELETE ...] [ON UPDATE ...]"""
    cursor.expect("REFERENCES")
    referenced = cursor.qualified()
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
            match = cursor.take().key
        else:
            break
    return ForeignKey(
        name=name,
        columns=columns,
        referenced=referenced,
        referenced_columns=referenced_columns,
        on_delete=on_delete,
        on_update=on_update,
        match=match,
    )


def enforced(cursor: Cursor) -> bool:
    """[NOT] ENFORCED"""
    if cursor.accept("NOT", "ENFORCED"):
        return False
    cursor.accept("ENFORCED")
    return True


def _primary(cursor: Cursor) -> PrimaryKey:
    if cursor.is_name() and not cursor.at("USING"):
        cursor.name()  # a name that the servers accept and forget
    method = _method(cursor) if cursor.accept("USING") else ""
    parts = key_parts(cursor)
    index = index_options(cursor, Index(name=Name(name=PRIMARY), table=Name(name=""), parts=parts, method=method))
    if any(part.expression for part in parts):
        raise Unread("a primary key over an expression")
    kept = parts if any(part.descending or part.prefix for part in parts) else ()
    return PrimaryKey(
        name=PRIMARY, columns=tuple(part.column for part in parts), parts=kept, comment=index.comment, method=index.method
    )


def _method(cursor: Cursor) -> str:
    word = cursor.accept_any(("BTREE", "HASH", "RTREE"))
    if not word:
        raise Unread(f"BTREE or HASH was expected {cursor.here()}")
    return word.lower()


def _action(cursor: Cursor) -> Action:
    if cursor.accept("SET", "NULL"):
        return "SET NULL"
    if cursor.accept("SET", "DEFAULT"):
        return "SET DEFAULT"
    if cursor.accept("CASCADE"):
        return "CASCADE"
    if cursor.accept("RESTRICT"):
        return "NO ACTION"  # the same to InnoDB
    cursor.expect("NO", "ACTION")
    return "NO ACTION"
