"""Queries that a server has counted: pg_stat_statements on PostgreSQL, the statement digests of performance_schema on MySQL and MariaDB."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

from driftflow.drivers.urls import connector_for
from driftflow.engine.ports import Connection, DatabaseFault
from driftflow.errors import DatabaseError
from driftflow.patterns import lazy_regex
from driftflow.usage.recorded import Recorded

QUERIES_MAX = 20_000
POSTGRESQL = f"""
SELECT s.query, sum(s.calls) FROM pg_stat_statements s JOIN pg_catalog.pg_database d ON d.oid = s.dbid
WHERE d.datname = current_database() AND s.query !~* '\\mpg_(catalog|class|attribute|namespace|type|proc|stat_\\w+)\\M|\\minformation_schema\\M|driftflow'
GROUP BY s.query ORDER BY 2 DESC LIMIT {QUERIES_MAX}
"""
MYSQL = f"""
SELECT digest_text, count_star, {{sample}} FROM performance_schema.events_statements_summary_by_digest
WHERE schema_name = DATABASE() AND digest_text IS NOT NULL AND count_star > sum_errors
AND digest_text NOT LIKE '%information_schema%' AND digest_text NOT LIKE '%performance_schema%'
AND digest_text NOT LIKE '%driftflow%' ORDER BY count_star DESC LIMIT {QUERIES_MAX}
"""
"""A digest that always ended in an error is nobody's working query. Questions about the server's own catalogs, ours among them, break with no
migration."""
HIDDEN = "<insufficient privilege>"
PREPARED = lazy_regex(r"(?:PREPARE|EXECUTE)\s+(?=(?:SELECT|INSERT|UPDATE|DELETE|REPLACE|WITH)\b)")
"""MySQL writes the text behind these two words where MariaDB writes the statement's name."""


def recorded_queries(url: str, *, password_command: str = "") -> tuple[Recorded, ...]:
    """All of them, most often called first. Only reads. Raises DatabaseError where the server records none."""
    connector = connector_for(url, password_command=password_command, read_only=True, statement_timeout_ms=60_000)
    with closing(connector.connect("compat")) as connection:
        try:
            found = tuple(_of(connection, connector.display))
        except DatabaseFault as fault:
            raise _none(connection.dialect, connector.display, fault.message) from fault
    if not found:
        raise _none(connection.dialect, connector.display, "it has seen none in this database since its statistics were reset")
    return found


def _of(connection: Connection, display: str) -> Iterator[Recorded]:
    match connection.dialect:
        case "postgresql":
            for query, calls in connection.query(POSTGRESQL):
                hidden = "the server hides it: GRANT pg_read_all_stats TO …" if query == HIDDEN else ""
                yield Recorded(text=str(query), calls=int(calls), origin="pg_stat_statements", unusable=hidden)
        case "mysql" | "mariadb":
            yield from _digests(connection)
        case _:
            raise _none(connection.dialect, display, "SQLite records no queries")


def _digests(connection: Connection) -> Iterator[Recorded]:
    has_sample = connection.query(
        "SELECT count(*) FROM information_schema.columns WHERE table_schema = 'performance_schema' "
        "AND table_name = 'events_statements_summary_by_digest' AND column_name = 'QUERY_SAMPLE_TEXT'"
    )[0][0]
    ((longest,),) = connection.query("SELECT @@performance_schema_max_digest_length")
    for digest, calls, sample in connection.query(MYSQL.format(sample="query_sample_text" if has_sample else "NULL")):
        text = PREPARED.sub("", str(digest).strip(), count=1)
        yield Recorded(
            text=text,
            calls=int(calls),
            origin="performance_schema",
            digest=True,
            # The server cuts what it keeps of a digest, in its own counting, and does not say so.
            cut=len(text) > int(longest) * 3 // 4,
            sample=str(sample or ""),
        )


def _none(dialect: str, display: str, why: str) -> DatabaseError:
    hint = {
        "postgresql": "shared_preload_libraries = 'pg_stat_statements', then CREATE EXTENSION pg_stat_statements",
        "sqlite": "--queries FILE",
    }.get(dialect, "performance_schema = ON, and SELECT on performance_schema")
    return DatabaseError("DF-E481", "the server has recorded no queries that we can read", where=display, why=why, hint=hint)
