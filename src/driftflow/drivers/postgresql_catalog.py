"""The structure of a live PostgreSQL database: one named query per kind of object, whatever the number of tables.

Everything is read in one read-only snapshot with an empty search_path and short lock waits: the reading never makes anyone queue behind it
for long, and every text that comes back means the same in every session.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from importlib import resources
from typing import Any

from driftflow.dialects.base import ErrorKind, Rows
from driftflow.dialects.postgresql.names import quote_text
from driftflow.dialects.registry import dialect_named
from driftflow.engine.ports import Connection, DatabaseFault
from driftflow.errors import DatabaseError
from driftflow.model.catalog import Catalog
from driftflow.model.names import Name
from driftflow.patterns import lazy_regex

STRUCTURE = ("tables", "columns", "constraints", "indexes", "triggers", "policies", "rules", "views", "view_dependencies")
REST = (
    "schemas",
    "sequences",
    "routines",
    "types",
    "extended_statistics",
    "extensions",
    "publications",
    "subscriptions",
    "default_rights",
)
"""Names of the files in `catalog/postgresql/`; `database` comes before them, `activity` only when rates are wanted."""

LOCK_WAIT_MS = 1_000
TRIES = 3
VANISHED = frozenset({"42P01", "42704", "XX000"})
"""An object that was dropped while we read: undefined table, undefined object, `cache lookup failed`."""
VERSION_MARK = lazy_regex(r"^(?P<text>.*?)\s*-- (?P<word>since|before) (?P<version>\d+)\s*$")
RELATIONS = ":relations"


def read_catalog(connection: Connection, *, relations: Sequence[Name] | None = None, sample_seconds: float = 0) -> Catalog:
    """The catalog of the database that the connection is in, with every text in the dialect's normal form.

    With `relations` (none: all of them) only their structure is read, and that of the views that read them: what a fingerprint of them needs; the
    catalog then counts as incomplete. `sample_seconds` adds writes and reads per second, from two samples that far apart. Inside a transaction of
    the caller, its own changes are seen. Raises DatabaseError when a relation stays locked, or when the structure keeps changing while it
    is read.
    """
    rows = read_rows(connection, relations=relations, sample_seconds=sample_seconds)
    return dialect_named("postgresql").catalog(rows)


def read_rows(connection: Connection, *, relations: Sequence[Name] | None = None, sample_seconds: float = 0) -> Rows:
    """What `dialect.catalog` takes: the rows of every query by its name."""
    rates = _rates(connection, sample_seconds) if sample_seconds > 0 else []
    for attempt in range(1, TRIES + 1):
        try:
            with _snapshot(connection, whole=not relations) as database:
                rows: dict[str, list[dict[str, Any]]] = {"database": [database]}
                if relations:
                    rows |= _structure_of(connection, relations)
                else:
                    rows |= {name: _run(connection, name) for name in (*STRUCTURE, *REST)}
        except DatabaseFault as fault:
            if connection.in_transaction or attempt == TRIES or not _passes(fault):
                raise _unreadable(fault) from fault
        else:
            return {**rows, "rates": rates, "scope": [{"complete": not relations}]}
    raise AssertionError("the loop returns or raises")


def _passes(fault: DatabaseFault) -> bool:
    return fault.code in VANISHED or fault.kind is ErrorKind.LOCK_TIMEOUT


def _unreadable(fault: DatabaseFault) -> DatabaseError:
    if fault.kind is ErrorKind.LOCK_TIMEOUT:
        return DatabaseError(
            "DF-E450",
            "the catalog could not be read: a relation is locked exclusively",
            why=f"{fault.message}; {TRIES} tries of {LOCK_WAIT_MS} ms each",
            hint="driftflow doctor names the session that holds the lock",
        )
    return DatabaseError(
        "DF-E451",
        "the catalog could not be read",
        why=f"{fault.message} (SQLSTATE {fault.code or 'unknown'})",
        hint="driftflow doctor",
    )


@contextmanager
def _snapshot(connection: Connection, *, whole: bool) -> Iterator[dict[str, Any]]:
    """One consistent view for all queries; the caller's settings come back at the end. Gives the row of database.sql.

    Reading everything joins in the order that the queries are written in: looking for a better one takes the server as long as reading a hundred
    tables.
    """
    own = not connection.in_transaction
    if own:
        connection.begin(write=False)
    try:
        if own:
            connection.execute("set transaction isolation level repeatable read, read only")
        path = connection.query("select current_setting('search_path'), current_schemas(false)::text[]")[0]
        database = _run(connection, "database")[0]
        if own:
            connection.set_timeouts(lock_ms=LOCK_WAIT_MS)
            if whole:
                connection.query("select set_config('join_collapse_limit', '1', true)")
        connection.query("select set_config('search_path', '', true)")
        yield {**database, "search_path": path[1]}
        if not own:
            connection.query("select set_config('search_path', %s, true)", (path[0],))
    finally:
        if own:
            connection.rollback()


def _structure_of(connection: Connection, relations: Sequence[Name]) -> dict[str, list[dict[str, Any]]]:
    """A run asks for the same after each of its steps, and planning these queries takes the server many times as long as answering them: they are
    prepared once per session. The server is asked which ones are, so that a pooler may give us another session meanwhile."""
    prepared = {name for (name,) in connection.query("select name from pg_prepared_statements")}

    def run(name: str, values: Mapping[str, Iterable[str]]) -> list[dict[str, Any]]:
        text = sql(name, connection.version.major)
        for mark, said in values.items():
            text = text.replace(mark, f"array[{', '.join(said)}]")
        known_as = f"driftflow_{hashlib.sha256(text.encode()).hexdigest()[:16]}"
        if known_as not in prepared:
            connection.execute(f"prepare {known_as} as {text}")
        return connection.query_dicts(f"execute {known_as}")

    named = {":schemas": [quote_text(one.schema) for one in relations], ":names": [quote_text(one.name) for one in relations]}
    wanted = [str(row["oid"]) for row in run("relations", named)]
    return {**{name: run(name, {RELATIONS: wanted}) for name in STRUCTURE}, **{name: [] for name in REST}}


def _run(connection: Connection, name: str) -> list[dict[str, Any]]:
    return connection.query_dicts(sql(name, connection.version.major).replace(RELATIONS, "null"))


@cache
def sql(name: str, version: int) -> str:
    """One named query, with the lines that this server version has: `-- since 14` and `-- before 14` mark the others."""
    text = resources.files("driftflow.drivers").joinpath("catalog", "postgresql", f"{name}.sql").read_text("utf-8")
    return "\n".join(line for raw in text.splitlines() if (line := _line(raw, version)) is not None)


def _line(raw: str, version: int) -> str | None:
    line, keep = raw, True
    while (mark := VERSION_MARK.match(line)) is not None:
        since = version >= int(mark["version"])
        keep = keep and (since if mark["word"] == "since" else not since)
        line = mark["text"]
    return line if keep else None


def _rates(connection: Connection, seconds: float) -> list[dict[str, Any]]:
    """Per second between two samples. The server hands its counters on about once a second, so shorter samples say little."""
    before = {(row["schema"], row["name"]): row for row in _counters(connection)}
    time.sleep(seconds)
    rates = []
    for row in _counters(connection):
        first = before.get((row["schema"], row["name"]))
        elapsed = row["at"] - first["at"] if first else 0.0
        if first is None or elapsed <= 0:
            continue
        rates.append(
            {
                "schema": row["schema"],
                "name": row["name"],
                "writes_per_second": max(0, row["writes"] - first["writes"]) / elapsed,
                "reads_per_second": max(0, row["reads"] - first["reads"]) / elapsed,
            }
        )
    return rates


def _counters(connection: Connection) -> list[dict[str, Any]]:
    connection.query("select pg_stat_clear_snapshot()")
    return _run(connection, "activity")
