"""The tools themselves read what driftflow recorded, and driftflow reads what they recorded: dbmate (its binary) and Drizzle (its library)."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from psycopg.rows import dict_row

from driftflow.dialects.registry import dialect_named
from driftflow.errors import SourceError
from driftflow.model.migration import Migration
from driftflow.readers.base import Ledger, SourceOptions
from driftflow.readers.dbmate import DbmateReader
from driftflow.readers.drizzle import DrizzleReader

SAMPLES = Path(__file__).parents[1] / "golden" / "readers"
DBMATE = "dbmate@2.36.0"
DRIZZLE = ("drizzle-orm@0.45.4", "pg@8.16.3", "sql.js@1.13.0")
DRIZZLE_POSTGRESQL = """
const { drizzle } = require("drizzle-orm/node-postgres");
const { migrate } = require("drizzle-orm/node-postgres/migrator");
const { Pool } = require("pg");
(async () => {
  const pool = new Pool({ connectionString: process.argv[2] });
  await migrate(drizzle(pool), { migrationsFolder: process.argv[3] });
  await pool.end();
})().catch((fault) => { console.error(fault); process.exit(1); });
"""
DRIZZLE_SQLITE = """
const fs = require("fs");
const { drizzle } = require("drizzle-orm/sql-js");
const { migrate } = require("drizzle-orm/sql-js/migrator");
require("sql.js")().then((SQL) => {
  const database = new SQL.Database(fs.readFileSync(process.argv[2]));
  migrate(drizzle(database), { migrationsFolder: process.argv[3] });
  fs.writeFileSync(process.argv[2], Buffer.from(database.export()));
}).catch((fault) => { console.error(fault); process.exit(1); });
"""


def run(command: list[str], **environment: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env={**os.environ, **environment})
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def on_sqlite(path: Path, *statements: str) -> list[dict]:
    """The rows of the last statement."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.row_factory = sqlite3.Row
    try:
        rows: list[dict] = []
        for statement in statements:
            rows = [dict(row) for row in connection.execute(statement)]
        return rows
    finally:
        connection.close()


def on_postgresql(url: str, *statements: str) -> list[dict]:
    with psycopg.connect(url, autocommit=True, row_factory=dict_row) as connection:
        for statement in statements:
            cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def run_migration(execute: Callable[..., list[dict]], ledger: Ledger, *migrations: Migration) -> None:
    """As an applied plan does: the statements, and the record with the last of them."""
    execute(*ledger.create())
    for migration in migrations:
        execute("BEGIN", *(one.sql for one in migration.statements), *ledger.record(migration), "COMMIT")


# dbmate


@pytest.fixture(scope="module")
def dbmate(npm_packages: Callable[..., Path]) -> Path:
    return npm_packages(DBMATE) / "node_modules" / ".bin" / "dbmate"


def dbmate_status(dbmate: Path, url: str, folder: Path) -> dict[str, bool]:
    """`[X] 20240101000000_users.sql` → True."""
    out = run([str(dbmate), "--url", url, "--migrations-dir", str(folder), "status"])
    return {name: mark == "X" for mark, name in re.findall(r"^\[(.)\] (\S+)$", out, re.MULTILINE)}


def check_dbmate(dbmate: Path, url: str, execute: Callable[..., list[dict]], *, dialect_name: str) -> None:
    dialect = dialect_named(dialect_name)
    folder = SAMPLES / "dbmate" / "project" / "db" / "migrations"
    migrations = DbmateReader().read(folder, dialect, SourceOptions())
    ledger = DbmateReader().ledger(dialect, SourceOptions())
    run_migration(execute, ledger, *migrations[:2])
    assert list(dbmate_status(dbmate, url, folder).values()) == [True, True, False]

    run([str(dbmate), "--url", url, "--migrations-dir", str(folder), "--no-dump-schema", "up", "--strict"])
    applied = ledger.applied(execute(ledger.applied_query()), migrations)
    assert [row.id for row in applied] == [one.id for one in migrations]
    assert ledger.pending(applied, migrations) == ()

    execute(*(one.sql for one in migrations[2].down), *ledger.unrecord(migrations[2]))
    assert list(dbmate_status(dbmate, url, folder).values()) == [True, True, False]
    run([str(dbmate), "--url", url, "--migrations-dir", str(folder), "--no-dump-schema", "rollback"])
    applied = ledger.applied(execute(ledger.applied_query()), migrations)
    assert [one.id for one in ledger.pending(applied, migrations)] == [one.id for one in migrations[1:]]


def test_dbmate_on_postgresql(dbmate: Path, postgresql_url: str) -> None:
    check_dbmate(
        dbmate,
        postgresql_url + "&sslmode=disable",
        lambda *statements: on_postgresql(postgresql_url, *statements),
        dialect_name="postgresql",
    )


def test_dbmate_on_sqlite(dbmate: Path, sqlite_file: Path) -> None:
    check_dbmate(dbmate, f"sqlite:{sqlite_file}", lambda *statements: on_sqlite(sqlite_file, *statements), dialect_name="sqlite")


def test_our_table_is_dbmates_own(
    dbmate: Path, postgresql_server, postgresql_url: str, postgresql_program, tmp_path: Path
) -> None:
    """Made by driftflow or by dbmate, pg_dump sees one and the same table."""
    folder = SAMPLES / "dbmate" / "project" / "db" / "migrations"
    ledger = DbmateReader().ledger(dialect_named("postgresql"), SourceOptions())
    on_postgresql(postgresql_url, *ledger.create())
    theirs = postgresql_server.create_database()
    try:
        run([str(dbmate), "--url", theirs + "&sslmode=disable", "--migrations-dir", str(folder), "--no-dump-schema", "up"])
        assert table_in_dump(postgresql_program, postgresql_url, "schema_migrations") == table_in_dump(
            postgresql_program, theirs, "schema_migrations"
        )
    finally:
        postgresql_server.drop_database(theirs)


def table_in_dump(postgresql_program: Callable[[str], Path], url: str, pattern: str) -> list[str]:
    out = run([str(postgresql_program("pg_dump")), "--schema-only", "--no-owner", "-t", f"*.{pattern}", "-d", url])
    return [line for line in out.splitlines() if line and not line.startswith(("--", "\\"))]


@pytest.mark.parametrize(
    "text",
    [
        "CREATE TABLE a (id int);\n",
        "-- migrate:up\nCREATE TABLE a (id int);\n",
        "-- migrate:down\n-- migrate:up\nCREATE TABLE a (id int);\n",
        "CREATE TABLE b (id int);\n-- migrate:up\nCREATE TABLE a (id int);\n-- migrate:down\n",
        "-- migrate:up\nCREATE TABLE a (id int);\n-- migrate:down\n-- migrate:down\n",
        "-- migrate:up\nCREATE TABLE a (id int);\n-- migrate:down\n-- migrate:up\nCREATE TABLE b (id int);\n-- migrate:down\n",
    ],
    ids=["no marker", "no down", "down first", "statement in front", "down twice", "two sections"],
)
def test_what_we_refuse_dbmate_refuses(text: str, dbmate: Path, tmp_path: Path) -> None:
    (tmp_path / "1_a.sql").write_text(text)
    with pytest.raises(SourceError) as caught:
        DbmateReader().read(tmp_path, dialect_named("sqlite"), SourceOptions())
    assert caught.value.code == "DF-E231"
    command = [str(dbmate), "--url", f"sqlite:{tmp_path}/test.db", "--migrations-dir", str(tmp_path), "--no-dump-schema", "up"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode != 0, done.stdout


# Drizzle


@pytest.fixture(scope="module")
def drizzle(npm_packages: Callable[..., Path]) -> Path:
    return npm_packages(*DRIZZLE)


def drizzle_migrate(modules: Path, script: str, target: str, folder: Path) -> None:
    run(["node", "-e", script, "-", target, str(folder)], NODE_PATH=str(modules / "node_modules"))


def check_drizzle(
    modules: Path, target: str, execute: Callable[..., list[dict]], folder: Path, *, dialect_name: str, script: str
) -> None:
    """driftflow records the first, Drizzle runs the rest, driftflow sees all; hash and time are Drizzle's own."""
    dialect = dialect_named(dialect_name)
    migrations = DrizzleReader().read(folder, dialect, SourceOptions())
    ledger = DrizzleReader().ledger(dialect, SourceOptions())
    run_migration(execute, ledger, migrations[0])
    drizzle_migrate(modules, script, target, folder)
    rows = execute(ledger.applied_query())
    assert [(row["hash"], int(row["created_at"])) for row in rows] == [
        (one.sha256, int(one.native["when"])) for one in migrations
    ]
    assert ledger.pending(ledger.applied(rows, migrations), migrations) == ()
    execute(*ledger.unrecord(migrations[-1]))
    assert [one.id for one in ledger.pending(ledger.applied(execute(ledger.applied_query()), migrations), migrations)] == [
        migrations[-1].id
    ]


def test_drizzle_on_sqlite(drizzle: Path, sqlite_file: Path) -> None:
    check_drizzle(
        drizzle,
        str(sqlite_file),
        lambda *statements: on_sqlite(sqlite_file, *statements),
        SAMPLES / "drizzle" / "project" / "drizzle",
        dialect_name="sqlite",
        script=DRIZZLE_SQLITE,
    )


@pytest.fixture
def postgresql_folder(tmp_path: Path) -> Path:
    """The SQLite sample, in PostgreSQL's quotes."""
    source = SAMPLES / "drizzle" / "project" / "drizzle"
    for file in source.rglob("*.*"):
        target = tmp_path / file.relative_to(source)
        target.parent.mkdir(exist_ok=True)
        target.write_text(file.read_text().replace("`", '"').replace('"dialect": "sqlite"', '"dialect": "postgresql"'))
    assert json.loads((tmp_path / "meta" / "_journal.json").read_text())["dialect"] == "postgresql"
    return tmp_path


def test_drizzle_on_postgresql(drizzle: Path, postgresql_url: str, postgresql_folder: Path) -> None:
    check_drizzle(
        drizzle,
        node_url(postgresql_url),
        lambda *statements: on_postgresql(postgresql_url, *statements),
        postgresql_folder,
        dialect_name="postgresql",
        script=DRIZZLE_POSTGRESQL,
    )


def node_url(url: str) -> str:
    """Node's driver takes a socket's folder as the percent-encoded host."""
    match = re.fullmatch(r"postgresql://(?P<user>[^@]*)@/(?P<database>[^?]+)\?host=(?P<host>[^&]+)&port=(?P<port>\d+)", url)
    return url if match is None else f"postgresql://{match['user']}@{match['host']}:{match['port']}/{match['database']}"
