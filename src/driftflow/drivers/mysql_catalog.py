"""The structure of a live MySQL or MariaDB database: one query of information_schema per kind of object, whatever the number of tables.

A query of some tables has their names in it: both servers then open these, and not every table of the database.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any

from driftflow.config import Policy
from driftflow.dialects.base import ErrorKind, Rows
from driftflow.dialects.mysql.capabilities import CHECK_ENFORCED, INSTANT_ANYWHERE
from driftflow.dialects.mysql.keywords import quote
from driftflow.dialects.registry import dialect_named
from driftflow.engine.ports import Connection, DatabaseFault
from driftflow.errors import DatabaseError
from driftflow.model.catalog import Catalog, is_ours
from driftflow.model.names import Name, Version

COUNTED_ROWS = Policy().small_table_rows
"""Up to so many rows of a table that is said to be empty are counted."""
COUNTED_MS = 1_000
COUNTED_AT_ONCE = 250
"""Tables in one statement."""

STRUCTURE = ("views", "tables", "columns", "statistics", "foreign_keys", "triggers", "partitions")
REST = ("routines", "grants", "settings")
"""Names of the files in `catalog/mysql/`; those of checks and row versions depend on the server."""
TEXTS = {"triggers": ("trigger_name", 2), "views": ("table_name", 1), "routines": ("routine_name", 2)}
"""Where the name of each stands in its row, and the text in what SHOW CREATE says."""
OPTIONS = ("start_value", "minimum_value", "maximum_value", "increment", "cache_size", "cycle_option")
"""Of a sequence, as its columns are called."""
RELATIONS = ":relations"
"""Stands in the lines of a query that narrow it to some tables."""


def read_catalog(connection: Connection, *, relations: Sequence[Name] | None = None) -> Catalog:
    """The catalog of the database that the connection is in, with every text in the dialect's normal form.

    With `relations` (none: all of them) only their structure is read, and that of the views that read them, without triggers of ours: what a fingerprint
    of them needs; the catalog then counts as incomplete. Raises DatabaseError where information_schema cannot be read, or no database is chosen;
    DatabaseFault where the connection is lost.
    """
    return dialect_named(connection.dialect).catalog(read_rows(connection, relations=relations))


def read_rows(connection: Connection, *, relations: Sequence[Name] | None = None) -> Rows:
    """What `dialect.catalog` takes: the rows of every query by its name, their columns in lower case."""
    try:
        database = _run(connection, "database")
        if database[0]["name"] is None:
            raise DatabaseError("DF-E410", "the URL names no database", hint="mysql://user@host:3306/database")
        version = Version.parse(str(database[0]["version"]).partition("-")[0])
        if relations:
            return {"database": database, **_structure_of(connection, [one.name for one in relations], version)}
        rows = {"database": database, **{name: _run(connection, name) for name in (*STRUCTURE, *REST)}}
        rows["checks"] = _checks(connection, version)
        for name in TEXTS:
            _with_texts(connection, name, rows[name])
        _with_options(connection, rows["tables"])
        _count_the_empty(connection, rows["tables"])
    except DatabaseFault as fault:
        if fault.kind is ErrorKind.CONNECTION_LOST:
            raise
        raise DatabaseError(
            "DF-E451", "the catalog could not be read", why=fault.message, hint="driftflow doctor    # which rights are missing"
        ) from fault
    rows["unseen"] = []
    if connection.dialect != "mariadb" and version >= INSTANT_ANYWHERE:
        try:
            rows["row_versions"] = _run(connection, "row_versions")
        except DatabaseFault:
            why = "how many row versions a table has used needs the PROCESS right: GRANT PROCESS ON *.* TO …"
            rows["unseen"].append({"sentence": why})
    return rows


def _structure_of(connection: Connection, relations: Sequence[str], version: Version) -> dict[str, list[dict[str, Any]]]:
    views = [row for row in _run(connection, "views") if str(row["table_name"]) in relations or _mentions(row, relations)]
    wanted = [*relations, *(str(row["table_name"]) for row in views)]
    rows = {name: _run(connection, name, wanted) for name in STRUCTURE if name != "views"}
    rows["views"] = views
    rows["checks"] = _checks(connection, version, wanted)
    rows["triggers"] = [row for row in rows["triggers"] if not is_ours(str(row["trigger_name"]))]
    _with_texts(connection, "triggers", rows["triggers"])
    return {**rows, **{name: [] for name in REST}, "scope": [{"complete": False}]}


def _mentions(view: Mapping[str, Any], relations: Sequence[str]) -> bool:
    """Whether it may read one of them: the name stands somewhere in its text, in whatever quotes."""
    text = view["view_definition"] or ""
    bare = _unquoted(text.decode() if isinstance(text, bytes) else str(text))
    return any(_unquoted(name) in bare for name in relations)


def _unquoted(text: str) -> str:
    return text.casefold().translate(dict.fromkeys(map(ord, '`"')))


def _checks(connection: Connection, version: Version, relations: Sequence[str] | None = None) -> list[dict[str, Any]]:
    if connection.dialect == "mariadb":
        return _run(connection, "checks_mariadb", relations)
    return _run(connection, "checks_mysql", relations) if version >= CHECK_ENFORCED else []


def _run(connection: Connection, name: str, relations: Sequence[str] | None = None) -> list[dict[str, Any]]:
    text = _query(name, narrowed=relations is not None)
    count = text.count(RELATIONS)
    rows = connection.query_dicts(text.replace(RELATIONS, "%s"), [relations] * count) if count else connection.query_dicts(text)
    return [{key.lower(): value for key, value in row.items()} for row in rows]


def _with_texts(connection: Connection, query: str, rows: Sequence[dict[str, Any]]) -> None:
    """`statement` beside what information_schema says, which shows some literals of a trigger without their character set, and of a routine its body
    alone. What has gone meanwhile has none, nor what may be seen and not read."""
    name, place = TEXTS[query]
    for row in rows:
        kind = str(row["routine_type"]) if query == "routines" else query.removesuffix("s").upper()
        try:
            row["statement"] = connection.query(f"SHOW CREATE {kind} {quote(str(row[name]))}")[0][place]
        except DatabaseFault as fault:
            if fault.kind is ErrorKind.CONNECTION_LOST:
                raise


def _with_options(connection: Connection, tables: Sequence[dict[str, Any]]) -> None:
    """`sequence` of what MariaDB calls one: before 11.5 its options stand in itself alone. Who may not read it does not know them."""
    for row in tables:
        if row["table_type"] == "SEQUENCE":
            try:
                row["sequence"] = connection.query_dicts(f"SELECT {', '.join(OPTIONS)} FROM {quote(str(row['table_name']))}")[0]
            except DatabaseFault as fault:
                if fault.kind is ErrorKind.CONNECTION_LOST:
                    raise


def _count_the_empty(connection: Connection, tables: Sequence[dict[str, Any]]) -> None:
    """A table without rows is taken for one that nobody has to wait for, and InnoDB says none of one whose statistics were not recalculated since it was
    empty (right after it was opened again, or for ever under STATS_AUTO_RECALC=0). What cannot be counted, or not so far, is unknown."""
    kinds = {"BASE TABLE", "SYSTEM VERSIONED"}
    empty = [row for row in tables if row["table_type"] in kinds and row["table_rows"] is not None and not int(row["table_rows"])]
    for start in range(0, len(empty), COUNTED_AT_ONCE):
        some = empty[start : start + COUNTED_AT_ONCE]
        counted: list[int | None]
        try:
            counted = [*_counts(connection, some)]
        except DatabaseFault:
            counted = [count for row in some for count in _count_alone(connection, row)]
        for row, count in zip(some, counted, strict=True):
            row["table_rows"] = count if count is not None and count <= COUNTED_ROWS else None


def _count_alone(connection: Connection, row: dict[str, Any]) -> list[int | None]:
    try:
        return [*_counts(connection, [row])]
    except DatabaseFault as fault:  # No right to read it, somebody alters it, or it is gone.
        if fault.kind is ErrorKind.CONNECTION_LOST:
            raise
        return [None]


def _counts(connection: Connection, tables: Sequence[dict[str, Any]]) -> list[int]:
    one = f"SELECT %d AS n, COUNT(*) AS c FROM (SELECT 1 FROM %s LIMIT {COUNTED_ROWS + 1}) AS counted"
    names = (f"{quote(str(row['table_schema']))}.{quote(str(row['table_name']))}" for row in tables)
    text = " UNION ALL ".join(one % (number, name) for number, name in enumerate(names))
    if connection.dialect == "mariadb":
        text = f"SET STATEMENT max_statement_time = {COUNTED_MS / 1000} FOR {text}"
    else:
        text = text.replace("SELECT", f"SELECT /*+ MAX_EXECUTION_TIME({COUNTED_MS}) */", 1)
    return [int(count) for _, count in sorted(connection.query(text))]


@cache
def _query(name: str, *, narrowed: bool) -> str:
    text = resources.files("driftflow.drivers").joinpath("catalog", "mysql", f"{name}.sql").read_text()
    return text if narrowed else "\n".join(line for line in text.splitlines() if RELATIONS not in line)
