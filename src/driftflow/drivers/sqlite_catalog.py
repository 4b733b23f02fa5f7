"""Read the catalog of a SQLite database through a Connection: a handful of queries, whatever the number of tables.

SQLite keeps CREATE statements, so most of the catalog is one query on sqlite_schema. Sizes are estimated without reading tables: `max(rowid)` is
a look at one end of a tree, and a count stops after 10,001 rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from driftflow.config import Policy
from driftflow.dialects.base import Rows
from driftflow.dialects.sqlite import SQLite
from driftflow.dialects.sqlite.keywords import quote, quote_string
from driftflow.engine.ports import Connection, DatabaseFault
from driftflow.model.catalog import Catalog
from driftflow.model.names import Name

COUNT_MAX = Policy().small_table_rows
"""Up to this many rows a table is counted exactly."""
DBSTAT_BYTES_MAX = 64 << 20
"""dbstat reads every page of the file: only small files are measured with it."""
_TERMS_MAX = 200
"""SQLite takes 500 terms of a compound SELECT at most, and every one costs parse time."""

SCHEMA_SQL = "SELECT type, name, tbl_name, sql FROM main.sqlite_master ORDER BY rowid"
COLUMNS_SQL = """
SELECT m.name AS table_name, x.name, x.type, x."notnull", x.dflt_value, x.pk, x.hidden
FROM main.sqlite_master AS m JOIN pragma_table_xinfo(m.name) AS x
WHERE m.type = 'table' {only}
ORDER BY m.rowid, x.cid
"""
SHADOW_SQL = "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'shadow'"
_SHADOW_SUFFIXES = ("content", "segments", "segdir", "docsize", "stat", "data", "idx", "config", "node", "rowid", "parent")
STAT1_SQL = "SELECT tbl AS name, max(CAST(substr(stat, 1, instr(stat || ' ', ' ') - 1) AS INTEGER)) AS rows FROM main.sqlite_stat1 GROUP BY tbl"
DBSTAT_SQL = """
SELECT m.tbl_name AS name, sum(s.pgsize) AS bytes, sum(CASE WHEN m.type = 'table' THEN s.pgsize ELSE 0 END) AS table_bytes
FROM dbstat('main') AS s JOIN main.sqlite_master AS m ON m.name = s.name GROUP BY m.tbl_name
"""
SETTINGS = (
    "foreign_keys",
    "journal_mode",
    "page_size",
    "page_count",
    "wal_autocheckpoint",
    "encoding",
    "legacy_alter_table",
    "recursive_triggers",
    "auto_vacuum",
    "synchronous",
    "user_version",
    "application_id",
)


def read_catalog(connection: Connection, *, relations: Sequence[Name] | None = None) -> Catalog:
    """The catalog of `main`, with sizes. Inside a transaction of the caller, its own changes are seen.

    The whole structure is one query, so `relations` narrows nothing of it; with them sizes are left out, which a fingerprint does not need.
    """
    return SQLite().catalog(read_rows(connection, sizes=relations is None))


def read_rows(connection: Connection, *, sizes: bool = True) -> Rows:
    """What the dialect makes a catalog of. Raises DatabaseFault."""
    schema = connection.query_dicts(SCHEMA_SQL)
    settings = _settings(connection)
    shadows = _shadows(connection, schema)
    tables = [
        row
        for row in schema
        if row["type"] == "table" and row["name"] not in shadows and not str(row["name"]).startswith("sqlite_") and row["sql"]
    ]
    real = [row for row in tables if not _is_virtual(row)]
    return {
        "schema": schema,
        "settings": [{"name": name, "value": value} for name, value in settings.items()],
        "columns": _columns(connection, tables),
        "shadow": [{"name": name} for name in sorted(shadows)],
        "statistics": _statistics(connection, real, schema, settings) if sizes else [],
    }


def _settings(connection: Connection) -> dict[str, str]:
    found = {"version": str(connection.version)}
    for name in SETTINGS:
        rows = connection.query(
            f"PRAGMA main.{name}" if name in {"journal_mode", "page_size", "page_count"} else f"PRAGMA {name}"
        )
        if rows:
            found[name] = str(rows[0][0])
    found["library_version"] = str(connection.query("SELECT sqlite_version()")[0][0])
    found["version"] = found["library_version"]
    files = connection.query("PRAGMA database_list")
    found["file"] = next((str(row[2]) for row in files if row[1] == "main"), "")
    return found


def _is_virtual(row: dict[str, Any]) -> bool:
    return str(row["sql"])[:15].upper().startswith("CREATE VIRTUAL ")


def _shadows(connection: Connection, schema: Sequence[dict[str, Any]]) -> set[str]:
    """Tables in which a virtual table keeps its content. pragma_table_list knows them since 3.37; before, the names must do."""
    virtual = [str(row["name"]) for row in schema if row["type"] == "table" and row["sql"] and _is_virtual(row)]
    if not virtual:
        return set()
    try:
        return {str(row[0]) for row in connection.query(SHADOW_SQL)}
    except DatabaseFault:
        names = {str(row["name"]) for row in schema}
        return {name for table in virtual for suffix in _SHADOW_SUFFIXES if (name := f"{table}_{suffix}") in names}


def _columns(connection: Connection, tables: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """One query for all. It fails as a whole when the module of one virtual table is not loaded: then they are asked for one by one."""
    if not tables:
        return []
    try:
        return connection.query_dicts(COLUMNS_SQL.format(only=""))
    except DatabaseFault:
        found = connection.query_dicts(COLUMNS_SQL.format(only="AND upper(substr(m.sql, 1, 15)) <> 'CREATE VIRTUAL '"))
    for row in tables:
        if _is_virtual(row):
            try:
                found += connection.query_dicts(COLUMNS_SQL.format(only=f"AND m.name = {quote_string(str(row['name']))}"))
            except DatabaseFault:
                continue  # the table stays in the catalog, without columns
    return found


# sizes


def _statistics(
    connection: Connection,
    tables: Sequence[dict[str, Any]],
    schema: Sequence[dict[str, Any]],
    settings: dict[str, str],
) -> list[dict[str, Any]]:
    names = [str(row["name"]) for row in tables]
    analyzed: dict[str, int] = {}
    if any(row["name"] == "sqlite_stat1" for row in schema):
        analyzed = {str(row["name"]): int(row["rows"]) for row in connection.query_dicts(STAT1_SQL) if row["name"]}
    spans = _spans(connection, [str(row["name"]) for row in tables if _has_plain_rowid(row)])
    counted = _counts(connection, [name for name in names if spans.get(name, COUNT_MAX + 1) > COUNT_MAX])
    sizes = _sizes(connection, settings)
    found = []
    for name in names:
        rows, basis = _estimate(name, spans, counted, analyzed)
        found.append({"name": name, "rows": rows, "basis": basis, **sizes.get(name, {})})
    return found


def _estimate(name: str, spans: dict[str, int], counted: dict[str, int], analyzed: dict[str, int]) -> tuple[int | None, str]:
    """A bound that makes the table small, else its exact small count, else the larger of what ANALYZE saw and what rowids allow."""
    span, count = spans.get(name), counted.get(name)
    if count is not None and count <= COUNT_MAX:
        return count, "count(*)"
    if span is not None and span <= COUNT_MAX:
        return span, "max(rowid)"
    if analyzed.get(name, 0) > COUNT_MAX:
        return analyzed[name], "sqlite_stat1"
    return (span, "max(rowid)") if span is not None else (None, "")


def _has_plain_rowid(row: dict[str, Any]) -> bool:
    """Asked of the text: where it mentions either, `max(rowid)` may not be what it seems."""
    text = str(row["sql"]).upper()
    return "ROWID" not in text


def _spans(connection: Connection, names: Sequence[str]) -> dict[str, int]:
    """max(rowid) - min(rowid) + 1: never less than the number of rows."""
    found: dict[str, int] = {}
    for batch in _batches(names):
        terms = (
            f"SELECT {quote_string(name)} AS name, (SELECT max(rowid) FROM main.{quote(name)}) AS high, "
            f"(SELECT min(rowid) FROM main.{quote(name)}) AS low"
            for name in batch
        )
        for row in connection.query_dicts(" UNION ALL ".join(terms)):
            found[str(row["name"])] = 0 if row["high"] is None else int(row["high"]) - int(row["low"]) + 1
    return found


def _counts(connection: Connection, names: Sequence[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for batch in _batches(names):
        terms = (
            f"SELECT {quote_string(name)} AS name, (SELECT count(*) FROM (SELECT 1 FROM main.{quote(name)} LIMIT {COUNT_MAX + 1})) AS rows"
            for name in batch
        )
        found.update({str(row["name"]): int(row["rows"]) for row in connection.query_dicts(" UNION ALL ".join(terms))})
    return found


def _batches(names: Sequence[str]) -> list[Sequence[str]]:
    return [names[at : at + _TERMS_MAX] for at in range(0, len(names), _TERMS_MAX)]


def _sizes(connection: Connection, settings: dict[str, str]) -> dict[str, dict[str, int]]:
    """Bytes by table, where the file is small and the library has dbstat."""
    file_bytes = int(settings.get("page_size", "0")) * int(settings.get("page_count", "0"))
    if file_bytes > DBSTAT_BYTES_MAX:
        return {}
    try:
        rows = connection.query_dicts(DBSTAT_SQL)
    except DatabaseFault:  # built without SQLITE_ENABLE_DBSTAT_VTAB
        return {}
    return {str(row["name"]): {"bytes": int(row["bytes"]), "table_bytes": int(row["table_bytes"])} for row in rows}
