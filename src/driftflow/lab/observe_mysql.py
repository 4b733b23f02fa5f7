"""What a statement does on a real MySQL or MariaDB: every ALGORITHM and LOCK is tried, each on a fresh copy of the tables that it touches.

A copy is the server's own SHOW CREATE TABLE with up to a thousand rows, in a scratch database that is dropped afterwards; the tables themselves
are only read. Whether a table was written anew shows in the identity that InnoDB gives to its tablespace.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal

from driftflow.dialects.base import ErrorKind
from driftflow.dialects.mysql.keywords import quote
from driftflow.dialects.mysql.tokens import tokenize
from driftflow.engine.ports import DatabaseFault
from driftflow.model.effects import AcceptedAlgorithm, Condition, Effects

Execute = Callable[[str], Sequence[Sequence[Any]]]
"""Runs one statement and gives its rows (`Connection.query`); raises DatabaseFault."""

Algorithm = Literal["INSTANT", "NOCOPY", "INPLACE", "COPY"]
Lock = Literal["NONE", "SHARED", "EXCLUSIVE", "DEFAULT"]
ROWS_MAX = 1000
_LOCKS: tuple[Lock, ...] = ("NONE", "SHARED")


def observe(execute: Execute, sql: str, *, database: str, mariadb: bool, before: Sequence[str] = ()) -> Effects:
    """The effects of one statement on the tables of `database`: accepted pairs, rebuilt or not, and whether it fails as it stands.

    `before` are session settings (`SET foreign_key_checks = 0`) in force while it runs. Locks are not observed: MySQL shows metadata locks only
    to who looks at the right moment.
    """
    related = _related(execute, sql, database)
    error = ""
    with _copy(execute, database, related, before=before) as scratch:
        error = _tried(execute, scratch, sql)
    fails = (Condition(kind="observed", summary=error, certain=True),) if error else ()
    if not takes_algorithm(sql):
        return Effects(transactional=False, fails_if=fails, basis="observed")
    accepted: list[AcceptedAlgorithm] = []
    algorithms: tuple[Algorithm, ...] = ("INSTANT", "NOCOPY", "INPLACE", "COPY") if mariadb else ("INSTANT", "INPLACE", "COPY")
    for algorithm in algorithms:
        for lock in ("DEFAULT",) if algorithm == "INSTANT" else _LOCKS:
            wanted = with_request(sql, algorithm, lock)
            with _copy(execute, database, related, before=before) as scratch:
                was = identities(execute, scratch, mariadb=mariadb)
                refused = _tried(execute, scratch, wanted)
                now = identities(execute, scratch, mariadb=mariadb)
            if not refused:
                target = _target(sql)
                accepted.append(AcceptedAlgorithm(algorithm=algorithm, lock=lock, rebuilds=_of(was, target) != _of(now, target)))
                break
    return Effects(algorithms=tuple(accepted), transactional=False, fails_if=fails, basis="observed")


def with_request(sql: str, algorithm: str, lock: str) -> str:
    """The statement with ALGORITHM and LOCK: behind the table of an ALTER TABLE, at the end of CREATE and DROP INDEX."""
    tokens, _ = tokenize(sql, mariadb=True)
    asked = f"ALGORITHM={algorithm}" + (f", LOCK={lock}" if lock != "DEFAULT" else "")
    if tokens[0].key != "ALTER":
        return f"{sql} {asked.replace(',', '')}"
    at = next(index for index, token in enumerate(tokens) if token.key == "TABLE") + 1
    while tokens[at].key in {"IF", "EXISTS"}:
        at += 1
    if at + 1 < len(tokens) and tokens[at + 1].key == ".":
        at += 2
    end = tokens[at].end
    comma = "" if [one.key for one in tokens[at + 1 : at + 3]] in (["PARTITION", "BY"], ["REMOVE", "PARTITIONING"]) else ","
    return f"{sql[:end]} {asked}{comma} {sql[end:].lstrip()}"


def takes_algorithm(sql: str) -> bool:
    """Whether it is one of the statements that ALGORITHM and LOCK can be said of."""
    tokens, _ = tokenize(sql, mariadb=True)
    keys = [token.key for token in tokens[:5]]
    if keys[:1] == ["ALTER"]:
        return "TABLE" in keys
    return keys[:1] in (["CREATE"], ["DROP"]) and "INDEX" in keys


def _target(sql: str) -> str:
    """The table of the statement, as it is written."""
    tokens, _ = tokenize(sql, mariadb=True)
    opening = "ON" if tokens[0].key in {"CREATE", "DROP"} and "INDEX" in [one.key for one in tokens[:4]] else "TABLE"
    at = next((index for index, token in enumerate(tokens) if token.key == opening), 0) + 1
    while tokens[at].key in {"IF", "EXISTS"}:
        at += 1
    if at + 2 < len(tokens) and tokens[at + 1].key == ".":
        at += 2
    return tokens[at].text.strip("`")


def _related(execute: Execute, sql: str, database: str) -> tuple[str, ...]:
    """Every table of the database that the statement names, with its partners by foreign keys, parents first."""
    tokens, _ = tokenize(sql, mariadb=True)
    words = {token.text.strip("`").lower() for token in tokens if token.kind in {"word", "quoted"}}
    tables = [
        str(row[0]) for row in execute(f"SELECT table_name FROM information_schema.tables WHERE table_schema = '{database}'")
    ]
    keys = execute(
        "SELECT table_name, referenced_table_name FROM information_schema.referential_constraints "
        f"WHERE constraint_schema = '{database}'"
    )
    wanted = {table for table in tables if table.lower() in words}
    for child, parent in keys:
        if child in wanted or parent in wanted:
            wanted |= {str(child), str(parent)}
    return tuple(sorted(wanted.intersection(tables)))  # a parent may be missing, with the checks off


@contextmanager
def _copy(execute: Execute, database: str, tables: Sequence[str], *, before: Sequence[str]) -> Iterator[str]:
    """A scratch database with copies of the tables, in use while the block runs."""
    scratch = f"driftflow_scratch_{secrets.token_hex(4)}"
    execute(f"CREATE DATABASE {scratch} CHARACTER SET utf8mb4")
    try:
        execute(f"USE {scratch}")
        execute("SET foreign_key_checks = 0")
        for table in tables:
            definition = str(execute(f"SHOW CREATE TABLE {quote(database)}.{quote(table)}")[0][1])
            execute(definition)
            columns = ", ".join(quote(name) for name in _stored_columns(execute, database, table))
            execute(
                f"INSERT INTO {quote(table)} ({columns}) SELECT {columns} FROM {quote(database)}.{quote(table)} LIMIT {ROWS_MAX}"
            )
        execute("SET foreign_key_checks = 1")
        for setting in before:
            execute(setting)
        yield scratch
    finally:
        execute("SET foreign_key_checks = 1")
        execute(f"USE {quote(database)}")
        execute(f"DROP DATABASE {scratch}")


def _stored_columns(execute: Execute, database: str, table: str) -> list[str]:
    rows = execute(
        "SELECT column_name FROM information_schema.columns "
        f"WHERE table_schema = '{database}' AND table_name = '{table}' AND generation_expression IN ('', NULL) "
        f"OR table_schema = '{database}' AND table_name = '{table}' AND generation_expression IS NULL ORDER BY ordinal_position"
    )
    return [str(row[0]) for row in rows]


def _tried(execute: Execute, scratch: str, sql: str) -> str:
    """The server's refusal; empty where it did what was asked."""
    try:
        execute(sql)
    except DatabaseFault as fault:
        if fault.kind is ErrorKind.CONNECTION_LOST:
            raise  # no answer of the server's
        return fault.message.replace(scratch, "scratch")
    return ""


def identities(execute: Execute, scratch: str, *, mariadb: bool) -> dict[str, int]:
    """InnoDB's number of each table, or of each partition, by name."""
    table = "innodb_sys_tables" if mariadb else "innodb_tables"
    rows = execute(f"SELECT name, table_id FROM information_schema.{table} WHERE name LIKE '{scratch}/%'")
    return {str(name).partition("/")[2]: int(number) for name, number in rows}


def _of(identities: dict[str, int], table: str) -> list[int]:
    pattern = re.compile(re.escape(table) + r"(?:#p#.*)?\Z", re.IGNORECASE)
    return sorted(number for name, number in identities.items() if pattern.match(name))
