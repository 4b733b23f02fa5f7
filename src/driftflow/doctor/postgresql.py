"""Examinations of a PostgreSQL server. All are reads; what needs a right that is missing says which."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from driftflow.doctor import Examination, Examined

if TYPE_CHECKING:
    from driftflow.engine.ports import Connection

LONG_TRANSACTION_SECONDS = 5


def server(connection: Connection) -> Iterator[Examined]:
    text, recovery = connection.query("SELECT version(), pg_is_in_recovery()")[0]
    yield Examined(name="server", state="ok", found=" ".join(str(text).split()[:2]))
    if recovery:
        yield Examined(
            name="server",
            state="problem",
            found="this is a standby: nothing can be written here",
            hint="use the primary's address (target_session_attrs=read-write)",
        )


def rights_for_the_journal(connection: Connection) -> Iterator[Examined]:
    """The journal lives in schema driftflow: it must exist and be writable, or be creatable."""
    user, database, exists, may_create, may_use = connection.query(
        "SELECT current_user, current_database(), to_regnamespace('driftflow') IS NOT NULL,"
        " has_database_privilege(current_database(), 'CREATE'),"
        " CASE WHEN to_regnamespace('driftflow') IS NULL THEN NULL"
        " ELSE has_schema_privilege('driftflow', 'USAGE') AND has_schema_privilege('driftflow', 'CREATE')"
        " AND (SELECT coalesce(bool_and(has_table_privilege(oid, 'SELECT') AND has_table_privilege(oid, 'INSERT')"
        " AND has_table_privilege(oid, 'UPDATE') AND has_table_privilege(oid, 'DELETE')), true)"
        " FROM pg_class WHERE relnamespace = to_regnamespace('driftflow') AND relkind = 'r') END"
    )[0]
    if exists and may_use:
        yield Examined(name="journal", state="ok", found="schema driftflow is there and writable")
    elif exists:
        yield Examined(
            name="journal",
            state="problem",
            found=f"{user} may not use schema driftflow",
            hint=f'GRANT ALL ON SCHEMA driftflow TO "{user}"; GRANT ALL ON ALL TABLES IN SCHEMA driftflow TO "{user}";',
        )
    elif may_create:
        yield Examined(name="journal", state="ok", found="no journal yet; the first apply creates schema driftflow")
    else:
        yield Examined(
            name="journal",
            state="problem",
            found=f"{user} may not create schema driftflow",
            hint=f'GRANT CREATE ON DATABASE "{database}" TO "{user}";',
        )


def ownership(connection: Connection) -> Iterator[Examined]:
    """ALTER TABLE needs the owner (or a member of the owning role)."""
    rows = connection.query(
        "SELECT pg_get_userbyid(c.relowner), count(*), min(n.nspname || '.' || c.relname), current_user FROM pg_class c"
        " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema')"
        " AND n.nspname !~ '^pg_' AND NOT pg_has_role(current_user, c.relowner, 'USAGE') GROUP BY 1 ORDER BY 2 DESC"
    )
    if not rows:
        yield Examined(name="ownership", state="ok", found="every table can be altered by this role")
    for owner, count, example, user in rows:
        yield Examined(
            name="ownership",
            state="warning",
            found=f"{count} tables belong to {owner} ({example}, ...) and cannot be altered by {user}",
            hint=f'GRANT "{owner}" TO "{user}";',
        )


def statistics_rights(connection: Connection) -> Iterator[Examined]:
    """Without pg_read_all_stats the names of blockers are hidden."""
    may, user = connection.query("SELECT pg_has_role(current_user, 'pg_read_all_stats', 'USAGE'), current_user")[0]
    if may:
        yield Examined(name="statistics", state="ok", found="other sessions' queries can be read, so blockers can be named")
    else:
        yield Examined(
            name="statistics",
            state="warning",
            found="other sessions' queries are hidden: a blocker is named by its process id alone",
            hint=f'GRANT pg_read_all_stats TO "{user}";',
        )


def settings(connection: Connection) -> Iterator[Examined]:
    lock, statement, idle = connection.query(
        "SELECT current_setting('lock_timeout'), current_setting('statement_timeout'), current_setting('idle_in_transaction_session_timeout')"
    )[0]
    yield Examined(
        name="timeouts",
        state="ok",
        found=f"lock_timeout={lock}, statement_timeout={statement}, idle_in_transaction_session_timeout={idle};"
        " each step sets its own, for its own transaction",
    )


def replication(connection: Connection) -> Iterator[Examined]:
    rows = connection.query("SELECT application_name, state, extract(epoch FROM replay_lag) FROM pg_stat_replication")
    yield Examined(name="replicas", state="ok", found=f"{len(rows)} connected" if rows else "none connected")
    for name, state, lag in rows:
        if lag is not None and lag > 5:
            yield Examined(
                name="replicas",
                state="warning",
                found=f"{name} ({state}) is {lag:.0f} s behind",
                hint="backfills wait until it has caught up",
            )
    idle = connection.query("SELECT slot_name, slot_type, active FROM pg_replication_slots WHERE NOT active ORDER BY 1")
    if not idle:
        yield Examined(name="replication slots", state="ok", found="none is unused")
    for name, kind, active in idle:
        yield Examined(
            name="replication slots",
            state="warning",
            found=f"{kind} slot {name} is not in use (active={active}) and keeps WAL: a backfill will fill the disk behind it",
            hint=f"SELECT pg_drop_replication_slot('{name}'); -- if nobody needs it",
        )


def publications(connection: Connection) -> Iterator[Examined]:
    """One that would carry the journal to a subscriber stops the subscriber (it has no such tables)."""
    rows = connection.query("SELECT pubname, puballtables FROM pg_publication ORDER BY 1")
    if not rows:
        yield Examined(name="publications", state="ok", found="none")
    schemas = _published_schemas(connection)
    for name, everything in rows:
        if name in schemas:
            yield Examined(
                name="publications",
                state="problem",
                found=f"publication {name} carries the whole schema driftflow: it would stop its subscribers",
                hint=f"ALTER PUBLICATION {name} DROP TABLES IN SCHEMA driftflow;",
            )
        elif everything:
            yield Examined(
                name="publications",
                state="problem",
                found=f"publication {name} is FOR ALL TABLES: it would carry driftflow's journal and stop its subscribers",
                hint=f"ALTER PUBLICATION can list tables instead: DROP PUBLICATION {name}; CREATE PUBLICATION {name} FOR TABLE ...;",
            )
        else:
            yield Examined(
                name="publications",
                state="ok",
                found=f"publication {name} lists its tables: a new column must reach the subscriber first",
            )


def _published_schemas(connection: Connection) -> set[str]:
    """Publications of the journal's schema as a whole; they exist since PostgreSQL 15."""
    if connection.version.major < 15:
        return set()
    rows = connection.query(
        "SELECT p.pubname FROM pg_publication p JOIN pg_publication_namespace n ON n.pnpubid = p.oid"
        " WHERE n.pnnspid = to_regnamespace('driftflow')"
    )
    return {name for (name,) in rows}


def long_transactions(connection: Connection) -> Iterator[Examined]:
    rows = connection.query(
        "SELECT pid, extract(epoch FROM now() - xact_start)::bigint, state, left(coalesce(query, ''), 80) FROM pg_stat_activity"
        f" WHERE xact_start < now() - interval '{LONG_TRANSACTION_SECONDS} seconds' AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        " ORDER BY xact_start LIMIT 10"
    )
    if not rows:
        yield Examined(name="long transactions", state="ok", found=f"none older than {LONG_TRANSACTION_SECONDS} s")
    for pid, age, state, query in rows:
        yield Examined(
            name="long transactions",
            state="warning",
            found=f"pid {pid} has had a transaction open for {age} s ({state}): {' '.join(query.split())}",
            hint="an ALTER of what it touched waits for it; a step gives up after its lock timeout and tries again",
        )


def prepared_transactions(connection: Connection) -> Iterator[Examined]:
    rows = connection.query("SELECT gid, owner FROM pg_prepared_xacts WHERE database = current_database() ORDER BY 1")
    if not rows:
        yield Examined(name="prepared transactions", state="ok", found="none")
    for gid, owner in rows:
        yield Examined(
            name="prepared transactions",
            state="warning",
            found=f"{gid} (of {owner}) is prepared and holds its locks until somebody ends it",
            hint=f"COMMIT PREPARED '{gid}'; or ROLLBACK PREPARED '{gid}';",
        )


def wraparound_vacuum(connection: Connection) -> Iterator[Examined]:
    for pid, query in connection.query(
        "SELECT pid, query FROM pg_stat_activity WHERE query LIKE 'autovacuum:%to prevent wraparound%'"
    ):
        yield Examined(
            name="wraparound vacuum",
            state="warning",
            found=f"pid {pid} runs {query}: it does not give way to an ALTER of that table",
            hint="wait for it; never cancel it",
        )


def invalid_indexes(connection: Connection) -> Iterator[Examined]:
    rows = connection.query(
        "SELECT indexrelid::regclass::text, indrelid::regclass::text FROM pg_index WHERE NOT indisvalid"
        " AND indrelid NOT IN (SELECT oid FROM pg_class WHERE relkind = 'p') ORDER BY 1"
    )
    if not rows:
        yield Examined(name="invalid indexes", state="ok", found="none")
    for name, table in rows:
        yield Examined(
            name="invalid indexes",
            state="warning",
            found=f"{name} on {table} is INVALID: it costs every write and serves no query",
            hint=f"DROP INDEX CONCURRENTLY {name}; -- unless a build is still running (pg_stat_progress_create_index)",
        )


EXAMINATIONS: tuple[Examination, ...] = (
    server,
    rights_for_the_journal,
    ownership,
    statistics_rights,
    settings,
    replication,
    publications,
    long_transactions,
    prepared_transactions,
    wraparound_vacuum,
    invalid_indexes,
)
