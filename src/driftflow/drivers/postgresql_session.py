"""What one PostgreSQL session can learn about the server and about other sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from driftflow.engine.ports import Blocker, DatabaseFault, ServerIdentity, SessionState
from driftflow.model.event import Session

if TYPE_CHECKING:
    from driftflow.drivers.postgresql import PostgresqlConnection

STAMP = """'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'"""
NOW = f"SELECT pg_catalog.to_char(pg_catalog.clock_timestamp() AT TIME ZONE 'UTC', {STAMP})"
OWN = f"""
SELECT pg_catalog.pg_backend_pid(), pg_catalog.to_char(backend_start AT TIME ZONE 'UTC', {STAMP})
FROM pg_catalog.pg_stat_activity WHERE pid = pg_catalog.pg_backend_pid()
"""
STATE = f"""
SELECT pg_catalog.to_char(backend_start AT TIME ZONE 'UTC', {STAMP}), state
FROM pg_catalog.pg_stat_activity WHERE pid = %s
"""
BLOCKERS = f"""
SELECT a.pid, pg_catalog.to_char(a.backend_start AT TIME ZONE 'UTC', {STAMP}),
       coalesce(a.usename, ''), coalesce(a.application_name, ''), coalesce(a.state, ''),
       coalesce(extract(epoch FROM pg_catalog.clock_timestamp() - coalesce(a.xact_start, a.backend_start)), 0)::bigint,
       pg_catalog.left(pg_catalog.regexp_replace(coalesce(a.query, ''), '\\s+', ' ', 'g'), 120),
       coalesce(a.backend_type, '')
FROM pg_catalog.unnest(pg_catalog.pg_blocking_pids(%s)) AS holder(pid)
JOIN pg_catalog.pg_stat_activity AS a ON a.pid = holder.pid
ORDER BY a.xact_start
"""
PREPARED = """
SELECT p.gid, p.owner::text, extract(epoch FROM pg_catalog.clock_timestamp() - p.prepared)::bigint
FROM pg_catalog.pg_prepared_xacts AS p
WHERE p.database = pg_catalog.current_database() AND 0 = ANY (pg_catalog.pg_blocking_pids(%s))
"""
"""pg_blocking_pids says 0 for a prepared transaction, which no session holds."""


def untouchable(application: str, kind: str, query: str) -> str:
    """Why a blocker must never be ended."""
    if kind == "walsender":
        return "a replica or a subscriber reads from it"
    if kind != "client backend" and kind != "":
        return "an anti-wraparound vacuum" if "to prevent wraparound" in query else f"a process of the server ({kind})"
    if application.startswith(("pg_dump", "pg_basebackup", "pgbackrest", "pgBackRest", "barman", "wal-g")) or query.startswith(
        "COPY "
    ):
        return "a dump or backup"
    return ""


def state(connection: PostgresqlConnection, session: Session) -> SessionState:
    rows = connection.query(STATE, (session.id,))
    if not rows:
        return "gone"
    started, now = rows[0]
    if session.started_at and started is not None and started != session.started_at:
        return "gone"
    if now is None:
        return "unknown"
    return "active" if now in {"active", "fastpath function call"} else "idle"


def end(connection: PostgresqlConnection, session: Session, *, force: bool) -> None:
    """Only the very session: a process id may have been given to another one."""
    if state(connection, session) == "gone":
        return
    name = "pg_terminate_backend" if force else "pg_cancel_backend"
    connection.query(f"SELECT pg_catalog.{name}(%s)", (session.id,))


def blockers(connection: PostgresqlConnection, session: Session) -> tuple[Blocker, ...]:
    held = tuple(
        Blocker(
            session=Session(id=pid, started_at=started or ""),
            user=user,
            application=application,
            state=state,
            age_seconds=max(int(age), 0),
            query=query,
            untouchable=untouchable(application, kind, query),
        )
        for pid, started, user, application, state, age, query, kind in connection.query(BLOCKERS, (session.id,))
    )
    prepared = tuple(
        Blocker(
            session=Session(id=0), user=owner, application=f"prepared transaction {gid}", state="prepared", age_seconds=int(age),
            untouchable="a prepared transaction; only COMMIT PREPARED or ROLLBACK PREPARED ends it",
        )
        for gid, owner, age in connection.query(PREPARED, (session.id,))
    )  # fmt: skip
    return held + prepared


def identity(connection: PostgresqlConnection) -> ServerIdentity:
    """The system identifier where we may read it; else what a plain user sees (the name and oid of the database, the server's start of life
    as the oldest database tells it)."""
    database = connection.query(
        "SELECT oid::text || ':' || datname FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()"
    )[0][0]
    return ServerIdentity(vendor="postgresql", system=_system(connection), database=database, timeline=_timeline(connection))


def _system(connection: PostgresqlConnection) -> str:
    try:
        found: str = connection.query("SELECT system_identifier::text FROM pg_catalog.pg_control_system()")[0][0]
    except DatabaseFault:
        found = "unreadable"
    return found


def _timeline(connection: PostgresqlConnection) -> str:
    """From the name of the WAL file being written: pg_control_checkpoint() tells a promotion only after the next checkpoint."""
    try:
        found: str = connection.query("SELECT pg_catalog.left(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 8)")[
            0
        ][0]
    except DatabaseFault:
        found = ""
    return found
