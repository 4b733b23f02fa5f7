"""`if-unused`: a column goes only when its rows say nothing and no recorded query names it since a day. What cannot be seen is said.

The absence of evidence is all that there is. So what makes it weak is looked at too: since when the server records, entries for which it had no room,
queries that read every column, and replicas, each of which records for itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.model.catalog import Column, Table
from driftflow.model.plan import Guard
from driftflow.strategies.drops.said_columns import DropRequest
from driftflow.strategies.recipe import bounded_count

UNSEEN = "code that did not run since then, and replicas that are not named (--replica-url), leave no evidence"
ROWS_CAP_MS = 30_000


def guards(at: Situation, table: Table, columns: tuple[Column, ...], request: DropRequest) -> Iterator[Guard]:
    """Asked before the first step of the drop: each refuses with what it found, as counts and fingerprints and never as values."""
    for column in columns:
        yield _says_nothing(at, table, column)
    if at.can(Capability.QUERY_STATISTICS):
        yield from _statistics(at, table, columns, request)
    elif at.can(Capability.QUERY_DIGESTS):
        yield from _digests(at, table, columns, request)


def _says_nothing(at: Situation, table: Table, column: Column) -> Guard:
    target, quoted = at.dialect.quote_name(table.name), at.dialect.quote(column.name)
    default = column.default or "NULL"
    different = f"{quoted} IS NOT NULL" if default.upper() == "NULL" else f"{quoted} IS NOT NULL AND {quoted} <> ({default})"
    return Guard(
        query=bounded_count(f"SELECT 1 FROM {target} WHERE {different}"),
        summary=f"{table.name.name}.{column.name} is in use: {{count}} rows (counted to 1,000) hold something else than its default",
        hint=f"archive it instead: -- driftflow: archive; or look: SELECT count(*) FROM {target} WHERE {different}",
        cap_ms=ROWS_CAP_MS,
    )


def _statistics(at: Situation, table: Table, columns: tuple[Column, ...], request: DropRequest) -> Iterator[Guard]:
    """pg_stat_statements counts since its last reset, and says of no entry when it was last seen: so the reset must lie before the day, or nothing
    is known about it, and every entry that is there counts. When it is full it forgets the queries that ran least."""
    since, day = request.unused_since, at.dialect.literal(request.unused_since)
    yield Guard(
        query=f"SELECT count(*) FROM pg_stat_statements_info WHERE stats_reset > timestamptz {day}",
        summary=f"nothing is known about queries since {since}: pg_stat_statements was reset after that day",
        hint="take a later day, not before: SELECT stats_reset FROM pg_stat_statements_info",
        everywhere=True,
    )
    yield _evictions(
        request,
        "SELECT dealloc FROM pg_stat_statements_info",
        f"pg_stat_statements was full {{count}} times since its reset (dealloc), and forgot rare queries: whether they named {table.name.name} is not known",
        "pg_stat_statements.max",
    )
    names_table = _word(at, table.name.name, r"\m", r"\M")
    names_column = _word(at, "|".join(column.name for column in columns), r"\m", r"\M")
    where = (
        "dbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())"
        " AND query !~* 'driftflow|AS offenders' AND query ~* '^\\s*(select|insert|update|delete|merge|with|copy|table)\\M'"
        f" AND query ~* {names_table}"
        f" AND (query ~* {names_column}"
        " OR query ~* '(^|select|,)\\s*(distinct\\s+)?(\\w+\\.)?\\*\\s*(,|from)')"
    )
    yield Guard(
        query=f"SELECT count(*) FROM pg_stat_statements WHERE {where}",
        summary=_found(table, columns, "pg_stat_statements"),
        hint=f"which: SELECT queryid, calls FROM pg_stat_statements WHERE {where}",
        everywhere=True,
    )


def _digests(at: Situation, table: Table, columns: tuple[Column, ...], request: DropRequest) -> Iterator[Guard]:
    """performance_schema says of each digest when it was last seen. It begins anew with the server; when it is full, what is new has no entry, and the one
    without a digest counts it (Performance_schema_digest_lost)."""
    source, since = "performance_schema.events_statements_summary_by_digest", request.unused_since
    words = "|".join(re.escape(column.name) for column in columns)
    where = (
        f"schema_name = DATABASE() AND last_seen >= {at.dialect.literal(since)}"
        " AND LOWER(digest_text) NOT LIKE '%driftflow%' AND LOWER(digest_text) NOT LIKE '%offenders%'"
        " AND LOWER(digest_text) REGEXP '^ *(select|insert|update|delete|replace|with)'"
        f" AND LOWER(digest_text) REGEXP {at.dialect.literal(f'(^|[^a-z0-9_]){re.escape(table.name.name.lower())}([^a-z0-9_]|$)')}"
        f" AND (LOWER(digest_text) REGEXP {at.dialect.literal(f'(^|[^a-z0-9_])({words.lower()})([^a-z0-9_]|$)')}"
        # Not `. *` alone: the digest of an INSERT of several rows ends with a comment, `/* , ... */`.
        " OR LOWER(digest_text) REGEXP '(^select|[.,]|distinct(row)?) [*] (,|from)')"
    )
    yield Guard(
        query=f"SELECT count(*) FROM {source} WHERE {where}",
        summary=_found(table, columns, "performance_schema", since),
        hint=f"which: SELECT digest, count_star, last_seen FROM {source} WHERE {where}",
        everywhere=True,
    )
    yield Guard(
        query="SELECT CASE WHEN @@performance_schema = 1 THEN 1 ELSE 0 END",
        refuse_if="zero",
        summary=f"nothing is known about queries since {since}: performance_schema is off",
        hint="performance_schema = ON, and wait; or archive the column instead: -- driftflow: archive",
        everywhere=True,
    )
    yield Guard(
        query=f"SELECT count(*) FROM {source} WHERE first_seen < {at.dialect.literal(since)}",
        refuse_if="zero",
        summary=f"nothing is known about queries since {since}: performance_schema holds nothing from before that day",
        hint=f"the server was started later, or the table was emptied; take a later day: SELECT min(first_seen) FROM {source}",
        everywhere=True,
    )
    yield _evictions(
        request,
        f"SELECT COALESCE(SUM(count_star), 0) FROM {source} WHERE digest IS NULL AND last_seen >= {at.dialect.literal(since)}",
        f"{{count}} statements since {since} found no place among the digests: whether they named {table.name.name} is not known",
        "performance_schema_digests_size",
    )


def _evictions(request: DropRequest, query: str, summary: str, setting: str) -> Guard:
    """What the server had no room for refuses, unless the author accepted that: then it is told."""
    return Guard(
        query=query,
        refuse_if="never" if request.evicted else "not_zero",
        summary=summary,
        hint=f"a larger {setting}, and wait; or accept it: -- driftflow: if-unused since={request.unused_since.replace(' ', 'T')} evicted=accept",
        everywhere=True,
    )


def _found(table: Table, columns: tuple[Column, ...], where: str, since: str = "") -> str:
    names = ", ".join(column.name for column in columns)
    seen = f" since {since}" if since else ""
    return (
        f"{table.name.name}.{names} is in use{seen}: {{count}} recorded queries ({where}) name it, or read every column with `*`"
    )


def _word(at: Situation, words: str, begin: str, end: str) -> str:
    escaped = "|".join(re.escape(word) for word in words.split("|"))
    return at.dialect.literal(f"{begin}({escaped}){end}")


def said(at: Situation, since: str) -> str:
    """What a reader of the plan is told about the evidence."""
    if at.can(Capability.QUERY_STATISTICS) or at.can(Capability.QUERY_DIGESTS):
        return f"if there is no evidence of use since {since} ({UNSEEN})"
    return f"if its rows say nothing (this server records no queries: about use since {since} nothing is known)"
