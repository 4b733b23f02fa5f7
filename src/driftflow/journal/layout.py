"""The journal's tables, for every vendor, and the steps that bring an older layout forward. Forward only.

Text, bigint and integer are all that is needed, so one layout serves PostgreSQL and SQLite; what differs is the place, the clock and the lock.
"""

from __future__ import annotations

from driftflow.model.record import Record

LAYOUT_VERSION = 1


class Place(Record, frozen=True, kw_only=True):
    """Where one vendor keeps the tables, and how it says the two things that differ."""

    prefix: str
    now_ms: str
    """Milliseconds since 1970 by the server's clock."""
    share: str
    """Behind a SELECT: lock the row against writers until the transaction ends."""


PLACES: dict[str, Place] = {
    "postgresql": Place(
        prefix="driftflow.",
        now_ms="(extract(epoch FROM pg_catalog.clock_timestamp()) * 1000)::bigint",
        share=" FOR SHARE",
    ),
    # The write lock of BEGIN IMMEDIATE is the row lock.
    "sqlite": Place(prefix="_driftflow_", now_ms="CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)", share=""),
}

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        "CREATE TABLE {prefix}meta (key text NOT NULL PRIMARY KEY, value text NOT NULL)",
        """CREATE TABLE {prefix}run (
            id text NOT NULL PRIMARY KEY, plan_digest text NOT NULL, status text NOT NULL, plan text NOT NULL, identity text NOT NULL,
            fingerprint text NOT NULL, executor text NOT NULL, message text NOT NULL, created_ms bigint NOT NULL, updated_ms bigint NOT NULL)""",
        "CREATE TABLE {prefix}event (run text NOT NULL, seq bigint NOT NULL, body text NOT NULL, PRIMARY KEY (run, seq))",
        "CREATE TABLE {prefix}fence (run text NOT NULL PRIMARY KEY, token bigint NOT NULL)",
        """CREATE TABLE {prefix}lease (
            run text NOT NULL PRIMARY KEY, executor text NOT NULL, session_id bigint NOT NULL, session_started text NOT NULL,
            expires_ms bigint NOT NULL)""",
        "CREATE TABLE {prefix}progress (run text NOT NULL, step text NOT NULL, body text NOT NULL, PRIMARY KEY (run, step))",
        # One row per relation, so that two runs cannot hold the same one, whatever they read before.
        "CREATE TABLE {prefix}claim (relation text NOT NULL PRIMARY KEY, run text NOT NULL)",
        """CREATE TABLE {prefix}control (
            id bigint NOT NULL PRIMARY KEY, run text NOT NULL, verb text NOT NULL, arguments text NOT NULL, asked_by text NOT NULL,
            asked_ms bigint NOT NULL, taken_ms bigint)""",
        "CREATE TABLE {prefix}gate (run text NOT NULL, name text NOT NULL, opened_by text NOT NULL, opened_ms bigint NOT NULL, PRIMARY KEY (run, name))",
        """CREATE TABLE {prefix}object (
            run text NOT NULL, step text NOT NULL, kind text NOT NULL, name text NOT NULL, drop_sql text NOT NULL, PRIMARY KEY (run, name))""",
        "CREATE INDEX {index}run_status ON {prefix}run (status)",
        "CREATE INDEX {index}control_run ON {prefix}control (run)",
    ),
)
"""MIGRATIONS[n] brings layout n to n + 1."""


def statements(version: int, dialect: str) -> tuple[str, ...]:
    """What brings the journal from `version` to the newest layout."""
    place = PLACES[dialect]
    index = "" if dialect == "postgresql" else place.prefix
    return tuple(text.format(prefix=place.prefix, index=index) for migration in MIGRATIONS[version:] for text in migration)
