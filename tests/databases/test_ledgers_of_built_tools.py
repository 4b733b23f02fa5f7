"""Flyway, golang-migrate and goose themselves agree with what driftflow reads, records, refuses and locks.

They are fetched and built from their own packages (Maven, Go modules), which takes minutes the first time: `make soak` runs this.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg.rows import dict_row

from driftflow import pipeline
from driftflow.config import Policy
from driftflow.dialects.registry import dialect_named
from driftflow.drivers.urls import connector_for
from driftflow.errors import SourceError
from driftflow.model.migration import Migration
from driftflow.model.record import convert
from driftflow.plugins import discover
from driftflow.readers.base import Ledger, SourceOptions
from driftflow.writers.from_plan import rewrite_from_plan

pytestmark = pytest.mark.slow

SAMPLES = Path(__file__).parents[1] / "golden" / "readers"
GO_TAGS = {
    "golang-migrate": "postgres sqlite",
    "goose": "no_clickhouse no_mssql no_mysql no_vertica no_ydb no_libsql no_duckdb no_spanner no_starrocks",
}
GO_MODULES = {
    "golang-migrate": "github.com/golang-migrate/migrate/v4/cmd/migrate@v4.20.1",
    "goose": "github.com/pressly/goose/v3/cmd/goose@v3.29.0",
}
FLYWAY = (
    "org.flywaydb:flyway-core:11.8.2",
    "org.flywaydb:flyway-database-postgresql:11.8.2",
    "org.postgresql:postgresql:42.7.5",
    "org.xerial:sqlite-jdbc:3.49.1.0",
)
FLYWAY_MAIN = """
import java.util.*;
import org.flywaydb.core.Flyway;

public class Main {
    public static void main(String[] arguments) {
        Map<String, String> settings = new HashMap<>();
        for (String one : Arrays.asList(arguments).subList(1, arguments.length)) {
            settings.put("flyway." + one.substring(0, one.indexOf('=')), one.substring(one.indexOf('=') + 1));
        }
        Flyway flyway = Flyway.configure().configuration(settings).load();
        if (arguments[0].equals("migrate")) flyway.migrate(); else flyway.validate();
    }
}
"""


@dataclass
class Target:
    """A database, as we and as the tools reach it."""

    vendor: str
    url: str
    tcp_url: str
    schema: str

    def execute(self, *statements: str) -> list[dict[str, Any]]:
        """The rows of the last statement."""
        rows: list[dict[str, Any]] = []
        if self.vendor == "sqlite":
            connection = sqlite3.connect(self.url, isolation_level=None)
            connection.row_factory = sqlite3.Row
            for statement in statements:
                rows = [dict(row) for row in connection.execute(statement)]
            connection.close()
            return rows
        with psycopg.connect(self.url, autocommit=True, row_factory=dict_row) as session:
            for statement in statements:
                cursor = session.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []


@pytest.fixture
def on_postgresql(postgresql_server, postgresql_url: str) -> Target:
    name = postgresql_url.partition("@/")[2].partition("?")[0]
    return Target(vendor="postgresql", url=postgresql_url, tcp_url=postgresql_server.tcp_url(name), schema="public")


@pytest.fixture
def on_sqlite(sqlite_file: Path) -> Target:
    return Target(vendor="sqlite", url=str(sqlite_file), tcp_url=str(sqlite_file), schema="main")


Tool = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def flyway(maven_jars: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Tool:
    jars = maven_jars(*FLYWAY)
    source = tmp_path_factory.mktemp("flyway") / "Main.java"
    source.write_text(FLYWAY_MAIN)

    def call(target: Target, project: Path, command: str, **settings: str) -> subprocess.CompletedProcess[str]:
        parts = urlsplit(target.tcp_url)
        place = (
            [f"url=jdbc:sqlite:{target.url}"]
            if target.vendor == "sqlite"
            else [
                f"url=jdbc:postgresql://{parts.hostname}:{parts.port}{parts.path}",
                f"user={parts.username}",
                f"password={parts.password}",
            ]
        )
        given = [f"{key}={value}" for key, value in settings.items()]
        options = [f"locations=filesystem:{project / 'db/migration'}", "placeholders.table=users", *given]
        return run(["java", "-cp", f"{jars}/*", str(source), command, *place, *options])

    return call


@pytest.fixture(scope="module")
def golang_migrate(go_program: Callable[..., Path]) -> Tool:
    program = go_program(GO_MODULES["golang-migrate"], tags=GO_TAGS["golang-migrate"])

    def call(target: Target, project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        url = f"sqlite://{target.url}" if target.vendor == "sqlite" else f"{target.tcp_url}?sslmode=disable"
        return run([str(program), "-path", str(project / "migrations"), "-database", url, *arguments])

    return call


@pytest.fixture(scope="module")
def goose(go_program: Callable[..., Path]) -> Tool:
    program = go_program(GO_MODULES["goose"], tags=GO_TAGS["goose"])

    def call(target: Target, project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        place = ["sqlite3", target.url] if target.vendor == "sqlite" else ["postgres", f"{target.tcp_url}?sslmode=disable"]
        return run([str(program), "-dir", str(project / "migrations"), *place, *arguments], NO_COLOR="1")

    return call


@pytest.fixture
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A copy of the tool's sample that a test may change."""
    copy = tmp_path / "project"
    shutil.copytree(SAMPLES / request.param / "project", copy)
    yield copy


def run(command: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env={**os.environ, **environment})


def succeed(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def fail(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode != 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def ours(tool: str, project: Path, target: Target) -> tuple[tuple[Migration, ...], Ledger]:
    reader = discover("reader").get("reader", tool).value()
    options = convert({"tool": tool, "variables": {"table": "users"}}, SourceOptions)
    dialect = dialect_named(target.vendor)
    return reader.read(project, dialect, options), reader.ledger(dialect, options, schema=target.schema)


def apply(target: Target, ledger: Ledger, *migrations: Migration) -> None:
    target.execute(*ledger.create())
    for migration in migrations:
        target.execute("BEGIN", *(one.sql for one in migration.statements), *ledger.record(migration), "COMMIT")


def pending(target: Target, ledger: Ledger, migrations: tuple[Migration, ...]) -> list[str]:
    rows = target.execute(ledger.applied_query())
    return [one.id for one in ledger.pending(ledger.applied(rows, migrations), migrations)]


def refused(target: Target, ledger: Ledger, migrations: tuple[Migration, ...]) -> str:
    with pytest.raises(SourceError) as caught:
        pending(target, ledger, migrations)
    return caught.value.code


UP = {"flyway": ("migrate",), "golang-migrate": ("up",), "goose": ("up",)}


def check_both_ways(tool: str, call: Tool, target: Target, project: Path) -> None:
    """driftflow does the first, the tool the rest; then the tool sees nothing to do, and driftflow neither. The rows are of one shape."""
    migrations, ledger = ours(tool, project, target)
    apply(target, ledger, migrations[0])
    succeed(call(target, project, *UP[tool]))
    assert pending(target, ledger, migrations) == []
    rows = target.execute(ledger.applied_query())
    assert len({tuple(sorted(row)) for row in rows}) == 1
    again = succeed(call(target, project, *UP[tool]))
    assert rows == target.execute(ledger.applied_query()), again
    assert {row["name"] for row in target.execute(COLUMNS[target.vendor])} >= {"id", "note"}


COLUMNS = {
    "sqlite": "SELECT name FROM pragma_table_info('users')",
    "postgresql": "SELECT attname AS name FROM pg_attribute WHERE attrelid = 'users'::regclass AND attnum > 0",
}


@pytest.mark.parametrize("project", ["flyway"], indirect=True)
class TestFlyway:
    def test_on_sqlite(self, flyway: Tool, on_sqlite: Target, project: Path) -> None:
        check_both_ways("flyway", flyway, on_sqlite, project)
        succeed(flyway(on_sqlite, project, "validate"))

    def test_on_postgresql(self, flyway: Tool, on_postgresql: Target, project: Path) -> None:
        check_both_ways("flyway", flyway, on_postgresql, project)
        succeed(flyway(on_postgresql, project, "validate"))

    def test_same_rows(self, flyway: Tool, on_sqlite: Target, project: Path, tmp_path: Path) -> None:
        """What we record is what Flyway records, but for the times."""
        migrations, ledger = ours("flyway", project, on_sqlite)
        apply(on_sqlite, ledger, *migrations)
        theirs = Target(vendor="sqlite", url=str(tmp_path / "theirs.db"), tcp_url="", schema="main")
        succeed(flyway(theirs, project, "migrate"))
        bare = [
            [
                {key: row[key] for key in row if key not in {"installed_on", "execution_time"}}
                for row in one.execute(ledger.applied_query())
            ]
            for one in (on_sqlite, theirs)
        ]
        assert bare[0] == bare[1]

    def test_refuses_the_same(self, flyway: Tool, on_sqlite: Target, project: Path) -> None:
        migrations, ledger = ours("flyway", project, on_sqlite)
        apply(on_sqlite, ledger, migrations[0], migrations[2])
        assert refused(on_sqlite, ledger, migrations) == "DF-E242"
        assert "resolved migration not applied" in fail(flyway(on_sqlite, project, "validate"))
        (project / "db/migration/V1__users.sql").write_text("CREATE TABLE users (id integer PRIMARY KEY); -- changed\n")
        (project / "db/migration/V1_2__email.sql").unlink()
        migrations, ledger = ours("flyway", project, on_sqlite)
        assert refused(on_sqlite, ledger, migrations) == "DF-E241"
        assert "checksum mismatch" in fail(flyway(on_sqlite, project, "validate"))

    def test_our_lock_is_its_lock(self, flyway: Tool, on_postgresql: Target, project: Path) -> None:
        _, ledger = ours("flyway", project, on_postgresql)
        lock = ledger.lock("any")
        with psycopg.connect(on_postgresql.url, autocommit=True) as holder:
            assert holder.execute(lock.acquire.encode()).fetchone() == (True,)
            assert "advisory lock" in fail(flyway(on_postgresql, project, "migrate", lockRetryCount="1"))
            assert holder.execute(lock.release.encode()).fetchone() == (True,)
        succeed(flyway(on_postgresql, project, "migrate"))


@pytest.mark.parametrize("project", ["golang-migrate"], indirect=True)
class TestGolangMigrate:
    def test_on_sqlite(self, golang_migrate: Tool, on_sqlite: Target, project: Path) -> None:
        check_both_ways("golang-migrate", golang_migrate, on_sqlite, project)

    def test_on_postgresql(self, golang_migrate: Tool, on_postgresql: Target, project: Path) -> None:
        check_both_ways("golang-migrate", golang_migrate, on_postgresql, project)

    def test_taken_back_as_it_does(self, golang_migrate: Tool, on_postgresql: Target, project: Path) -> None:
        migrations, ledger = ours("golang-migrate", project, on_postgresql)
        apply(on_postgresql, ledger, *migrations[:2])
        on_postgresql.execute(*(one.sql for one in migrations[1].down), *ledger.unrecord(migrations[1]))
        assert succeed(golang_migrate(on_postgresql, project, "version")).strip() == "1"

    def test_a_failed_one_stops_both(self, golang_migrate: Tool, on_postgresql: Target, project: Path) -> None:
        (project / "migrations/000002_email.up.sql").write_text("SELECT no_such_column;")
        fail(golang_migrate(on_postgresql, project, "up"))
        migrations, ledger = ours("golang-migrate", project, on_postgresql)
        assert refused(on_postgresql, ledger, migrations) == "DF-E240"
        assert "Dirty database version 2" in fail(golang_migrate(on_postgresql, project, "up"))

    def test_it_skips_what_came_late(self, golang_migrate: Tool, on_postgresql: Target, project: Path) -> None:
        succeed(golang_migrate(on_postgresql, project, "up"))
        (project / "migrations/000005_late.up.sql").write_text("CREATE TABLE late (id int);")
        assert "no change" in succeed(golang_migrate(on_postgresql, project, "up"))
        assert on_postgresql.execute("SELECT to_regclass('late') AS it") == [{"it": None}]
        migrations, ledger = ours("golang-migrate", project, on_postgresql)
        late = next(one for one in migrations if one.id == "5")
        with pytest.raises(SourceError, match="comes before 10"):
            ledger.refuse_skipped([late], ledger.applied(on_postgresql.execute(ledger.applied_query()), migrations))

    def test_our_lock_is_its_lock(self, golang_migrate: Tool, on_postgresql: Target, project: Path) -> None:
        """It waits for the lock without limit, so it is watched from outside: it stands still while we hold it, and goes on after."""
        _, ledger = ours("golang-migrate", project, on_postgresql)
        command = golang_migrate(on_postgresql, project, "version").args
        lock = ledger.lock(urlsplit(on_postgresql.tcp_url).path.removeprefix("/"))
        with psycopg.connect(on_postgresql.url, autocommit=True) as holder:
            assert holder.execute(lock.acquire.encode()).fetchone() == (True,)
            waiting = subprocess.Popen([*command[:-1], "up"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                with pytest.raises(subprocess.TimeoutExpired):
                    waiting.wait(timeout=3)
                assert holder.execute(lock.release.encode()).fetchone() == (True,)
                assert waiting.wait(timeout=30) == 0
            finally:
                waiting.kill()
                waiting.wait()


@pytest.mark.parametrize("project", ["goose"], indirect=True)
class TestGoose:
    def test_on_sqlite(self, goose: Tool, on_sqlite: Target, project: Path) -> None:
        check_both_ways("goose", goose, on_sqlite, project)

    def test_refuses_the_same(self, goose: Tool, on_sqlite: Target, project: Path) -> None:
        migrations, ledger = ours("goose", project, on_sqlite)
        apply(on_sqlite, ledger, migrations[0], migrations[2])
        assert refused(on_sqlite, ledger, migrations) == "DF-E242"
        assert "missing" in fail(goose(on_sqlite, project, "up"))

    @pytest.mark.parametrize(
        "text",
        [
            "SELECT 1;\n",
            "-- +goose Up\nSELECT 1\n",
            "-- +goose Up\nSELECT 1\n-- +goose Down\n",
            "-- +goose Up\n-- +goose Up\n",
            "-- +goose Down\n",
            "-- +goose Up\n-- +goose StatementEnd\n",
            "-- +goose Up\n-- +goose StatementBegin\n",
            "-- +goose Up\n-- +goose NO TRANSACTIONS\n",
            "-- +goose Up\n-- see the +goose manual\nSELECT 1;\n",
            "-- +goose Up\n  -- +goose Down\n",
            "-- +goose NO  TRANSACTION\n-- +goose Up\nSELECT 1;\n",
            "-- +GOOSE Up\nSELECT 1;\n",
            "-- +goose Up\nCREATE TRIGGER t AFTER INSERT ON log BEGIN\n  SELECT 1;\nEND;\n",
        ],
    )
    def test_what_we_refuse_goose_refuses(self, goose: Tool, on_sqlite: Target, project: Path, text: str) -> None:
        succeed(goose(on_sqlite, project, "up"))
        (project / "migrations" / "00004_x.sql").write_text(text)
        with pytest.raises((SourceError, ExceptionGroup)):
            ours("goose", project, on_sqlite)
        fail(goose(on_sqlite, project, "up"))


WRITTEN = {
    "flyway": ("db/migration/V1__init.sql", "db/migration/V2__more.sql", "{}"),
    "golang-migrate": ("migrations/000001_init.up.sql", "migrations/000002_more.up.sql", "{}"),
    "goose": ("migrations/00001_init.sql", "migrations/00002_more.sql", "-- +goose Up\n{}"),
}
INIT = "CREATE TABLE users (id int PRIMARY KEY, name text);\nINSERT INTO users SELECT n, 'x' FROM generate_series(1, 10) n;\n"
MORE = (
    "ALTER TABLE users ADD COLUMN age int;\nALTER TABLE users ADD CONSTRAINT adult CHECK (age >= 18);\n"
    "CREATE INDEX users_name ON users (name);\n"
)


@pytest.mark.parametrize("tool", WRITTEN)
def test_the_tool_runs_the_safe_form(tool: str, request: pytest.FixtureRequest, on_postgresql: Target, tmp_path: Path) -> None:
    """Planned for the live database, written back, run by the tool itself: the check is valid and the index was built online."""
    call: Tool = request.getfixturevalue(tool.replace("-", "_"))
    first, second, frame = WRITTEN[tool]
    (tmp_path / first).parent.mkdir(parents=True)
    (tmp_path / first).write_text(frame.format(INIT))
    succeed(call(on_postgresql, tmp_path, *UP[tool]))
    (tmp_path / second).write_text(frame.format(MORE))
    dialect, connector = dialect_named("postgresql"), connector_for(on_postgresql.url)
    sources = pipeline.find_sources([tmp_path], dialect=dialect, options={str(tmp_path): SourceOptions(tool=tool)}, root=tmp_path)
    _, migration = sources[0].migrations
    plan = pipeline.make_plan(
        sources,
        dialect=dialect,
        catalog=pipeline.read_catalog(connector),
        policy=Policy(small_table_rows=0),
        pending=[migration.id],
    )
    ledger = sources[0].reader.ledger(dialect, sources[0].options)
    own = {*ledger.create(), *ledger.record(migration), *ledger.unrecord(migration)}
    rewrite = rewrite_from_plan(plan, migration, dialect, siblings=sources[0].migrations, leave_out=own)
    written = discover("writer").get("writer", tool).value().write(rewrite, dialect)
    assert any("CREATE INDEX CONCURRENTLY" in data.decode() for data in written.files.values())
    assert any("NOT VALID" in data.decode() for data in written.files.values())
    for path, data in written.files.items():
        (tmp_path / path).write_bytes(data)
    # Without it the concurrent build waits for Flyway's own lock transaction, and Flyway for the build: the file says so.
    settings = {"postgresql.transactional.lock": "false"} if tool == "flyway" else {}
    succeed(call(on_postgresql, tmp_path, *UP[tool], **settings))
    query = """SELECT (SELECT convalidated FROM pg_constraint WHERE conname = 'adult') AS adult,
        (SELECT indisvalid FROM pg_index WHERE indexrelid = 'users_name'::regclass) AS online"""
    assert on_postgresql.execute(query) == [{"adult": True, "online": True}]
