"""Migrations that nobody here wrote, read by the plain-SQL reader and run statement by statement, end in the schema that psql gives.

What "the same schema" means: two fresh databases of one server, one filled by `psql -f` (or by the package's own tool), the other by what
driftflow read; `pg_dump --schema-only` of both, without owners' comments and pg_dump's own random restrict key, is equal line by line. pg_dump
orders by kind and name, so the order of creation does not show, but column order, defaults, bodies, constraint names and comments all do.
"""

from __future__ import annotations

import importlib.resources
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from driftflow import pipeline
from driftflow.config import Policy
from driftflow.dialects.registry import dialect_named
from driftflow.drivers.urls import connector_for
from driftflow.engine.run import RunOptions
from driftflow.model.migration import Migration
from driftflow.model.plan import Irreversible
from driftflow.readers.base import SourceOptions
from driftflow.readers.plain import PlainReader

GRAPHILE_WORKER = "graphile-worker@0.18.0"
SCHEMA = '"graphile_worker"'
"""Quoted, as the package's own tool puts it in."""
GRAPHILE_OPTIONS = SourceOptions(tool="plain", path="sql", variables={"GRAPHILE_WORKER_SCHEMA": SCHEMA})
BOOTSTRAP = f"""
create schema {SCHEMA};
create table {SCHEMA}.migrations(id int primary key, ts timestamptz default now() not null);
alter table {SCHEMA}.migrations add column breaking boolean not null default false;
"""

Apply = Callable[[str, Path, SourceOptions], None]


def read(folder: Path, options: SourceOptions) -> tuple[Migration, ...]:
    return PlainReader().read(folder, dialect_named("postgresql"), options)


def statement_by_statement(url: str, folder: Path, options: SourceOptions) -> None:
    """One message for each statement, one transaction for each migration that wants one."""
    with psycopg.connect(url, autocommit=True) as connection:
        for migration in read(folder, options):
            assert migration.transaction in {"single", "per_statement"}, migration.id
            if migration.transaction == "single":
                connection.execute("BEGIN")
            for statement in migration.statements:
                connection.execute(statement.sql.encode())
            if migration.transaction == "single":
                connection.execute("COMMIT")


def through_the_corridor(url: str, folder: Path, options: SourceOptions) -> None:
    """read → lint → assess → plan → apply, as the commands do it; irreversible steps are accepted by name."""
    dialect = dialect_named("postgresql")
    connector = connector_for(url)
    sources = pipeline.find_sources([folder], dialect=dialect, options={str(folder): options}, root=folder.parent)
    assert pipeline.lint(sources, dialect=dialect, policy=Policy()).statements
    catalog = pipeline.read_catalog(connector)
    assert pipeline.assess(sources, dialect=dialect, catalog=catalog, policy=Policy()).statements
    first = pipeline.make_plan(sources, dialect=dialect, catalog=catalog, policy=Policy())
    policy = Policy(accept=tuple(step.undo.name for step in first.steps if isinstance(step.undo, Irreversible)))
    plan = pipeline.make_plan(sources, dialect=dialect, catalog=catalog, policy=policy)
    report = pipeline.apply_plan(plan, connector=connector, policy=policy, options=RunOptions(), listener=lambda event: None)
    assert (report.state, report.steps_done) == ("done", len(plan.steps))
    (status,) = pipeline.read_status(sources, connector)
    assert status.pending == ()
    assert len(status.applied) == status.total


APPLIES = [pytest.param(statement_by_statement, id="statements"), pytest.param(through_the_corridor, id="corridor")]
"""Ways to bring migrations to a server."""


@pytest.fixture(scope="module")
def procrastinate_folder() -> Path:
    """The migrations start from nothing: 00.00.00_01_initial.sql makes the first tables, schema.sql is only their sum."""
    return Path(str(importlib.resources.files("procrastinate.sql") / "migrations"))


@pytest.fixture(scope="module")
def graphile_package(npm_packages: Callable[..., Path]) -> Path:
    return npm_packages(GRAPHILE_WORKER) / "node_modules" / "graphile-worker"


@pytest.mark.parametrize("apply", APPLIES)
def test_procrastinate_ends_as_with_psql(
    apply: Apply, procrastinate_folder: Path, postgresql_server, postgresql_url: str, postgresql_program
) -> None:
    options = SourceOptions(tool="plain", path="sql/migrations")
    assert len(read(procrastinate_folder, options)) == 38
    apply(postgresql_url, procrastinate_folder, options)
    expected = postgresql_server.create_database()
    try:
        for file in sorted(procrastinate_folder.glob("*.sql")):
            psql(postgresql_program, expected, "-f", str(file))
        assert_same_schema(postgresql_program, postgresql_url, expected)
    finally:
        postgresql_server.drop_database(expected)


@pytest.mark.parametrize("apply", APPLIES)
def test_graphile_worker_ends_as_with_psql(
    apply: Apply, graphile_package: Path, postgresql_server, postgresql_url: str, postgresql_program, tmp_path
) -> None:
    """psql itself never looks into function bodies, so it gets the files as the package's own `migrate.js` rewrites them."""
    assert len(read(graphile_package / "sql", GRAPHILE_OPTIONS)) == 20
    with psycopg.connect(postgresql_url, autocommit=True) as connection:
        connection.execute(BOOTSTRAP)
    apply(postgresql_url, graphile_package / "sql", GRAPHILE_OPTIONS)
    expected = postgresql_server.create_database()
    try:
        psql(postgresql_program, expected, "-c", BOOTSTRAP)
        for file in sorted((graphile_package / "sql").glob("*.sql")):
            rewritten = tmp_path / file.name
            rewritten.write_text(re.sub(r":GRAPHILE_WORKER_SCHEMA\b", SCHEMA, file.read_text()))
            psql(postgresql_program, expected, "-1", "-f", str(rewritten))
        assert_same_schema(postgresql_program, postgresql_url, expected)
    finally:
        postgresql_server.drop_database(expected)


def test_graphile_worker_ends_as_with_its_own_tool(
    graphile_package: Path, postgresql_server, postgresql_url: str, postgresql_program
) -> None:
    with psycopg.connect(postgresql_url, autocommit=True) as connection:
        connection.execute(BOOTSTRAP)
    statement_by_statement(postgresql_url, graphile_package / "sql", GRAPHILE_OPTIONS)
    expected = postgresql_server.create_database()
    try:
        own = run(["node", str(graphile_package / "dist" / "cli.js"), "--schema-only", "-c", node_url(expected)])
        assert own.returncode == 0, own.stderr
        assert_same_schema(postgresql_program, postgresql_url, expected)
    finally:
        postgresql_server.drop_database(expected)


def test_variables_in_bodies_as_psql_has_them(graphile_package: Path, postgresql_url: str, postgresql_program) -> None:
    """With variables_in_bodies = false the text is psql's own: both are refused by the server, at the same place."""
    variables = {"GRAPHILE_WORKER_SCHEMA": SCHEMA}
    options = SourceOptions(path="sql", variables=variables, options={"variables_in_bodies": "false"})
    first = read(graphile_package / "sql", options)[0]
    psql(postgresql_program, postgresql_url, "-c", BOOTSTRAP)
    refused = run_psql(
        postgresql_program,
        postgresql_url,
        *("-v", f"GRAPHILE_WORKER_SCHEMA={SCHEMA}", "-f", str(graphile_package / "sql" / "000001.sql")),
    )
    assert 'syntax error at or near ":"' in refused.stderr
    with psycopg.connect(postgresql_url, autocommit=True) as connection:
        connection.execute(f"DROP SCHEMA {SCHEMA} CASCADE")
        connection.execute(BOOTSTRAP)
        statements = iter(first.statements)
        with pytest.raises(psycopg.errors.SyntaxError, match='syntax error at or near ":"'):
            while statement := next(statements, None):
                connection.execute(statement.sql.encode())
    line = int(re.search(r"sql:(\d+): ERROR", refused.stderr)[1])
    assert statement is not None
    assert statement.span.line <= line <= statement.span.end_line


def assert_same_schema(postgresql_program, ours: str, expected: str) -> None:
    left, right = schema_of(postgresql_program, ours), schema_of(postgresql_program, expected)
    assert any(line.startswith("CREATE TABLE") for line in right)
    assert left == right


def schema_of(postgresql_program, url: str) -> list[str]:
    """The dump's lines, without comments (they carry the versions), the restrict key (random), and driftflow's own journal."""
    dump = run([str(postgresql_program("pg_dump")), "--schema-only", "--no-owner", "--exclude-schema=driftflow", "-d", url])
    assert dump.returncode == 0, dump.stderr
    return [line for line in dump.stdout.splitlines() if line and not line.startswith(("--", "\\restrict", "\\unrestrict"))]


def psql(postgresql_program, url: str, *arguments: str) -> None:
    done = run_psql(postgresql_program, url, *arguments)
    assert done.returncode == 0, done.stderr


def run_psql(postgresql_program, url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run([str(postgresql_program("psql")), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", url, *arguments])


def run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def node_url(url: str) -> str:
    """Node's driver takes a socket's folder as the percent-encoded host."""
    match = re.fullmatch(r"postgresql://(?P<user>[^@]*)@/(?P<database>[^?]+)\?host=(?P<host>[^&]+)&port=(?P<port>\d+)", url)
    return url if match is None else f"postgresql://{match['user']}@{match['host']}:{match['port']}/{match['database']}"
