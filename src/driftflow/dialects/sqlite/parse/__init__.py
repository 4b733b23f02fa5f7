"""One statement of SQLite read into operations: recursive descent over the tokens.

What is not read to its last token becomes RawSql with the reason. Whether a statement is valid is SQLite's own prepare to say
(`drivers.sqlite_syntax`), not ours.
"""

from __future__ import annotations

from driftflow.dialects.limits import too_deep, too_large
from driftflow.dialects.sqlite.parse.alter import alter_table
from driftflow.dialects.sqlite.parse.cursor import Cursor, Unread
from driftflow.dialects.sqlite.parse.data import data_statement
from driftflow.dialects.sqlite.parse.index import create_index, reindex
from driftflow.dialects.sqlite.parse.session import TRANSACTION_WORDS, analyze, attach, pragma, transaction, vacuum
from driftflow.dialects.sqlite.parse.table import create_table, create_virtual_table
from driftflow.dialects.sqlite.parse.trigger import create_trigger
from driftflow.dialects.sqlite.parse.view import create_view
from driftflow.dialects.sqlite.tokens import tokenize
from driftflow.model.operations import DropIndex, DropTable, DropTrigger, DropView, Operation, RawSql


def parse_sql(sql: str) -> tuple[Operation, ...]:
    """The operations of one statement. Raises TokenFault for what cannot be tokens."""
    if reason := too_large(sql):
        return (RawSql(sql=sql.strip(), reason=reason),)
    tokens, _ = tokenize(sql)
    while tokens and tokens[-1].key == ";":
        tokens.pop()
    if not tokens:
        return ()
    cursor = Cursor(tokens, sql[: tokens[-1].end])
    if reason := too_deep(tokens):
        return (RawSql(sql=cursor.sql, reason=reason),)
    try:
        operation = _statement(cursor)
        cursor.finish()
    except Unread as unread:
        return (RawSql(sql=cursor.sql, reason=str(unread)),)
    except RecursionError:
        return (RawSql(sql=cursor.sql, reason="it nests too deep to be read"),)
    return (operation,)


def _statement(cursor: Cursor) -> Operation:
    match cursor.peek().key:
        case "CREATE":
            return _create(cursor)
        case "ALTER":
            cursor.expect("ALTER", "TABLE")
            return alter_table(cursor)
        case "DROP":
            return _drop(cursor)
        case "WITH" | "INSERT" | "REPLACE" | "UPDATE" | "DELETE" | "SELECT" | "VALUES":
            return data_statement(cursor)
        case "PRAGMA":
            cursor.take()
            return pragma(cursor)
        case "VACUUM":
            cursor.take()
            return vacuum(cursor)
        case "ANALYZE":
            cursor.take()
            return analyze(cursor)
        case "REINDEX":
            cursor.take()
            return reindex(cursor)
        case "ATTACH" | "DETACH":
            return attach(cursor, cursor.take().key.lower())
        case key if key in TRANSACTION_WORDS:
            return transaction(cursor)
        case _:
            raise Unread(f"no statement that we read begins with `{cursor.peek().text}`")


def _create(cursor: Cursor) -> Operation:
    cursor.expect("CREATE")
    if cursor.accept("UNIQUE"):
        cursor.expect("INDEX")
        return create_index(cursor, unique=True)
    if cursor.accept("INDEX"):
        return create_index(cursor, unique=False)
    if cursor.accept("VIRTUAL"):
        cursor.expect("TABLE")
        return create_virtual_table(cursor)
    temporary = bool(cursor.accept_any(("TEMP", "TEMPORARY")))
    if cursor.accept("TABLE"):
        return create_table(cursor, temporary=temporary)
    if cursor.accept("VIEW"):
        return create_view(cursor, temporary=temporary)
    if cursor.accept("TRIGGER"):
        return create_trigger(cursor, temporary=temporary)
    raise Unread(f"SQLite creates nothing that begins {cursor.here()}")


def _drop(cursor: Cursor) -> Operation:
    cursor.expect("DROP")
    kind = cursor.accept_any(("TABLE", "INDEX", "VIEW", "TRIGGER"))
    if_exists = cursor.accept("IF", "EXISTS")
    match kind:
        case "TABLE":
            return DropTable(name=cursor.qualified(), if_exists=if_exists)
        case "INDEX":
            return DropIndex(name=cursor.qualified(), if_exists=if_exists)
        case "VIEW":
            return DropView(name=cursor.qualified(), if_exists=if_exists)
        case "TRIGGER":
            name = cursor.qualified()
            return DropTrigger(name=name.name, schema=name.schema, if_exists=if_exists)
        case _:
            raise Unread(f"SQLite drops nothing that begins {cursor.here()}")
