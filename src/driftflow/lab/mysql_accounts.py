"""Accounts and their rights in the lab's databases of MySQL and MariaDB: rights by a table's name outlive the table and its database."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from driftflow.dialects.mysql.keywords import quote, quote_string
from driftflow.engine.ports import Connection
from driftflow.patterns import lazy_regex

HELD = """
SELECT TABLE_NAME, GRANTEE, PRIVILEGE_TYPE, NULL, IS_GRANTABLE FROM information_schema.TABLE_PRIVILEGES WHERE TABLE_SCHEMA = %s
UNION ALL SELECT TABLE_NAME, GRANTEE, PRIVILEGE_TYPE, COLUMN_NAME, IS_GRANTABLE FROM information_schema.COLUMN_PRIVILEGES
WHERE TABLE_SCHEMA = %s ORDER BY 1, 2, 3, 4
"""
GRANT_OPTION = "GRANT OPTION"
GRANTEE = lazy_regex(r"'(?P<user>.*)'@'(?P<host>[^']*)'")
NOBODY = frozenset({"1133", "1396", "1410", "1976"})
"""What a server says of an account that is not there: MySQL of GRANT 1410, of DDL 1396; MariaDB 1133, of a role 1976. Measured on MySQL 9.7 and MariaDB 10.11."""
NAME = r"(?:'(?:[^']|'')*'|`(?:[^`]|``)+`|[\w$]+)"
ACCOUNT = lazy_regex(rf"\s*(?P<user>{NAME})(?:\s*@\s*(?P<host>{NAME}))?\s*(?:,|$|(?=WITH\b))", re.IGNORECASE)
TO = lazy_regex(r"\A\s*GRANT\b.*\sTO\s+", re.IGNORECASE | re.DOTALL)


def rights_in(connection: Connection, database: str) -> tuple[str, ...]:
    """The GRANT statements of what accounts hold on the database's tables and views by their names."""
    found = []
    for (table, grantee), rights in _held(connection, database).items():
        option = " WITH GRANT OPTION" if GRANT_OPTION in rights else ""
        listed = ", ".join(right for right in rights if right != GRANT_OPTION)
        found.append(f"GRANT {listed} ON {quote(database)}.{quote(table)} TO {grantee}{option}")
    return tuple(found)


def take_rights(connection: Connection, database: str) -> None:
    """Nobody holds anything on one of its tables or views any more."""
    for (table, grantee), rights in _held(connection, database).items():
        connection.execute(f"REVOKE {', '.join(rights)} ON {quote(database)}.{quote(table)} FROM {grantee}")


def made(execute: Callable[[str], object], user: str, host: str) -> None:
    """An account that nobody can log in to; without a host a role, as MariaDB has them. Raises what `execute` raises where it is there already."""
    execute(f"CREATE USER {_account(user, host)} ACCOUNT LOCK" if host else f"CREATE ROLE {quote_string(user)}")


def dropped(execute: Callable[[str], object], user: str, host: str) -> None:
    execute(f"DROP USER {_account(user, host)}" if host else f"DROP ROLE {quote_string(user)}")


def named_in(sql: str, *, mariadb: bool) -> Iterator[tuple[str, str]]:
    """(user, host) of those to whom the statement grants something. A name alone is a role on MariaDB where nobody is called so, and `name@%` on MySQL."""
    begun = TO.match(sql)
    at = begun.end() if begun is not None else len(sql)
    text = sql.rstrip("; \n\t")
    while (found := ACCOUNT.match(text, at)) is not None:
        yield _bare(found["user"]), _bare(found["host"]) if found["host"] else "" if mariadb else "%"
        at = found.end()


def _held(connection: Connection, database: str) -> dict[tuple[str, str], list[str]]:
    """By (table, grantee as a statement spells it): what is held there, GRANT OPTION too."""
    held: dict[tuple[str, str], list[str]] = {}
    for table, grantee, right, column, grantable in connection.query(HELD, (database, database)):
        found = GRANTEE.fullmatch(str(grantee))
        if found is None:
            continue
        rights = held.setdefault((str(table), _account(found["user"], found["host"])), [])
        rights += [f"{right} ({quote(str(column))})" if column is not None else str(right)]
        if grantable == "YES" and GRANT_OPTION not in rights:
            rights.append(GRANT_OPTION)
    return held


def _account(user: str, host: str) -> str:
    return f"{quote_string(user)}@{quote_string(host)}" if host else quote_string(user)


def _bare(name: str) -> str:
    return name[1:-1].replace(name[0] * 2, name[0]) if name[0] in "'`" else name
