"""What CREATE TRIGGER and LOCK TABLES need beside the statement itself, as queries to ask before: a right, and a binary log that trusts its maker.

Source: MySQL 8.4 manual, "Stored Program Binary Logging"; MariaDB documentation, "Binary Logging of Stored Routines". Error 1419 otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence

from driftflow.dialects.mysql.capabilities import EIGHT
from driftflow.dialects.mysql.keywords import quote_string
from driftflow.model.names import Name, Version

ME = "CONCAT('''', REPLACE(CURRENT_USER(), '@', '''@'''), '''')"
"""As information_schema spells a grantee."""


def untrusted(version: Version | None, *, mariadb: bool) -> str:
    """1 where the binary log is on, trusts nobody, and the session's user is not one who may all the same."""
    return (
        "SELECT count(*) FROM (SELECT 1 AS one) AS asked WHERE @@GLOBAL.log_bin = 1 AND @@GLOBAL.log_bin_trust_function_creators = 0 "
        f"AND {_without_role(version, mariadb=mariadb)} AND NOT EXISTS (SELECT 1 FROM information_schema.USER_PRIVILEGES "
        f"WHERE GRANTEE = {ME} AND PRIVILEGE_TYPE = 'SUPER')"
    )


def without_right(table: Name, version: Version | None, *, mariadb: bool, right: str = "TRIGGER") -> str:
    """1 where no grant of the right covers the table."""
    schema = _schema(table)
    grants = (
        ("USER_PRIVILEGES", ""),
        ("SCHEMA_PRIVILEGES", f" AND {schema} LIKE TABLE_SCHEMA"),
        ("TABLE_PRIVILEGES", f" AND TABLE_SCHEMA = {schema} AND TABLE_NAME = {quote_string(table.name)}"),
    )
    none = " AND ".join(
        f"NOT EXISTS (SELECT 1 FROM information_schema.{view} WHERE GRANTEE = {ME} AND PRIVILEGE_TYPE = '{right}'{where})"
        for view, where in grants
    )
    return f"SELECT count(*) FROM (SELECT 1 AS one) AS asked WHERE {_without_role(version, mariadb=mariadb)} AND {none}"


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
