"""The journal's tables, for every vendor, and the steps that bring an older layout forward. Forward only.

Text, bigint and integer are all that is needed, so one layout serves every vendor; what differs is the place, the clock, the lock, and that
MySQL and MariaDB want a length for what is a key.
"""

from __future__ import annotations

from weakref import WeakKeyDictionary

from driftflow.engine.ports import Connection
from driftflow.model.record import Record, replace

LAYOUT_VERSION = 1


class Place(Record, frozen=True, kw_only=True):
    """Where one vendor keeps the tables, and how it says the few things that differ."""

    prefix: str
    now_ms: str
    """Milliseconds since 1970 by the server's clock."""
    share: str = ""
    """Behind a SELECT: lock the row against writers until the transaction ends."""
    index: str = ""
    """Before the name of an index, where those of other tables are beside ours."""
    create: str = "CREATE TABLE"
    name: str = "text"
    """Type of a name, that is of what stands in keys."""
    text: str = "text"
    key: str = "key"
    options: str = ""
    """Behind CREATE TABLE (...)."""
    upsert: bool = True
    """INSERT ... ON CONFLICT; else REPLACE and INSERT IGNORE."""
    transactional: bool = True
    """Whether the tables are made in one transaction."""
    shared: bool = False
    """The journal serves every database of the server, so that a run counts only where it began."""


_MYSQL = Place(
    prefix="driftflow.",
    # Not UNIX_TIMESTAMP(NOW()): in the hour that a time zone repeats it is ambiguous.
    now_ms="(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6)) DIV 1000)",
    share=" LOCK IN SHARE MODE",
    create="CREATE TABLE IF NOT EXISTS",
    name="varchar(255)",
    text="longtext",
    key="`key`",
    options=" ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin",
    upsert=False,
    transactional=False,
    shared=True,
)
POSTGRESQL = Place(
    prefix="driftflow.",
    now_ms="(extract(epoch FROM pg_catalog.clock_timestamp()) * 1000)::bigint",
    share=" FOR SHARE",
)
# The write lock of BEGIN IMMEDIATE is the row lock.
SQLITE = Place(prefix="_driftflow_", index="_driftflow_", now_ms="CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)")
MYSQL_DATABASE = _MYSQL
MYSQL_BESIDE = replace(_MYSQL, prefix="_driftflow_", shared=False)
"""In the database of the data, where nobody lets us make one of our own."""

MYSQL_PLACES = """
SELECT TABLE_SCHEMA = 'driftflow' AND TABLE_NAME = 'meta' FROM information_schema.TABLES
WHERE (TABLE_SCHEMA = DATABASE() AND TABLE_NAME = '_driftflow_meta') OR (TABLE_SCHEMA = 'driftflow' AND TABLE_NAME = 'meta')
ORDER BY 1
"""
_FOUND: WeakKeyDictionary[Connection, Place] = WeakKeyDictionary()
"""Of sessions to MySQL or MariaDB that found a journal: it does not move while they live."""


def found_place(connection: Connection) -> Place | None:
    """Where the journal is on MySQL or MariaDB: beside the data, or in a database of its own. None where there is none (yet)."""
    if connection not in _FOUND:
        rows = connection.query(MYSQL_PLACES)
        if not rows:
            return None
        _FOUND[connection] = MYSQL_DATABASE if rows[0][0] else MYSQL_BESIDE
    return _FOUND[connection]


def place_of(connection: Connection) -> Place:
    """Where this database keeps the tables."""
    match connection.dialect:
        case "postgresql":
            return POSTGRESQL
        case "sqlite":
            return SQLITE
        case _:
            return found_place(connection) or MYSQL_DATABASE


MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        "{create} {prefix}meta ({key} {name} NOT NULL PRIMARY KEY, value {text} NOT NULL){options}",
        """{create} {prefix}run (
            id {name} NOT NULL PRIMARY KEY, plan_digest {name} NOT NULL, status {name} NOT NULL, plan {text} NOT NULL, identity {text} NOT NULL,
            fingerprint {text} NOT NULL, executor {text} NOT NULL, message {text} NOT NULL, created_ms bigint NOT NULL, updated_ms bigint NOT NULL){options}""",
        "{create} {prefix}event (run {name} NOT NULL, seq bigint NOT NULL, body {text} NOT NULL, PRIMARY KEY (run, seq)){options}",
        "{create} {prefix}fence (run {name} NOT NULL PRIMARY KEY, token bigint NOT NULL){options}",
        """{create} {prefix}lease (
            run {name} NOT NULL PRIMARY KEY, executor {name} NOT NULL, session_id bigint NOT NULL, session_started {text} NOT NULL,
            expires_ms bigint NOT NULL){options}""",
        "{create} {prefix}progress (run {name} NOT NULL, step {name} NOT NULL, body {text} NOT NULL, PRIMARY KEY (run, step)){options}",
        # One row per relation, so that two runs cannot hold the same one, whatever they read before.
        "{create} {prefix}claim (relation {name} NOT NULL PRIMARY KEY, run {name} NOT NULL){options}",
        """{create} {prefix}control (
            id bigint NOT NULL PRIMARY KEY, run {name} NOT NULL, verb {name} NOT NULL, arguments {text} NOT NULL, asked_by {text} NOT NULL,
            asked_ms bigint NOT NULL, taken_ms bigint){options}""",
        "{create} {prefix}gate (run {name} NOT NULL, name {name} NOT NULL, opened_by {text} NOT NULL, opened_ms bigint NOT NULL, PRIMARY KEY (run, name)){options}",
        """{create} {prefix}object (
            run {name} NOT NULL, step {name} NOT NULL, kind {name} NOT NULL, name {name} NOT NULL, drop_sql {text} NOT NULL, PRIMARY KEY (run, name)){options}""",
        "CREATE INDEX {index}run_status ON {prefix}run (status)",
        "CREATE INDEX {index}control_run ON {prefix}control (run)",
    ),
)
"""MIGRATIONS[n] brings layout n to n + 1."""


def statements(version: int, place: Place) -> tuple[str, ...]:
    """What brings the journal from `version` to the newest layout."""
    words = {name: getattr(place, name) for name in ("prefix", "index", "create", "name", "text", "key", "options")}
    return tuple(text.format(**words) for migration in MIGRATIONS[version:] for text in migration)
