"""Every tool's version table on real servers: made as the tool makes it, read, written, taken back, and locked.

What each row looks like is checked here against the tools' own source; `test_ledgers_of_real_tools.py` asks the tools themselves.
"""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from driftflow.dialects.base import Dialect
from driftflow.dialects.registry import dialect_named
from driftflow.errors import SourceError
from driftflow.lab import servers
from driftflow.lab.servers import AnyServer
from driftflow.model.migration import Migration
from driftflow.model.record import convert, replace
from driftflow.plugins import discover
from driftflow.readers.base import Applied, Ledger, SourceOptions

SAMPLES = Path(__file__).parents[1] / "golden" / "readers"
VARIABLES = {"table": "users"}
TOOLS = ("dbmate", "diesel", "drizzle", "flyway", "golang-migrate", "goose", "plain", "prisma")
LOCKED = ("flyway", "golang-migrate", "prisma")


class Database:
    """The little that a ledger needs of a database."""

    dialect: Dialect

    def run(self, *statements: str) -> None:
        raise NotImplementedError

    def rows(self, query: str) -> list[dict[str, Any]]:
        raise NotImplementedError


class OnPostgresql(Database):
    def __init__(self, url: str) -> None:
        self.dialect = dialect_named("postgresql")
        self.connection = psycopg.connect(url, autocommit=True, row_factory=dict_row)

    def run(self, *statements: str) -> None:
        for statement in statements:
            self.connection.execute(statement.encode())

    def rows(self, query: str) -> list[dict[str, Any]]:
        return self.connection.execute(query.encode()).fetchall()


class OnSqlite(Database):
    def __init__(self, path: Path) -> None:
        self.dialect = dialect_named("sqlite")
        self.connection = sqlite3.connect(path, isolation_level=None)
        self.connection.row_factory = sqlite3.Row

    def run(self, *statements: str) -> None:
        for statement in statements:
            self.connection.execute(statement)

    def rows(self, query: str) -> list[dict[str, Any]]:
        return [dict(row) for row in self.connection.execute(query)]


@pytest.fixture
def on_postgresql(postgresql_url: str) -> Iterator[Database]:
    database = OnPostgresql(postgresql_url)
    yield database
    database.connection.close()


@pytest.fixture(scope="module")
def started() -> Iterator[Callable[[int], AnyServer]]:
    """A server of that version, started when first asked for: a fixture with parameters of its own cannot be chosen by another's."""
    with ExitStack() as stack:

        @cache
        def start(version: int) -> AnyServer:
            found = servers.server(version)
            if found is None and os.environ.get("CI", "").lower() in {"1", "true"}:
                pytest.fail(f"no PostgreSQL {version}: pip install 'driftflow[lab]'", pytrace=False)
            if found is None:
                pytest.skip(f"no PostgreSQL {version}: pip install 'driftflow[lab]'")
            return stack.enter_context(found.open())

        yield start


@pytest.fixture(params=["sqlite", *(pytest.param(version, marks=pytest.mark.postgresql) for version in (16, 18))])
def database(request: pytest.FixtureRequest, started: Callable[[int], AnyServer], sqlite_file: Path) -> Iterator[Database]:
    if request.param == "sqlite":
        on_sqlite = OnSqlite(sqlite_file)
        yield on_sqlite
        on_sqlite.connection.close()
        return
    server = started(request.param)
    url = server.create_database()
    on_server = OnPostgresql(url)
    yield on_server
    on_server.connection.close()
    server.drop_database(url)


def sample(tool: str, dialect: Dialect, **options: str) -> tuple[tuple[Migration, ...], Ledger]:
    """The sample project's migrations as they are for this database, and the ledger."""
    reader = discover("reader").get("reader", tool)
    assert reader is not None
    settings = convert({"tool": tool, "variables": VARIABLES, "options": options}, SourceOptions)
    sqlite = dialect_named("sqlite")
    migrations = reader.value().read(SAMPLES / tool / "project", sqlite, settings)
    return migrations, reader.value().ledger(dialect, settings)


def applied(database: Database, ledger: Ledger, migrations: Sequence[Migration]) -> tuple[Applied, ...]:
    return ledger.applied(database.rows(ledger.applied_query()), migrations)


def pending(database: Database, ledger: Ledger, migrations: Sequence[Migration]) -> list[str]:
    return [one.id for one in ledger.pending(applied(database, ledger, migrations), migrations)]


@pytest.mark.parametrize("tool", TOOLS)
def test_round(tool: str, database: Database) -> None:
    """Made twice without harm; recorded one by one in order; taken back one by one from the end."""
    migrations, ledger = sample(tool, database.dialect)
    database.run(*ledger.create(), *ledger.create())
    ids = [one.id for one in migrations]
    assert pending(database, ledger, migrations) == ids
    for position, migration in enumerate(migrations):
        database.run(*ledger.record(migration))
        assert pending(database, ledger, migrations) == ids[position + 1 :]
    assert {row.id for row in applied(database, ledger, migrations)} == set(ids)
    for position, migration in reversed(list(enumerate(migrations))):
        database.run(*ledger.unrecord(migration))
        assert pending(database, ledger, migrations) == ids[position:]


@pytest.mark.parametrize("tool", TOOLS)
def test_record_is_undone_with_its_transaction(tool: str, database: Database) -> None:
    migrations, ledger = sample(tool, database.dialect)
    database.run(*ledger.create(), "BEGIN", *ledger.record(migrations[0]), "ROLLBACK")
    assert pending(database, ledger, migrations) == [one.id for one in migrations]


@pytest.mark.parametrize("tool", TOOLS)
def test_table_elsewhere(tool: str, on_postgresql: Database) -> None:
    reader = discover("reader").get("reader", tool).value()
    migrations, _ = sample(tool, on_postgresql.dialect)
    ledger = reader.ledger(on_postgresql.dialect, SourceOptions(table='ops.My "table"'))
    assert (ledger.table.schema, ledger.table.name) == ("ops", 'My "table"')
    on_postgresql.run('CREATE SCHEMA IF NOT EXISTS "ops"', *ledger.create(), *ledger.record(migrations[0]))
    assert len(on_postgresql.rows('SELECT * FROM ops."My ""table"""')) == (2 if tool == "goose" else 1)


@pytest.mark.parametrize("tool", TOOLS)
def test_lock(tool: str, on_postgresql: Database, postgresql_url: str) -> None:
    """Granted at once; not granted to a second session; granted again after the release."""
    _, ledger = sample(tool, on_postgresql.dialect)
    lock = ledger.lock("shop")
    assert (lock is not None) == (tool in LOCKED)
    if lock is None:
        return
    with psycopg.connect(postgresql_url, autocommit=True) as second:
        assert list(on_postgresql.rows(lock.acquire)[0].values()) == [True]
        assert second.execute(lock.acquire.encode()).fetchone() == (False,)
        assert list(on_postgresql.rows(lock.release)[0].values()) == [True]
        assert second.execute(lock.acquire.encode()).fetchone() == (True,)


# rows as the tools write them


def test_flyway_rows(database: Database) -> None:
    migrations, ledger = sample("flyway", database.dialect)
    database.run(*ledger.create(), *(sql for one in migrations for sql in ledger.record(one)))
    rows = database.rows(ledger.applied_query())
    assert [row["installed_rank"] for row in rows] == [1, 2, 3, 4, 5]
    assert [row["version"] for row in rows] == ["1", "1.2", "1.10", "2", None]
    assert [row["script"] for row in rows] == [
        *("V1__users.sql", "V1_2__email.sql", "V1_10__later.sql", "deep/V2__note.sql", "R__all_users.sql")
    ]
    assert [row["description"] for row in rows] == ["users", "email", "later", "note", "all users"]
    assert {row["type"] for row in rows} == {"SQL"}
    assert all(-(2**31) <= row["checksum"] < 2**31 and row["success"] in {True} for row in rows)


def test_goose_starts_with_version_zero(database: Database) -> None:
    migrations, ledger = sample("goose", database.dialect)
    database.run(*ledger.create(), *ledger.create(), *ledger.record(migrations[0]))
    rows = database.rows(ledger.applied_query())
    assert [(row["version_id"], bool(row["is_applied"])) for row in rows] == [(0, True), (1, True)]


def test_golang_migrate_has_one_row(database: Database) -> None:
    migrations, ledger = sample("golang-migrate", database.dialect)
    database.run(*ledger.create(), *(sql for one in migrations for sql in ledger.record(one)))
    assert [(row["version"], bool(row["dirty"])) for row in database.rows(ledger.applied_query())] == [(10, False)]
    database.run(*ledger.unrecord(migrations[2]))
    assert [row["version"] for row in database.rows(ledger.applied_query())] == [2]


def test_prisma_row(database: Database) -> None:
    migrations, ledger = sample("prisma", database.dialect)
    database.run(*ledger.create(), *ledger.record(migrations[0]))
    (row,) = database.rows(ledger.applied_query())
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", row["id"])
    assert row["checksum"] == migrations[0].sha256
    assert row["applied_steps_count"] == 1
    assert row["finished_at"] is not None
    assert row["rolled_back_at"] is None


# what the tools refuse


def refusal(database: Database, ledger: Ledger, migrations: Sequence[Migration]) -> list[str]:
    with pytest.raises((SourceError, ExceptionGroup)) as caught:
        pending(database, ledger, migrations)
    fault = caught.value
    return [one.code for one in (fault.exceptions if isinstance(fault, ExceptionGroup) else (fault,))]


def test_golang_migrate_dirty(database: Database) -> None:
    migrations, ledger = sample("golang-migrate", database.dialect)
    database.run(*ledger.create(), f"INSERT INTO {ledger.sql_table} VALUES (2, {database.dialect.literal(True)})")
    assert refusal(database, ledger, migrations) == ["DF-E240"]


def test_golang_migrate_version_without_a_file(database: Database) -> None:
    migrations, ledger = sample("golang-migrate", database.dialect)
    database.run(*ledger.create(), f"INSERT INTO {ledger.sql_table} VALUES (5, {database.dialect.literal(False)})")
    assert refusal(database, ledger, migrations) == ["DF-E243"]


def test_golang_migrate_skips_what_came_late(database: Database) -> None:
    """The table cannot say whether version 2 ran: whoever asks for it by name is told."""
    migrations, ledger = sample("golang-migrate", database.dialect)
    database.run(*ledger.create(), *ledger.record(migrations[2]))
    assert pending(database, ledger, migrations) == []
    with pytest.raises(SourceError, match="comes before 10") as caught:
        ledger.refuse_skipped([migrations[1]], applied(database, ledger, migrations))
    assert caught.value.code == "DF-E242"


def test_goose_out_of_order(database: Database) -> None:
    migrations, ledger = sample("goose", database.dialect)
    database.run(*ledger.create(), *ledger.record(migrations[0]), *ledger.record(migrations[2]))
    assert refusal(database, ledger, migrations) == ["DF-E242"]
    _, allowing = sample("goose", database.dialect, allow_missing="true")
    assert pending(database, allowing, migrations) == ["2"]


def test_goose_newest_row_of_a_version_counts(database: Database) -> None:
    migrations, ledger = sample("goose", database.dialect)
    false = "false" if database.dialect.name == "postgresql" else "0"
    database.run(*ledger.create(), *ledger.record(migrations[0]))
    database.run(f"INSERT INTO {ledger.sql_table} (version_id, is_applied) VALUES (1, {false})")
    assert pending(database, ledger, migrations) == ["1", "2", "3"]


def test_drizzle_late_entry(database: Database) -> None:
    migrations, ledger = sample("drizzle", database.dialect)
    database.run(*ledger.create(), *ledger.record(migrations[0]), *ledger.record(migrations[2]))
    assert refusal(database, ledger, migrations) == ["DF-E242"]


def test_prisma_failed(database: Database) -> None:
    migrations, ledger = sample("prisma", database.dialect)
    database.run(*ledger.create(), *ledger.record(migrations[0]), f"UPDATE {ledger.sql_table} SET finished_at = NULL")
    assert refusal(database, ledger, migrations) == ["DF-E240"]
    database.run(*ledger.unrecord(migrations[0]))
    assert pending(database, ledger, migrations) == [one.id for one in migrations]


def test_flyway_refuses_everything_at_once(database: Database) -> None:
    migrations, ledger = sample("flyway", database.dialect)
    database.run(*ledger.create(), *(sql for one in (*migrations[:1], migrations[2]) for sql in ledger.record(one)))
    database.run(f"UPDATE {ledger.sql_table} SET success = {'false' if database.dialect.name == 'postgresql' else '0'}")
    changed = replace(migrations[0], checksum="1")
    assert refusal(database, ledger, (changed, *migrations[2:])) == ["DF-E240", "DF-E240", "DF-E241"]


def test_flyway_out_of_order_and_missing(database: Database) -> None:
    migrations, ledger = sample("flyway", database.dialect)
    database.run(*ledger.create(), *ledger.record(migrations[0]), *ledger.record(migrations[2]))
    assert refusal(database, ledger, migrations[1:]) == ["DF-E243", "DF-E242"]
    _, allowing = sample("flyway", database.dialect, out_of_order="true")
    assert pending(database, allowing, migrations) == ["1.2", "2", "R:all users"]


def test_flyway_runs_a_changed_repeatable_again(database: Database) -> None:
    migrations, ledger = sample("flyway", database.dialect)
    database.run(*ledger.create(), *(sql for one in migrations for sql in ledger.record(one)))
    changed = replace(migrations[-1], checksum="1")
    assert pending(database, ledger, (*migrations[:-1], changed)) == ["R:all users"]


def test_flyway_baseline(database: Database) -> None:
    """`flyway baseline` at 1.2: nothing up to it is pending."""
    migrations, ledger = sample("flyway", database.dialect)
    row = replace(migrations[1], id="1.2.0", native={"type": "BASELINE", "script": "<< Flyway Baseline >>"})
    database.run(*ledger.create(), *ledger.record(row), f"UPDATE {ledger.sql_table} SET checksum = NULL")
    assert pending(database, ledger, migrations) == ["1.10", "2", "R:all users"]


def test_plain_refuses_changed_gone_and_late(database: Database) -> None:
    migrations, ledger = sample("plain", database.dialect)
    first, second, third = migrations
    database.run(*ledger.create(), *ledger.record(first), *ledger.record(third), *ledger.record(replace(first, id="000_gone")))
    assert refusal(database, ledger, (replace(first, sha256="0"), second, third)) == ["DF-E241", "DF-E243", "DF-E242"]


def test_dbmate_strict(database: Database) -> None:
    migrations, ledger = sample("dbmate", database.dialect)
    database.run(*ledger.create(), *ledger.record(migrations[2]))
    assert pending(database, ledger, migrations) == [one.id for one in migrations[:2]]
    _, strict = sample("dbmate", database.dialect, strict="true")
    assert refusal(database, strict, migrations) == ["DF-E242"]


def test_two_tools_with_one_table_name(database: Database) -> None:
    """dbmate and golang-migrate both call it schema_migrations; a row of the other's shape is told, not misread."""
    migrations, golang = sample("golang-migrate", database.dialect)
    dbmate_migrations, dbmate = sample("dbmate", database.dialect)
    database.run(*golang.create(), *golang.record(migrations[0]))
    assert refusal(database, dbmate, dbmate_migrations) == ["DF-E244"]


@pytest.mark.parametrize("held", [0, 1])
def test_golang_migrate_takes_both_of_its_locks_or_none(held: int, on_postgresql: Database, postgresql_url: str) -> None:
    """One for a URL, one for a connection that an application hands over; when one is taken, the other is given back."""
    _, ledger = sample("golang-migrate", on_postgresql.dialect)
    lock = ledger.lock("shop")
    keys = re.findall(r"pg_try_advisory_lock\((\d+)\)", lock.acquire)
    assert len(set(keys)) == 2
    with psycopg.connect(postgresql_url, autocommit=True) as second:
        assert second.execute(f"SELECT pg_try_advisory_lock({keys[held]})").fetchone() == (True,)
        assert list(on_postgresql.rows(lock.acquire)[0].values()) == [False]
        assert second.execute(f"SELECT pg_try_advisory_lock({keys[1 - held]})").fetchone() == (True,)


def test_drizzle_folders_keep_names_in_a_fresh_table(database: Database) -> None:
    """The second generation's rows carry the folder's name: the table that we make has room for it."""
    reader = discover("reader").get("reader", "drizzle")
    assert reader is not None
    settings = convert({"tool": "drizzle"}, SourceOptions)
    migrations = reader.value().read(SAMPLES / "drizzle-folders" / "project", database.dialect, settings)
    ledger = reader.value().ledger(database.dialect, settings).fitted(migrations)
    database.run(*ledger.create(), *ledger.create(), *(sql for one in migrations for sql in ledger.record(one)))
    rows = database.rows(ledger.applied_query())
    assert [row["name"] for row in rows] == [one.id for one in migrations]
    assert all(row["applied_at"] for row in rows)
    assert ledger.pending(ledger.applied(rows, migrations), migrations) == ()
