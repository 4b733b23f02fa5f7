"""Migrations that nobody here wrote, read by the plain-SQL reader and run statement by statement, end in the schema that psql gives.

What "the same schema" means: two fresh databases of one server, one filled by `psql -f` (or by the package's own tool), the other by what
driftflow read; `pg_dump --schema-only` of both, without owners' comments and pg_dump's own random restrict key, is equal line by line. pg_dump
orders by kind and name, so the order of creation does not show, but column order, defaults, bodies, constraint names and comments all do.
"""

from __future__ import annotations

import importlib.resources
import re
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import psycopg
import pytest

from driftflow.dialects.base import Dialect
from driftflow.dialects.registry import dialect_named
from driftflow.model.migration import Migration
from driftflow.readers.base import SourceOptions
from driftflow.readers.plain import PlainReader

GRAPHILE_WORKER = "graphile-worker@0.18.0"
SCHEMA = '"graphile_worker"'
"""Quoted, as the package's own tool puts it in."""
BOOTSTRAP = f"""
create schema {SCHEMA};
create table {SCHEMA}.migrations(id int primary key, ts timestamptz default now() not null);
alter table {SCHEMA}.migrations add column breaking boolean not null default false;
"""

Apply = Callable[[str, Sequence[Migration], Dialect], None]


def statement_by_statement(url: str, migrations: Sequence[Migration], dialect: Dialect) -> None:
    """One message for each statement, one transaction for each migration that wants one."""
    with psycopg.connect(url, autocommit=True) as connection:
        for migration in migrations:
            assert migration.transaction in {"single", "per_statement"}, migration.id
            if migration.transaction == "single":
                connection.execute("BEGIN")
            for statement in migration.statements:
                connection.execute(statement.sql.encode())
            if migration.transaction == "single":
                connection.execute("COMMIT")


def parsed_first(url: str, migrations: Sequence[Migration], dialect: Dialect) -> None:
    """The same, after the dialect parsed every statement: what it rejects or changes would show."""
    parsed = [[dialect.parse(statement) for statement in migration.statements] for migration in migrations]
    assert all(statement.operations for statements in parsed for statement in statements)
    statement_by_statement(url, migrations, dialect)


APPLIES = [pytest.param(statement_by_statement, id="statements"), pytest.param(parsed_first, id="parsed")]
"""Ways to bring migrations to a server. The whole corridor (plan and engine) joins here as one more function."""


@pytest.fixture(scope="module")
def dialect() -> Dialect:
    return dialect_named("postgresql")


@pytest.fixture(scope="module")
def procrastinate_folder() -> Path:
    """The migrations start from nothing: 00.00.00_01_initial.sql makes the first tables, schema.sql is only their sum."""
    return Path(str(importlib.resources.files("procrastinate.sql") / "migrations"))


@pytest.fixture(scope="module")
def graphile_package(npm_packages: Callable[..., Path]) -> Path:
    return npm_packages(GRAPHILE_WORKER) / "node_modules" / "graphile-worker"


@pytest.mark.parametrize("apply", APPLIES)
def test_procrastinate_ends_as_with_psql(
    apply: Apply, dialect: Dialect, procrastinate_folder: Path, postgresql_server, postgresql_url: str, postgresql_program
) -> None:
    migrations = PlainReader().read(procrastinate_folder, dialect, SourceOptions(path="sql/migrations"))
    assert len(migrations) == 38
    apply(postgresql_url, migrations, dialect)
    expected = postgresql_server.create_database()
    try:
        for file in sorted(procrastinate_folder.glob("*.sql")):
            psql(postgresql_program, expected, "-f", str(file))
        assert_same_schema(postgresql_program, postgresql_url, expected)
    finally:
        postgresql_server.drop_database(expected)


@pytest.mark.parametrize("apply", APPLIES)
def test_graphile_worker_ends_as_with_psql(
    apply: Apply, dialect: Dialect, graphile_package: Path, postgresql_server, postgresql_url: str, postgresql_program, tmp_path
) -> None:
    """psql itself never looks into function bodies, so it gets the files as the package's own `migrate.js` rewrites them."""
    options = SourceOptions(path="sql", variables={"GRAPHILE_WORKER_SCHEMA": SCHEMA})
    migrations = PlainReader().read(graphile_package / "sql", dialect, options)
    assert len(migrations) == 20
    with psycopg.connect(postgresql_url, autocommit=True) as connection:
        connection.execute(BOOTSTRAP)
    apply(postgresql_url, migrations, dialect)
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
    dialect: Dialect, graphile_package: Path, postgresql_server, postgresql_url: str, postgresql_program
) -> None:
    options = SourceOptions(path="sql", variables={"GRAPHILE_WORKER_SCHEMA": SCHEMA})
    migrations = PlainReader().read(graphile_package / "sql", dialect, options)
    with psycopg.connect(postgresql_url, autocommit=True) as connection:
        connection.execute(BOOTSTRAP)
    statement_by_statement(postgresql_url, migrations, dialect)
    expected = postgresql_server.create_database()
    try:
        own = run(["node", str(graphile_package / "dist" / "cli.js"), "--schema-only", "-c", node_url(expected)])
        assert own.returncode == 0, own.stderr
        assert_same_schema(postgresql_program, postgresql_url, expected)
    finally:
        postgresql_server.drop_database(expected)


def test_variables_in_bodies_as_psql_has_them(
    dialect: Dialect, graphile_package: Path, postgresql_url: str, postgresql_program
) -> None:
    """With variables_in_bodies = false the text is psql's own: both are refused by the server, at the same place."""
    variables = {"GRAPHILE_WORKER_SCHEMA": SCHEMA}
    options = SourceOptions(path="sql", variables=variables, options={"variables_in_bodies": "false"})
    first = PlainReader().read(graphile_package / "sql", dialect, options)[0]
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
    """The dump's lines, without comments (they carry the versions) and the restrict key, which is random."""
    dump = run([str(postgresql_program("pg_dump")), "--schema-only", "--no-owner", "-d", url])
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
