"""ALTER TABLE, and CREATE and DROP INDEX, which are clauses of it: each clause an operation, in the order of the source."""

from __future__ import annotations

from typing import Literal

from driftflow.dialects.mysql.normal import normal
from driftflow.dialects.mysql.parse.column import Draft, column_definition, default_value
from driftflow.dialects.mysql.parse.constraint import OPENS_KEY, PRIMARY, enforced, index_body, index_options, key_definition
from driftflow.dialects.mysql.parse.cursor import Cursor, Unread
from driftflow.dialects.mysql.parse.option import Option, table_option
from driftflow.dialects.mysql.parse.partition import opens_partition_clause, partition_clause
from driftflow.dialects.mysql.parse.request import Request, wait_seconds
from driftflow.dialects.mysql.parse.table import unique_of
from driftflow.model.catalog import Index, PrimaryKey
from driftflow.model.names import Name
from driftflow.model.operations import (
    AddColumn,
    AddConstraint,
    AlterConstraint,
    AlterIndex,
    AlterTableOption,
    ChangeColumn,
    Comment,
    ConvertCharset,
    CreateIndex,
    DropColumn,
    DropConstraint,
    DropDefault,
    DropIndex,
    MoveTable,
    Operation,
    RenameColumn,
    RenameIndex,
    RenameTable,
    RewriteTable,
    SetColumnOption,
    SetDefault,
    SetRowSecurity,
)
from driftflow.model.record import replace


def alter_table(cursor: Cursor) -> tuple[Operation, ...]:
    """Behind ALTER [ONLINE] [IGNORE] TABLE."""
    request = Request()
    if cursor.accept_any(("ONLINE", "OFFLINE")):
        request.lock = "NONE"
    request.ignore = cursor.accept("IGNORE")
    cursor.expect("TABLE")
    if_exists = cursor.accept("IF", "EXISTS")
    table = cursor.qualified()
    request.wait(cursor)
    found: list[Operation] = []
    while not cursor.done:
        if not request.read(cursor):
            found.extend(_clause(cursor, table))
        if not cursor.accept(",") and not cursor.done and not opens_partition_clause(cursor) and not _goes_on(cursor):
            raise Unread(f"nothing is known about what begins {cursor.here()}")
    if if_exists:
        found = [replace(one, table_if_exists=True) for one in found]
    found.sort(key=_turn)
    asked = request.operation(table)
    if not found and asked is None:
        raise Unread("an ALTER TABLE without a clause")
    return (*found, *([asked] if asked is not None else []))


def _turn(operation: Operation) -> int:
    """Wherever they stand, keys that are dropped are those of before, and every other clause speaks of the table's old name."""
    match operation:
        case DropIndex() | DropConstraint():
            return 0
        case RenameTable():
            return 2
        case _:
            return 1


def _goes_on(cursor: Cursor) -> bool:
    """Table options need no comma between them."""
    start = cursor.index
    found = table_option(cursor) is not None
    cursor.index = start
    return found


def _clause(cursor: Cursor, table: Name) -> list[Operation]:
    if opens_partition_clause(cursor):
        return [partition_clause(cursor, table)]
    match cursor.peek().key:
        case "ADD":
            cursor.take()
            return _add(cursor, table)
        case "DROP":
            cursor.take()
            return [_drop(cursor, table)]
        case "MODIFY" | "CHANGE":
            return _change(cursor, table)
        case "ALTER":
            cursor.take()
            return [_alter(cursor, table)]
        case "RENAME":
            cursor.take()
            return _rename(cursor, table)
        case "CONVERT":
            return [_convert(cursor, table)]
        case "FORCE":
            cursor.take()
            return [RewriteTable(table=table, action="force")]
        case "ORDER":
            cursor.expect("ORDER", "BY")
            return [RewriteTable(table=table, action="order_by", value=normal(cursor.until_sign("ALGORITHM", "LOCK")))]
        case "ENABLE" | "DISABLE":
            word = cursor.take().key
            if word == "ENABLE" and cursor.accept("ROW", "LEVEL", "SECURITY"):
                return [
                    SetRowSecurity(table=table, action="enable")
                ]  # the server has no such thing: a plan may have an equivalent
            cursor.expect("KEYS")
            return [AlterTableOption(table=table, option="mysql", value=f"{word} KEYS")]
        case "DISCARD" | "IMPORT":
            word = cursor.take().key
            cursor.expect("TABLESPACE")
            return [AlterTableOption(table=table, option="mysql", value=f"{word} TABLESPACE")]
        case _:
            return [_option(cursor, table)]


def _option(cursor: Cursor, table: Name) -> Operation:
    option = table_option(cursor)
    if option is None:
        raise Unread(f"ALTER TABLE knows nothing that begins {cursor.here()}")
    match option.name:
        case "ENGINE":
            return RewriteTable(table=table, action="engine", value=option.value)
        case "ROW_FORMAT":
            return RewriteTable(table=table, action="row_format", value=option.value)
        case "KEY_BLOCK_SIZE":
            return RewriteTable(table=table, action="key_block_size", value=option.value)
        case "ENCRYPTION" | "ENCRYPTED":
            return RewriteTable(table=table, action="encryption", value=option.value)
        case "TABLESPACE":
            return RewriteTable(table=table, action="tablespace", value=option.value)
        case "COMMENT":
            return Comment(kind="table", target=table.text, text=option.value, relation=table)
        case "CHARSET":
            collation = _collation(cursor)
            return ConvertCharset(table=table, charset=option.value, collation=collation, columns=False)
        case "COLLATE":
            return ConvertCharset(table=table, charset="", collation=option.value, columns=False)
        case _:
            return AlterTableOption(table=table, option="mysql", value=option.text)


def _collation(cursor: Cursor) -> str:
    start = cursor.index
    cursor.accept(",")
    option: Option | None = table_option(cursor) if cursor.at("COLLATE") or cursor.at("DEFAULT", "COLLATE") else None
    if option is None:
        cursor.index = start
        return ""
    return option.value


def _convert(cursor: Cursor, table: Name) -> ConvertCharset:
    cursor.expect("CONVERT", "TO")
    if not (cursor.accept("CHARACTER", "SET") or cursor.accept("CHARSET")):
        raise Unread(f"CHARACTER SET was expected {cursor.here()}")
    charset = cursor.word().lower()
    collation = cursor.word().lower() if cursor.accept("COLLATE") else ""
    if charset == "utf8":
        charset = "utf8mb3"
    return ConvertCharset(table=table, charset="" if charset == "default" else charset, collation=collation)


def _add(cursor: Cursor, table: Name) -> list[Operation]:
    if cursor.peek().key in OPENS_KEY and cursor.peek().kind == "word":
        if_not_exists = "IF" in {cursor.peek(ahead).key for ahead in (1, 2)}
        key = key_definition(cursor, table)
        if isinstance(key, Index):
            return [CreateIndex(index=key, if_not_exists=if_not_exists)]
        return [AddConstraint(table=table, constraint=key)]
    if cursor.at("SYSTEM", "VERSIONING") or cursor.at("PERIOD", "FOR") or cursor.at("PERIOD", "IF"):
        return [_history(cursor, table, "add")]
    cursor.accept("COLUMN")
    if_not_exists = cursor.accept("IF", "NOT", "EXISTS")
    if cursor.at("("):
        inside = cursor.inside()
        found: list[Operation] = []
        while True:
            if inside.peek().key in OPENS_KEY and inside.peek().kind == "word":
                key = key_definition(inside, table)
                found.append(CreateIndex(index=key) if isinstance(key, Index) else AddConstraint(table=table, constraint=key))
            else:
                found.extend(_added(column_definition(inside), table, if_not_exists=if_not_exists))
            if not inside.accept(","):
                break
        inside.finish()
        return found
    draft = column_definition(cursor)
    return _added(draft, table, if_not_exists=if_not_exists, position=_position(cursor))


def _added(draft: Draft, table: Name, *, if_not_exists: bool, position: str = "") -> list[Operation]:
    column = AddColumn(
        table=table,
        column=draft.column(),
        constraints=tuple(draft.constraints),
        if_not_exists=if_not_exists,
        position=position,
    )
    return [column, *_keys_of(draft, table)]


def _keys_of(draft: Draft, table: Name) -> list[Operation]:
    """What UNIQUE and PRIMARY KEY behind a column make."""
    found: list[Operation] = []
    if draft.primary:
        found.append(AddConstraint(table=table, constraint=PrimaryKey(name=PRIMARY, columns=(draft.name,))))
    if draft.unique:
        found.append(CreateIndex(index=unique_of(draft.name, table)))
    return found


def _position(cursor: Cursor) -> str:
    if cursor.accept("FIRST"):
        return "FIRST"
    return f"AFTER {cursor.name()}" if cursor.accept("AFTER") else ""


def _change(cursor: Cursor, table: Name) -> list[Operation]:
    """MODIFY [COLUMN] definition, CHANGE [COLUMN] old definition"""
    renames = cursor.take().key == "CHANGE"
    cursor.accept("COLUMN")
    if_exists = cursor.accept("IF", "EXISTS")
    old = cursor.name() if renames else ""
    draft = column_definition(cursor)
    changed = ChangeColumn(
        table=table,
        column=old or draft.name,
        definition=draft.column(),
        constraints=tuple(draft.constraints),
        position=_position(cursor),
        if_exists=if_exists,
    )
    return [changed, *_keys_of(draft, table)]


def _drop(cursor: Cursor, table: Name) -> Operation:
    if cursor.accept("PRIMARY", "KEY"):
        return DropConstraint(table=table, name=PRIMARY)
    if cursor.accept("FOREIGN", "KEY"):
        if_exists = cursor.accept("IF", "EXISTS")
        return DropConstraint(table=table, name=cursor.name(), if_exists=if_exists, foreign_key=True)
    if cursor.accept_any(("CONSTRAINT", "CHECK")):
        if_exists = cursor.accept("IF", "EXISTS")
        return DropConstraint(table=table, name=cursor.name(), if_exists=if_exists)
    if cursor.at("SYSTEM", "VERSIONING") or cursor.at("PERIOD", "FOR") or cursor.at("PERIOD", "IF"):
        return _history(cursor, table, "drop")
    if cursor.accept_any(("INDEX", "KEY")):
        if_exists = cursor.accept("IF", "EXISTS")
        return DropIndex(name=Name(schema=table.schema, name=cursor.name()), table=table, if_exists=if_exists)
    cursor.accept("COLUMN")
    if_exists = cursor.accept("IF", "EXISTS")
    column = cursor.name()
    cascade = cursor.accept_any(("CASCADE", "RESTRICT")) == "CASCADE"
    return DropColumn(table=table, column=column, if_exists=if_exists, cascade=cascade)


def _history(cursor: Cursor, table: Name, action: Literal["add", "drop"]) -> Operation:
    """MariaDB: SYSTEM VERSIONING | PERIOD [IF [NOT] EXISTS] FOR [IF [NOT] EXISTS] name [(begin, end)]"""
    if not cursor.mariadb:
        raise Unread("system versioning")
    if cursor.accept("SYSTEM", "VERSIONING"):
        return RewriteTable(table=table, action="system_versioning", value=action)
    cursor.expect("PERIOD")
    if_exists = cursor.accept("IF", "EXISTS")
    if_not_exists = cursor.accept("IF", "NOT", "EXISTS")
    cursor.expect("FOR")
    name = cursor.name()
    if name.upper() == "SYSTEM_TIME":
        raise Unread("columns that keep the time of a row's version")
    return AlterTableOption(
        table=table,
        option="add_period" if action == "add" else "drop_period",
        value=name,
        columns=cursor.name_list() if action == "add" else (),
        if_exists=if_exists,
        if_not_exists=if_not_exists,
    )


def _alter(cursor: Cursor, table: Name) -> Operation:
    if cursor.accept_any(("INDEX", "KEY")):
        if_exists = cursor.accept("IF", "EXISTS")
        name = Name(schema=table.schema, name=cursor.name())
        value = _visibility(cursor)
        return AlterIndex(name=name, action="visible", table=table, value=value, if_exists=if_exists)
    if cursor.accept_any(("CHECK", "CONSTRAINT")):
        return AlterConstraint(table=table, name=cursor.name(), enforced=enforced(cursor))
    cursor.accept("COLUMN")
    cursor.accept("IF", "EXISTS")
    column = cursor.name()
    if cursor.accept("DROP", "DEFAULT"):
        return DropDefault(table=table, column=column)
    cursor.expect("SET")
    if cursor.accept("DEFAULT"):
        return SetDefault(table=table, column=column, default=default_value(cursor))
    return SetColumnOption(table=table, column=column, option="visible", value=_visibility(cursor))


def _visibility(cursor: Cursor) -> str:
    """visible or invisible; MariaDB says [NOT] IGNORED."""
    if cursor.mariadb and cursor.accept("NOT", "IGNORED"):
        return "visible"
    word = cursor.accept_any(("IGNORED",) if cursor.mariadb else ("VISIBLE", "INVISIBLE"))
    if not word:
        raise Unread(f"{'IGNORED' if cursor.mariadb else 'VISIBLE or INVISIBLE'} was expected {cursor.here()}")
    return "visible" if word == "VISIBLE" else "invisible"


def _rename(cursor: Cursor, table: Name) -> list[Operation]:
    if cursor.accept("COLUMN"):
        cursor.accept("IF", "EXISTS")
        column = cursor.name()
        cursor.expect("TO")
        return [RenameColumn(table=table, column=column, to=cursor.name())]
    if cursor.accept_any(("INDEX", "KEY")):
        if_exists = cursor.accept("IF", "EXISTS")
        name = Name(schema=table.schema, name=cursor.name())
        cursor.expect("TO")
        return [RenameIndex(name=name, to=cursor.name(), table=table, if_exists=if_exists)]
    if not cursor.accept("TO"):
        cursor.accept("AS")
        cursor.accept("=")
    return [*renamed(table, cursor.qualified())]


def renamed(table: Name, to: Name, *, if_exists: bool = False) -> list[MoveTable | RenameTable]:
    """A new name, and another database where one is named."""
    found: list[MoveTable | RenameTable] = []
    if to.schema and to.schema != table.schema:
        found.append(MoveTable(name=table, schema=to.schema, if_exists=if_exists))
        table = Name(schema=to.schema, name=table.name)
    if to.name != table.name or not found:
        found.append(RenameTable(name=table, to=to.name, if_exists=if_exists))
    return found


def rename_tables(cursor: Cursor) -> tuple[Operation, ...]:
    """Behind RENAME TABLE: a TO b, ..."""
    if_exists = cursor.accept("IF", "EXISTS")
    found: list[Operation] = []
    while True:
        table = cursor.qualified()
        seconds = wait_seconds(cursor)
        cursor.expect("TO")
        moved = renamed(table, cursor.qualified(), if_exists=if_exists)
        found.extend(replace(one, wait_seconds=seconds) for one in moved)
        if not cursor.accept(","):
            return tuple(found)


def create_index(cursor: Cursor, *, or_replace: bool) -> tuple[Operation, ...]:
    """Behind CREATE [OR REPLACE]: [ONLINE] [UNIQUE | FULLTEXT | SPATIAL] INDEX [IF NOT EXISTS] name [USING type] ON table (...) [options]"""
    cursor.accept_any(("ONLINE", "OFFLINE"))
    unique = cursor.accept("UNIQUE")
    method = cursor.accept_any(("FULLTEXT", "SPATIAL")).lower()
    cursor.expect("INDEX")
    if_not_exists = cursor.accept("IF", "NOT", "EXISTS")
    name = cursor.name()
    using = cursor.accept_any(("BTREE", "HASH", "RTREE")).lower() if cursor.accept("USING") else ""
    cursor.expect("ON")
    table = cursor.qualified()
    request = Request()
    index = index_body(cursor, table, name=name, unique=unique, method=method or using)
    while not cursor.done:
        start = cursor.index
        request.wait(cursor)
        if not request.read(cursor):
            index = index_options(cursor, index)
        if cursor.index == start:
            break
    asked = request.operation(table)
    before = [DropIndex(name=index.name, table=table, if_exists=True)] if or_replace else []
    return (*before, CreateIndex(index=index, if_not_exists=if_not_exists), *([asked] if asked is not None else []))


def drop_index(cursor: Cursor) -> tuple[Operation, ...]:
    """Behind DROP [ONLINE] INDEX."""
    if_exists = cursor.accept("IF", "EXISTS")
    name = cursor.name()
    cursor.expect("ON")
    table = cursor.qualified()
    request = Request()
    request.wait(cursor)
    while not cursor.done and request.read(cursor):
        pass
    asked = request.operation(table)
    dropped: Operation
    if name.upper() == PRIMARY:
        dropped = DropConstraint(table=table, name=PRIMARY, if_exists=if_exists)
    else:
        dropped = DropIndex(name=Name(schema=table.schema, name=name), table=table, if_exists=if_exists)
    return (dropped, *([asked] if asked is not None else []))
