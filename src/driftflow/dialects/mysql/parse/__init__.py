"""One statement of MySQL or MariaDB read into operations: recursive descent over the tokens.

What is not read to its last token becomes RawSql with the reason. Whether a statement is valid is the server's to say, not ours.
"""

from __future__ import annotations

from driftflow.dialects.limits import too_deep, too_large
from driftflow.dialects.mixed import reason_for
from driftflow.dialects.mysql.parse.alter import alter_table, create_index, drop_index, rename_tables
from driftflow.dialects.mysql.parse.cursor import Cursor, Unread
from driftflow.dialects.mysql.parse.data import OPENS_DATA, data_statement
from driftflow.dialects.mysql.parse.object import alter_object, create_object, drop, grant, sequence
from driftflow.dialects.mysql.parse.partition import maintenance
from driftflow.dialects.mysql.parse.routine import (
    body_relations,
    create_event,
    create_routine,
    create_trigger,
    create_view,
    read_head,
)
from driftflow.dialects.mysql.parse.session import (
    TRANSACTION_WORDS,
    handler,
    lock_tables,
    settings,
    statement_settings,
    transaction,
    use,
)
from driftflow.dialects.mysql.parse.table import create_table
from driftflow.dialects.mysql.tokens import tokenize
from driftflow.model.operations import AlterObject, Operation, RawSql, Select
from driftflow.model.record import replace

_SHOWS = frozenset({"SHOW", "DESCRIBE", "DESC", "EXPLAIN", "HELP"})


def parse_sql(sql: str, *, mariadb: bool = False) -> tuple[Operation, ...]:
    """The operations of one statement. Raises TokenFault for what cannot be tokens."""
    if reason := too_large(sql):
        return (RawSql(sql=sql.strip(), reason=reason),)
    tokens, _ = tokenize(sql, mariadb=mariadb)
    while tokens and tokens[-1].key == ";":
        tokens.pop()
    if not tokens:
        return ()
    cursor = Cursor(tokens, sql.strip(), mariadb=mariadb)
    if reason := too_deep(tokens):
        return (RawSql(sql=cursor.sql, reason=reason),)
    try:
        operations = _statement(cursor)
        cursor.finish()
    except Unread as unread:
        return (RawSql(sql=cursor.sql, reason=reason_for(cursor.sql, "mysql", str(unread))),)
    except RecursionError:
        return (RawSql(sql=cursor.sql, reason="it nests too deep to be read"),)
    return operations


def _statement(cursor: Cursor) -> tuple[Operation, ...]:
    match cursor.peek().key:
        case "CREATE":
            cursor.take()
            return _create(cursor)
        case "ALTER":
            cursor.take()
            return _alter(cursor)
        case "DROP":
            cursor.take()
            if cursor.accept("INDEX") or cursor.accept("ONLINE", "INDEX"):
                return drop_index(cursor)
            return drop(cursor)
        case "RENAME":
            cursor.take()
            if cursor.accept_any(("TABLE", "TABLES")):
                return rename_tables(cursor)
            cursor.rest()
            return (AlterObject(kind="role", action="rename", sql=cursor.sql),)
        case "SET":
            cursor.take()
            if cursor.mariadb and cursor.accept("STATEMENT"):
                return _for_statement(cursor)
            return settings(cursor)
        case "HANDLER":
            return (handler(cursor),)
        case "PREPARE" | "EXECUTE" | "DEALLOCATE":
            raise Unread("what a prepared statement does is known when it runs")
        case "SIGNAL" | "RESIGNAL":
            raise Unread("it raises an error by itself")
        case "BEGIN" if cursor.at("BEGIN", "NOT", "ATOMIC"):
            reason = "what a compound statement does is known when it runs"
            return (RawSql(sql=cursor.sql, reason=reason, relations=body_relations(cursor)),)
        case "XA" if cursor.at("XA", "RECOVER"):
            cursor.rest()
            return (Select(sql=cursor.sql),)
        case "USE":
            cursor.take()
            return (use(cursor),)
        case "LOCK":
            cursor.take()
            return lock_tables(cursor)
        case "UNLOCK":
            cursor.rest()
            return (AlterObject(kind="instance", action="unlock", sql=cursor.sql),)
        case "OPTIMIZE" | "ANALYZE" | "CHECK" | "REPAIR":
            return maintenance(cursor)
        case "GRANT" | "REVOKE":
            return (grant(cursor),)
        case "FLUSH" | "RESET" | "PURGE" | "KILL" | "INSTALL" | "UNINSTALL" | "CHANGE" | "STOP" | "BINLOG" | "CACHE":
            kind = cursor.take().key.lower()
            cursor.rest()
            return (AlterObject(kind="server", action=kind, sql=cursor.sql),)
        case key if key in _SHOWS:
            cursor.rest()
            return (Select(sql=cursor.sql),)
        case key if key in TRANSACTION_WORDS:
            return (transaction(cursor),)
        case key if key in OPENS_DATA:
            return (data_statement(cursor),)
        case _:
            raise Unread(f"no statement that we read begins with `{cursor.peek().text}`")


def _for_statement(cursor: Cursor) -> tuple[Operation, ...]:
    """Behind SET STATEMENT (MariaDB): name = value, ... FOR statement. The settings hold for the statement alone."""
    said = [replace(one, for_statement=True) for one in statement_settings(cursor)]
    cursor.expect("FOR")
    start = cursor.peek().start
    inner = Cursor(cursor.rest(), cursor.sql[start:], mariadb=True)
    operations = _statement(inner)
    inner.finish()
    return (*said, *operations)


def _create(cursor: Cursor) -> tuple[Operation, ...]:
    or_replace = cursor.accept("OR", "REPLACE")
    temporary = cursor.accept("TEMPORARY")
    if cursor.accept("TABLE"):
        return create_table(cursor, temporary=temporary, or_replace=or_replace)
    if cursor.peek().key in {"UNIQUE", "FULLTEXT", "SPATIAL", "INDEX", "ONLINE", "OFFLINE"}:
        return create_index(cursor, or_replace=or_replace)
    if cursor.accept("SEQUENCE"):
        return (sequence(cursor, temporary=temporary, or_replace=or_replace),)
    head = read_head(cursor)
    if cursor.accept("AGGREGATE"):
        raise Unread("an aggregate function")
    match cursor.accept_any(("VIEW", "TRIGGER", "PROCEDURE", "FUNCTION", "EVENT")):
        case "VIEW":
            return (create_view(cursor, head, or_replace=or_replace),)
        case "TRIGGER":
            return (create_trigger(cursor, head, or_replace=or_replace),)
        case "PROCEDURE":
            return (create_routine(cursor, head, "procedure", or_replace=or_replace),)
        case "FUNCTION":
            return (create_routine(cursor, head, "function", or_replace=or_replace),)
        case "EVENT":
            return (create_event(cursor),)
        case _:
            return create_object(cursor, or_replace=or_replace)


def _alter(cursor: Cursor) -> tuple[Operation, ...]:
    if cursor.peek().key in {"TABLE", "ONLINE", "OFFLINE", "IGNORE"}:
        return alter_table(cursor)
    return (alter_object(cursor),)
