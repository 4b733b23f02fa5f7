"""The structure of a live MySQL or MariaDB database: one query of information_schema per kind of object, whatever the number of tables."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import Any

from driftflow.dialects.base import ErrorKind, Rows
from driftflow.dialects.mysql.capabilities import CHECK_ENFORCED, INSTANT_ANYWHERE
from driftflow.dialects.mysql.keywords import quote
from driftflow.dialects.registry import dialect_named
from driftflow.engine.ports import Connection, DatabaseFault
from driftflow.errors import DatabaseError
from driftflow.model.catalog import Catalog
from driftflow.model.names import Name, Version

QUERIES = ("tables", "columns", "statistics", "foreign_keys", "triggers", "views", "routines", "partitions", "grants", "settings")
"""Names of the files in `catalog/mysql/`; those of checks and row versions depend on the server."""


def read_catalog(connection: Connection, *, relations: Sequence[Name] | None = None) -> Catalog:
    """The catalog of the database that the connection is in, with every text in the dialect's normal form.

    The whole database is a handful of queries, so `relations` narrows nothing; with them the catalog is the same. Raises DatabaseError
    where information_schema cannot be read, or no database is chosen; DatabaseFault where the connection is lost.
    """
    return dialect_named(connection.dialect).catalog(read_rows(connection))


def read_rows(connection: Connection) -> Rows:
    """What `dialect.catalog` takes: the rows of every query by its name, their columns in lower case."""
    try:
        database = _run(connection, "database")
        if database[0]["name"] is None:
            raise DatabaseError("DF-E410", "the URL names no database", hint="mysql://user@host:3306/database")
        rows: dict[str, list[dict[str, Any]]] = {"database": database}
        for name in QUERIES:
            rows[name] = _run(connection, name)
        _with_texts(connection, rows["triggers"])
        version = Version.parse(str(database[0]["version"]).partition("-")[0])
        mariadb = connection.dialect == "mariadb"
        if mariadb:
            rows["checks"] = _run(connection, "checks_mariadb")
        elif version >= CHECK_ENFORCED:
            rows["checks"] = _run(connection, "checks_mysql")
    except DatabaseFault as fault:
        if fault.kind is ErrorKind.CONNECTION_LOST:
            raise
        raise DatabaseError(
            "DF-E451", "the catalog could not be read", why=fault.message, hint="driftflow doctor    # which rights are missing"
        ) from fault
    rows["unseen"] = []
    if not mariadb and version >= INSTANT_ANYWHERE:
        try:
            rows["row_versions"] = _run(connection, "row_versions")
        except DatabaseFault:
            why = "how many row versions a table has used needs the PROCESS right: GRANT PROCESS ON *.* TO …"
            rows["unseen"].append({"sentence": why})
    return rows


def _run(connection: Connection, name: str) -> list[dict[str, Any]]:
    return [{key.lower(): value for key, value in row.items()} for row in connection.query_dicts(_query(name))]


def _with_texts(connection: Connection, triggers: Sequence[dict[str, Any]]) -> None:
    """`statement` beside what information_schema says, which shows some literals without their character set."""
    for row in triggers:
        name = f"{quote(str(row['trigger_schema']))}.{quote(str(row['trigger_name']))}"
        try:
            row["statement"] = str(connection.query(f"SHOW CREATE TRIGGER {name}")[0][2])
        except DatabaseFault as fault:  # It has gone meanwhile, or may be seen and not read.
            if fault.kind is ErrorKind.CONNECTION_LOST:
                raise


@cache
def _query(name: str) -> str:
    return resources.files("driftflow.drivers").joinpath("catalog", "mysql", f"{name}.sql").read_text()
