"""What CREATE TRIGGER, CREATE FUNCTION and LOCK TABLES need beside the statement itself, as queries to ask before: a right, and a binary log that trusts its maker.

Source: MySQL 8.4 manual, "Stored Program Binary Logging"; MariaDB documentation, "Binary Logging of Stored Routines". Errors 1418 and 1419 otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from driftflow.dialects.mysql.capabilities import EIGHT
from driftflow.dialects.mysql.keywords import quote_string
from driftflow.model.names import Name, Version
from driftflow.patterns import lazy_regex

ME = "CONCAT('''', REPLACE(CURRENT_USER(), '@', '''@'''), '''')"
"""As information_schema spells a grantee."""
GRANT_OPTION = "GRANT OPTION"
NAMES_DEFINERS = ("SUPER", "SET USER", "SET_USER_ID", "SET_ANY_DEFINER")
"""MariaDB 10.5 and MySQL 8.0 have rights of their own for it, MySQL 8.2 another. MariaDB no longer takes SUPER for it from 11.0 on; then its own
error says so, before anything was exchanged."""
SAYS = lazy_regex(r"(?<!\bNOT)(?<!\s)\s+DETERMINISTIC\b|\bNO\s+SQL\b|\bREADS\s+SQL\s+DATA\b", re.IGNORECASE)
PAST_A_VIEW = ("SELECT", "INSERT", "UPDATE", "DELETE", "DROP", "ALTER", "TRIGGER", "ALTER ROUTINE", "SUPER")
"""What on a whole database, or on all of them, lets an account past a view that stands before a table."""


def wary() -> str:
    """1 where the binary log is on and trusts nobody who makes a function."""
    return "SELECT count(*) FROM (SELECT 1 AS one) AS asked WHERE @@GLOBAL.log_bin = 1 AND @@GLOBAL.log_bin_trust_function_creators = 0"


def says_what_it_does(sql: str) -> bool:
    """Whether a CREATE FUNCTION says that its result can be relied on, or that it changes nothing: what a wary server wants of everybody, also of those with SUPER."""
    return bool(SAYS.search(sql))


def untrusted(version: Version | None, *, mariadb: bool) -> str:
    """1 where the binary log is on, trusts nobody, and the session's user is not one who may all the same."""
    return (
        f"{wary()} "
        f"AND {_without_role(version, mariadb=mariadb)} AND NOT EXISTS (SELECT 1 FROM information_schema.USER_PRIVILEGES "
        f"WHERE GRANTEE = {ME} AND PRIVILEGE_TYPE = 'SUPER')"
    )


def without_right(table: Name, version: Version | None, *, mariadb: bool, right: str = "TRIGGER", database: bool = False) -> str:
    """1 where no grant of the right covers the table; with `database`, only one of its whole database will do."""
    # GRANT OPTION is no right of its own there, but a mark on the others.
    held = "PRIVILEGE_TYPE = 'SELECT' AND IS_GRANTABLE = 'YES'" if right == GRANT_OPTION else f"PRIVILEGE_TYPE = '{right}'"
    none = _ungranted(table, ME, held, database=database)
    return f"SELECT count(*) FROM (SELECT 1 AS one) AS asked WHERE {_without_role(version, mariadb=mariadb)} AND {none}"


def _ungranted(table: Name, grantee: str, held: str, *, database: bool) -> str:
    schema = _schema(table)
    grants = (
        ("USER_PRIVILEGES", ""),
        ("SCHEMA_PRIVILEGES", f" AND {schema} LIKE TABLE_SCHEMA"),
        ("TABLE_PRIVILEGES", f" AND TABLE_SCHEMA = {schema} AND TABLE_NAME = {quote_string(table.name)}"),
    )
    return " AND ".join(
        f"NOT EXISTS (SELECT 1 FROM information_schema.{view} WHERE GRANTEE = {grantee} AND {held}{where})"
        for view, where in (grants[:2] if database else grants)
    )


def not_that_definer(user: str, host: str, version: Version | None, *, mariadb: bool) -> str:
    """1 where the session's user is another, and may not name that one as a definer."""
    kinds = ", ".join(f"'{kind}'" for kind in NAMES_DEFINERS)
    return (
        f"SELECT count(*) FROM (SELECT 1 AS one) AS asked WHERE CURRENT_USER() <> {quote_string(f'{user}@{host}')} "
        f"AND {_without_role(version, mariadb=mariadb)} AND NOT EXISTS (SELECT 1 FROM information_schema.USER_PRIVILEGES "
        f"WHERE GRANTEE = {ME} AND PRIVILEGE_TYPE IN ({kinds}))"
    )


def definer_without(table: Name, user: str, host: str, rights: Sequence[str]) -> str:
    """How many of the rights no grant gives to the account for the whole database of the table. Needs SELECT on `mysql`, where it is another account."""
    grantee = quote_string(f"'{user}'@'{host}'")
    each = (_ungranted(table, grantee, f"PRIVILEGE_TYPE = '{right}'", database=True) for right in rights)
    return f"SELECT {' + '.join(f'({one})' for one in each)}"


def rights_left(
    table: Name, user: str, host: str, version: Version | None, *, mariadb: bool, besides: Sequence[tuple[str, str]] = ()
) -> str:
    """How many grants let the account, or a role that was granted to it, past a view that stands before the table: by reading or changing it, or
    by putting something else in the place of what the view calls. What `besides` (user, host) hold on the table itself is left out. Names of databases
    in grants are patterns. Needs SELECT on `mysql`."""
    roles = mariadb or (version is not None and version >= EIGHT)
    one = f"SELECT CAST({quote_string(user)} AS CHAR(255)) AS user, CAST({quote_string(host)} AS CHAR(255)) AS host"
    granted = (
        "SELECT edge.Role, '' FROM mysql.roles_mapping AS edge JOIN held ON edge.User = held.user AND edge.Host = held.host"
        if mariadb
        else "SELECT edge.FROM_USER, edge.FROM_HOST FROM mysql.role_edges AS edge "
        "JOIN held ON edge.TO_USER = held.user AND edge.TO_HOST = held.host"
    )
    public = " UNION SELECT 'PUBLIC', ''" if mariadb else ""
    named = f"TABLE_SCHEMA = {_schema(table)} AND TABLE_NAME = {quote_string(table.name)}"
    known = ", ".join(quote_string(f"'{one}'@'{place}'") for one, place in besides)
    own = f" AND GRANTEE NOT IN ({known})" if known else ""
    kinds = ", ".join(f"'{kind}'" for kind in PAST_A_VIEW)
    grants = " UNION ALL ".join(
        f"SELECT GRANTEE FROM information_schema.{view} WHERE {where}"
        for view, where in (
            ("USER_PRIVILEGES", f"PRIVILEGE_TYPE IN ({kinds})"),
            ("SCHEMA_PRIVILEGES", f"PRIVILEGE_TYPE IN ({kinds}) AND {_schema(table)} LIKE TABLE_SCHEMA"),
            ("TABLE_PRIVILEGES", named + own),
            ("COLUMN_PRIVILEGES", named + own),
        )
    )
    if mariadb:  # what everybody may do everywhere is not in information_schema (10.11, 11.8)
        everybody = quote_string("'PUBLIC'@''")
        grants += (
            f" UNION ALL SELECT {everybody} FROM mysql.global_priv WHERE User = 'PUBLIC' AND JSON_VALUE(Priv, '$.access') <> 0"
        )
    whose = "CONCAT('''', held.user, '''@''', held.host, '''')"
    if not roles:
        return f"SELECT count(*) FROM ({one}) AS held JOIN ({grants}) AS granted ON granted.GRANTEE = {whose}"
    return (
        f"WITH RECURSIVE held AS ({one}{public} UNION {granted}) "
        f"SELECT count(*) FROM held JOIN ({grants}) AS granted ON granted.GRANTEE = {whose}"
    )


def more_children(tables: Sequence[Name]) -> str:
    """How many tables have a foreign key to the first of these and are none of them, in whatever database."""
    referenced = f"REFERENCED_TABLE_SCHEMA = {_schema(tables[0])} AND REFERENCED_TABLE_NAME = {quote_string(tables[0].name)}"
    known = " OR ".join(f"TABLE_SCHEMA = {_schema(one)} AND TABLE_NAME = {quote_string(one.name)}" for one in tables)
    return f"SELECT COUNT(DISTINCT TABLE_SCHEMA, TABLE_NAME) FROM information_schema.KEY_COLUMN_USAGE WHERE {referenced} AND NOT ({known})"


def _schema(table: Name) -> str:
    return quote_string(table.schema) if table.schema else "DATABASE()"


def _without_role(version: Version | None, *, mariadb: bool) -> str:
    """A role's rights are not listed under the user's own name: with one nothing is said, and the server's own error has the last word."""
    return "COALESCE(CURRENT_ROLE(), 'NONE') = 'NONE'" if mariadb or (version is not None and version >= EIGHT) else "1 = 1"
