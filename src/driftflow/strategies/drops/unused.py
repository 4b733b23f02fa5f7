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
        query="SELECT count(*) FROM (SELECT to_regclass('pg_stat_statements_info') AS found) AS s WHERE found IS NOT NULL",
        refuse_if="zero",
        summary=f"nothing is known about queries since {since}: this database has no pg_stat_statements (1.9 or later) in its search_path",
        hint="shared_preload_libraries = 'pg_stat_statements', CREATE EXTENSION pg_stat_statements, and wait; or archive the column instead: -- driftflow: archive",
        everywhere=True,
    )
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
    yield Guard(
        query="SELECT CASE WHEN COALESCE(current_setting('pg_stat_statements.track', true), 'none') = 'none' THEN 0 ELSE 1 END",
        refuse_if="zero",
        summary=f"nothing is known about queries since {since}: pg_stat_statements records none (pg_stat_statements.track)",
        hint="pg_stat_statements.track = top, and wait; or archive the column instead: -- driftflow: archive",
        everywhere=True,
    )
    here = "dbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())"
    hidden = f"{here} AND (query IS NULL OR query = '<insufficient privilege>')"
    yield Guard(
        query=f"SELECT count(*) FROM pg_stat_statements WHERE {hidden}",
        summary=f"{{count}} recorded queries do not show their text: whether they named {table.name.name} is not known",
        hint="GRANT pg_read_all_stats TO the role that runs driftflow; a text that the server lost comes back with SELECT pg_stat_statements_reset() and time",
        everywhere=True,
    )
    literal = at.dialect.literal
    uses = " OR ".join(f"query ~* {literal(one)}" for one in _uses(table.name.name, columns))
    where = (
        f"{here} AND query !~* 'driftflow|AS offenders' AND query ~* {literal(COMMANDS)}"
        f" AND query ~* {_word(at, table.name.name)} AND ({uses})"
    )
    yield Guard(
        query=f"SELECT count(*) FROM pg_stat_statements WHERE {where}",
        summary=_found(table, columns, "pg_stat_statements"),
        hint=f"which: SELECT queryid, calls FROM pg_stat_statements WHERE {where}",
        everywhere=True,
    )


COMMANDS = r"^(\s|\(|/\*.*?\*/|--[^\n]*\n)*(select|insert|update|delete|merge|with|copy|table|declare|prepare)\M"
"""Behind the comments that libraries put before a query."""
STARS = (r"(\.|,|\m(select|distinct|all|returning)\M)\s*\*", r"\)\s*\*\s*(,|\mfrom\M)")
"""`*` as a list of columns: not what count(*) has, and no multiplication."""


def _uses(table: str, columns: tuple[Column, ...]) -> Iterator[str]:
    """PostgreSQL's expressions for a text that names one of the columns, or all of them at once."""
    named = rf'(\w+\.|"[^"]+"\.)?"?{re.escape(table)}"?'
    begun = r"(^|\*/)\s*"
    yield rf"\m({'|'.join(re.escape(column.name) for column in columns)})\M"
    yield from STARS
    # Values in the order of the columns.
    yield rf'\minto\s+{named}(\s+as\s+"?\w+"?)?\s*(\(\s*)?\m(values|select|table|with|overriding)\M'
    yield rf"{begun}(copy\s+{named}\s+(to|from)|table\s)"
    # The row as one value: row_to_json(o).
    yield rf'\(\s*"?(\w+)"?\s*[),].*{named}\s+(as\s+)?"?\1\M'
    yield rf'\(\s*"?{re.escape(table)}"?\s*[),]'


def _digests(at: Situation, table: Table, columns: tuple[Column, ...], request: DropRequest) -> Iterator[Guard]:
    """performance_schema says of each digest when it was last seen. It begins anew with the server; when it is full, what is new has no entry, and the one
    without a digest counts it (Performance_schema_digest_lost)."""
    source, since = "performance_schema.events_statements_summary_by_digest", request.unused_since
    literal, name = at.dialect.literal, table.name.name.lower()
    recent = f"last_seen >= {literal(since)}"
    text = "LOWER(digest_text)"
    # Whoever says the database's name may be in another one, or in none.
    here = f"(schema_name = DATABASE() OR LOCATE(LOWER(CONCAT('`', DATABASE(), {literal(f'` . `{name}`')})), {text}) > 0)"
    uses = " OR ".join(f"{text} REGEXP {literal(one)}" for one in _digest_uses(name, columns))
    where = (
        f"{recent} AND {here} AND {text} NOT LIKE '%driftflow%' AND {text} NOT LIKE '%offenders%'"
        f" AND {text} REGEXP {literal(f'^[( ]*({DIGEST_COMMANDS})')}"
        f" AND {text} REGEXP {literal(f'(^|[^a-z0-9_]){re.escape(name)}([^a-z0-9_]|$)')} AND ({uses})"
    )
    yield Guard(
        query=f"SELECT count(*) FROM {source} WHERE {where}",
        summary=_found(table, columns, "performance_schema", since),
        hint=f"which: SELECT digest, count_star, last_seen FROM {source} WHERE {where}",
        everywhere=True,
    )
    yield Guard(
        query=f"SELECT CASE WHEN @@performance_schema = 1 THEN ({CONSUMERS}) ELSE 0 END",
        refuse_if="zero",
        summary=f"nothing is known about queries since {since}: performance_schema is off, or its consumer statements_digest",
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
    long = f"CHAR_LENGTH(digest_text) >= {SURELY_WHOLE} * LEAST(@@max_digest_length, @@performance_schema_max_digest_length)"
    yield _evictions(
        request,
        f"SELECT count(*) FROM {source} WHERE {recent} AND COALESCE(schema_name, DATABASE()) = DATABASE() AND {text} NOT LIKE '%driftflow%'"
        f" AND {text} REGEXP {literal(f'^[( ]*({DIGEST_COMMANDS})')} AND {long}",
        f"{{count}} recorded queries since {since} are as long as what the server keeps of one: whether their ends named {table.name.name} is not known",
        "max_digest_length and performance_schema_max_digest_length",
    )


DIGEST_COMMANDS = "select|insert|update|delete|replace|with|table|load"
CONSUMERS = "SELECT count(*) = 2 FROM performance_schema.setup_consumers WHERE enabled = 'YES' AND name IN ('statements_digest', 'global_instrumentation')"
SURELY_WHOLE = 0.75
"""Of the largest digest: the server counts tokens in two bytes each, and names with four bytes more; the text of both is hardly shorter."""


def _digest_uses(table: str, columns: tuple[Column, ...]) -> Iterator[str]:
    """Expressions of MySQL and MariaDB for a digest in lower case that names one of the columns, or all of them at once."""
    yield f"(^|[^a-z0-9_])({'|'.join(re.escape(column.name.lower()) for column in columns)})([^a-z0-9_]|$)"
    # Not `. *` alone: the digest of an INSERT of several rows ends with a comment, `/* , ... */`.
    yield (
        "((^|[^a-z0-9_`])(select|all|distinct|distinctrow|sql_[a-z_]+|straight_join|high_priority|returning)|[.,]) [*] *(,|from|[)]|$)"
    )
    # Values in the order of the columns.
    yield f"(insert|replace|into) (`[^`]+` [.] )?`?{re.escape(table)}`? ([(] )?(values?|select|table|with) "
    yield f"^[( ]*table (`[^`]+` [.] )?`?{re.escape(table)}`?"


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


def _word(at: Situation, word: str) -> str:
    return at.dialect.literal(rf"\m({re.escape(word)})\M")


def said(at: Situation, since: str) -> str:
    """What a reader of the plan is told about the evidence."""
    if at.can(Capability.QUERY_STATISTICS) or at.can(Capability.QUERY_DIGESTS):
        return f"if there is no evidence of use since {since} ({UNSEEN})"
    return f"if its rows say nothing (this server records no queries: about use since {since} nothing is known)"
