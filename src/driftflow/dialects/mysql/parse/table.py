"""CREATE TABLE in its forms: with columns and keys, LIKE another table, and from a query."""

from __future__ import annotations

from typing import Literal, cast

from driftflow.dialects.mysql.normal import normal
from driftflow.dialects.mysql.parse.column import Draft, column_definition
from driftflow.dialects.mysql.parse.constraint import OPENS_KEY, PRIMARY, Key, key_definition
from driftflow.dialects.mysql.parse.cursor import Cursor, Unread
from driftflow.dialects.mysql.parse.option import Option, table_option
from driftflow.dialects.mysql.parse.partition import partition_by
from driftflow.dialects.relations import relations_read
from driftflow.model.catalog import Constraint, Index, IndexPart, Partitioning, PrimaryKey, Table
from driftflow.model.names import Name
from driftflow.model.operations import CreateTable, CreateTableAs, DropTable, Operation
from driftflow.model.operations.table import VERSIONED
from driftflow.model.record import replace

_OPENS_QUERY = frozenset({"AS", "SELECT", "WITH", "VALUES", "TABLE", "IGNORE", "REPLACE"})


def create_table(cursor: Cursor, *, temporary: bool, or_replace: bool) -> tuple[Operation, ...]:
    """Behind CREATE [OR REPLACE] [TEMPORARY] TABLE. OR REPLACE (MariaDB) is a pair: a DropTable says what is lost, and the renderer puts the two
    together again."""
    if_not_exists = cursor.accept("IF", "NOT", "EXISTS")
    name = cursor.qualified()
    before: tuple[Operation, ...] = (DropTable(name=name, if_exists=True),) if or_replace else ()
    source = _like(cursor)
    if source is not None:
        table = Table(name=name, kind="temporary" if temporary else "table")
        return (*before, CreateTable(table=table, if_not_exists=if_not_exists, like=((source, ()),), or_replace=or_replace))
    drafts: list[Draft] = []
    keys: list[Key] = []
    start = cursor.index
    if cursor.at("(") and cursor.peek(1).key not in {"SELECT", "WITH"}:
        drafts, keys = _body(cursor.inside(), name)
    body = normal(cursor.tokens[start : cursor.index])
    options, partitioning, partitions = _behind(cursor)
    if not cursor.done:
        made = _from_query(cursor, name, drafts, options, if_not_exists=if_not_exists, temporary=temporary)
        return (*before, replace(made, body=body, or_replace=or_replace))
    if not drafts:
        raise Unread("a table without columns")
    table = assembled(name, drafts, keys, options, temporary=temporary)
    if partitioning is not None:
        table = replace(table, partitioning=replace(partitioning, definition=partitions))
    return (*before, CreateTable(table=table, if_not_exists=if_not_exists, or_replace=or_replace))


def _like(cursor: Cursor) -> Name | None:
    if cursor.accept("LIKE"):
        return cursor.qualified()
    if cursor.at("(", "LIKE"):
        inside = cursor.inside()
        inside.expect("LIKE")
        source = inside.qualified()
        inside.finish()
        return source
    return None


def _body(body: Cursor, table: Name) -> tuple[list[Draft], list[Key]]:
    drafts: list[Draft] = []
    keys: list[Key] = []
    while True:
        if body.peek().key in OPENS_KEY and body.peek().kind == "word":
            keys.append(key_definition(body, table))
        elif body.at("PERIOD", "FOR"):
            raise Unread("a period of time")
        else:
            drafts.append(column_definition(body))
        if not body.accept(","):
            break
    body.finish()
    return drafts, keys


def _behind(cursor: Cursor) -> tuple[list[Option], Partitioning | None, str]:
    """The options, and PARTITION BY."""
    options: list[Option] = []
    while (option := table_option(cursor)) is not None:
        options.append(option)
        cursor.accept(",")
    if cursor.mariadb and cursor.accept("WITH", "SYSTEM", "VERSIONING"):
        options.append(Option(VERSIONED, ""))
    partitioning, text = partition_by(cursor) if cursor.at("PARTITION", "BY") else (None, "")
    return options, partitioning, text


def _from_query(
    cursor: Cursor, name: Name, drafts: list[Draft], options: list[Option], *, if_not_exists: bool, temporary: bool
) -> CreateTableAs:
    duplicates = cast(Literal["", "IGNORE", "REPLACE"], cursor.accept_any(("IGNORE", "REPLACE")))
    cursor.accept("AS")
    if cursor.peek().key not in _OPENS_QUERY and not cursor.at("("):
        raise Unread(f"nothing is known about what begins {cursor.here()}")
    query = cursor.rest()
    return CreateTableAs(
        name=name,
        query=normal(query),
        reads=relations_read(cursor.over(query)),
        if_not_exists=if_not_exists,
        temporary=temporary,
        columns=tuple(draft.name for draft in drafts),
        options=tuple(sorted(option.text for option in options)),
        duplicates=duplicates,
    )


def assembled(name: Name, drafts: list[Draft], keys: list[Key], options: list[Option], *, temporary: bool) -> Table:
    """The table of columns and keys, those written behind a column among them."""
    constraints: list[Constraint] = []
    indexes: list[Index] = []
    for draft in drafts:
        if draft.primary:
            constraints.append(PrimaryKey(name=PRIMARY, columns=(draft.name,)))
        if draft.unique:
            indexes.append(unique_of(draft.name, name))
        constraints.extend(draft.constraints)
    for key in keys:
        if isinstance(key, Index):
            indexes.append(key)
        else:
            constraints.append(key)
    primary = next((one for one in constraints if isinstance(one, PrimaryKey)), None)
    for draft in drafts:
        if primary is not None and draft.name in primary.columns:
            draft.nullable = False
    comment = next((option.value for option in options if option.name == "COMMENT"), "")
    return Table(
        name=name,
        columns=tuple(draft.column() for draft in drafts),
        constraints=tuple(constraints),
        indexes=tuple(indexes),
        options=tuple(sorted(option.text for option in options if option.name != "COMMENT")),
        comment=comment,
        kind="temporary" if temporary else "table",
    )


def unique_of(column: str, table: Name) -> Index:
    """The index that UNIQUE behind a column makes; its name is the server's to choose."""
    return Index(name=Name(schema=table.schema, name=""), table=table, parts=(IndexPart(column=column),), unique=True)
