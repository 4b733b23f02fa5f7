"""A database of MySQL or MariaDB as it was, made again under the same name as often as it is needed.

A plan's statements say the name of their database, and so do the texts of views: two copies beside each other would need two names. So the rows are
kept in a second database, definitions as the server spells them, and each copy takes the place of the one before.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from driftflow.dialects.mysql.keywords import quote, quote_string
from driftflow.engine.ports import Connection, DatabaseFault
from driftflow.lab.mysql_accounts import rights_in, take_rights

MODE = "NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES,NO_ENGINE_SUBSTITUTION"
"""Rows go from one table to its like: nothing of them is to be judged once more."""
BARE = ("SET foreign_key_checks = 0", "SET unique_checks = 0", f"SET sql_mode = '{MODE}'")
TABLES = """
SELECT TABLE_NAME, TABLE_TYPE FROM information_schema.TABLES WHERE TABLE_SCHEMA = %s ORDER BY TABLE_NAME
"""
STORED = """
SELECT COLUMN_NAME FROM information_schema.COLUMNS
WHERE TABLE_SCHEMA = %s AND TABLE_NAME = %s AND COALESCE(GENERATION_EXPRESSION, '') = '' ORDER BY ORDINAL_POSITION
"""
DATABASE = "SELECT DEFAULT_CHARACTER_SET_NAME, DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = %s"
ROUTINES = "SELECT ROUTINE_TYPE, ROUTINE_NAME FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = %s ORDER BY 1, 2"
TRIGGERS = """
SELECT TRIGGER_NAME FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = %s
ORDER BY EVENT_OBJECT_TABLE, ACTION_TIMING, EVENT_MANIPULATION, ACTION_ORDER
"""


@dataclass(frozen=True, kw_only=True)
class Kept:
    """`tables` are (name, CREATE TABLE, columns that hold rows of their own); `programs` are (sql_mode, CREATE ...) in an order that works."""

    database: str
    store: str
    options: str
    tables: tuple[tuple[str, str, tuple[str, ...]], ...]
    programs: tuple[tuple[str, str], ...]
    views: tuple[str, ...]
    rights: tuple[str, ...]


def create_database(connection: Connection, name: str, options: str = "") -> None:
    """Nothing where it is there. Its default character set and collation are the server's where nothing is said."""
    connection.execute(f"CREATE DATABASE IF NOT EXISTS {quote(name)}{options}")


def options_of(connection: Connection, database: str) -> str:
    charset, collation = connection.query(DATABASE, (database,))[0]
    return f" CHARACTER SET {charset} COLLATE {collation}"


def keep(connection: Connection, database: str, store: str) -> Kept:
    """Everything that is in the database now; its rows go into the database `store`, which is made."""
    listed = [(str(name), str(kind)) for name, kind in connection.query(TABLES, (database,))]
    tables = []
    with _bare(connection):
        create_database(connection, store)
        for name in (name for name, kind in listed if kind in ("BASE TABLE", "SYSTEM VERSIONED")):
            sql = str(connection.query(f"SHOW CREATE TABLE {quote(database)}.{quote(name)}")[0][1])
            columns = tuple(str(column) for (column,) in connection.query(STORED, (database, name)))
            tables.append((name, sql, columns))
            connection.execute(f"CREATE TABLE {quote(store)}.{quote(name)} LIKE {quote(database)}.{quote(name)}")
            _rows(connection, name, columns, database, store)
    views = tuple(
        str(connection.query(f"SHOW CREATE VIEW {quote(database)}.{quote(name)}")[0][1])
        for name, kind in listed
        if kind == "VIEW"
    )
    return Kept(
        database=database,
        store=store,
        options=options_of(connection, database),
        tables=tuple(tables),
        programs=tuple(_programs(connection, database)),
        views=views,
        rights=rights_in(connection, database),
    )


def _programs(connection: Connection, database: str) -> Iterator[tuple[str, str]]:
    """Routines before the triggers that may call them."""
    for kind, name in connection.query(ROUTINES, (database,)):
        row = connection.query(f"SHOW CREATE {kind} {quote(database)}.{quote(str(name))}")[0]
        yield str(row[1]), str(row[2])
    for (name,) in connection.query(TRIGGERS, (database,)):
        row = connection.query(f"SHOW CREATE TRIGGER {quote(database)}.{quote(str(name))}")[0]
        yield str(row[1]), str(row[2])


def put_back(connection: Connection, kept: Kept) -> None:
    """The database as it was kept, whatever it holds now. Raises DatabaseFault."""
    take_rights(connection, kept.database)
    connection.execute(f"DROP DATABASE IF EXISTS {quote(kept.database)}")
    create_database(connection, kept.database, kept.options)
    connection.execute(f"USE {quote(kept.database)}")
    with _bare(connection):
        for _, sql, _ in kept.tables:
            connection.execute(sql)
        for name, _, columns in kept.tables:
            _rows(connection, name, columns, kept.store, kept.database)
    for mode, sql in kept.programs:
        connection.execute(f"SET sql_mode = {quote_string(mode)}")
        connection.execute(sql)
    connection.execute("SET sql_mode = @@GLOBAL.sql_mode")
    _views(connection, kept.views)
    for sql in kept.rights:
        connection.execute(sql)


def _views(connection: Connection, views: Sequence[str]) -> None:
    """A view that reads another is made after it."""
    left = list(views)
    while left:
        refused = []
        for sql in left:
            try:
                connection.execute(sql)
            except DatabaseFault as fault:
                refused.append((sql, fault))
        if len(refused) == len(left):
            raise refused[0][1]
        left = [sql for sql, _ in refused]


def _rows(connection: Connection, table: str, columns: Sequence[str], source: str, target: str) -> None:
    listed = ", ".join(map(quote, columns)) or "1"
    into = f"({listed})" if columns else "()"
    connection.execute(f"INSERT INTO {quote(target)}.{quote(table)} {into} SELECT {listed} FROM {quote(source)}.{quote(table)}")


@contextmanager
def _bare(connection: Connection) -> Iterator[None]:
    """Nothing of a row is checked while the block runs."""
    names = ["foreign_key_checks", "unique_checks", "sql_mode"]
    if connection.dialect == "mariadb":
        names.append("check_constraint_checks")
        connection.execute("SET check_constraint_checks = 0")
    for setting in BARE:
        connection.execute(setting)
    try:
        yield
    finally:
        for name in names:
            connection.execute(f"SET {name} = @@GLOBAL.{name}")
