"""Files that a writer made, run by the tools themselves and by servers: what is written is not only readable, it works."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from driftflow.dialects.registry import dialect_named
from driftflow.model.catalog import Index, IndexPart
from driftflow.model.migration import Migration
from driftflow.model.names import Name
from driftflow.model.plan import Backfill, BuildIndex, Plan, RebuildTable, RunSql, Step, UndoSteps
from driftflow.plugins import discover
from driftflow.readers.base import SourceOptions
from driftflow.readers.dbmate import DbmateReader
from driftflow.writers.from_plan import rewrite_from_plan
from driftflow.writers.row_changes import in_chunks

DBMATE = "dbmate@2.36.0"
ORDERS = Name(schema="public", name="orders")
INIT = """-- migrate:up
CREATE TABLE users (id int PRIMARY KEY, tenant_id uuid NOT NULL);
CREATE TABLE orders (id int PRIMARY KEY, user_id int);
INSERT INTO users SELECT n, md5(n::text)::uuid FROM generate_series(1, 50) n;
INSERT INTO orders SELECT n, 1 + n % 50 FROM generate_series(1, 12001) n;
-- migrate:down
DROP TABLE orders;
DROP TABLE users;
"""


@pytest.fixture(scope="module")
def dbmate(npm_packages: Callable[..., Path]) -> Path:
    return npm_packages(DBMATE) / "node_modules" / ".bin" / "dbmate"


def run_dbmate(dbmate: Path, url: str, project: Path, *arguments: str) -> str:
    command = [str(dbmate), "--url", url, "--migrations-dir", str(project), "--no-dump-schema", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=dict(os.environ))
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def undo(*statements: str, transaction: str = "own") -> UndoSteps:
    return UndoSteps(steps=(RunSql(purpose="Back", statements=statements, transaction=transaction),))


def fill() -> Backfill:
    return Backfill(
        purpose="Fill orders.tenant_id",
        table=ORDERS,
        key=("id",),
        assignments=(("tenant_id", "u.tenant_id"),),
        from_clause="FROM users AS u",
        join="u.id = orders.user_id",
        predicate="orders.tenant_id IS NULL",
        phase="migrate",
    )


def steps() -> tuple[Step, ...]:
    index = Index(name=Name(schema="public", name="orders_tenant_id"), table=ORDERS, parts=(IndexPart(column="tenant_id"),))
    return (
        RunSql(
            purpose="Add orders.tenant_id",
            statements=("ALTER TABLE orders ADD COLUMN tenant_id uuid",),
            undo=undo("ALTER TABLE orders DROP COLUMN tenant_id"),
        ),
        fill(),
        BuildIndex(
            purpose="Index orders.tenant_id",
            index=index,
            create_sql="CREATE INDEX CONCURRENTLY orders_tenant_id ON public.orders (tenant_id)",
            drop_sql="DROP INDEX CONCURRENTLY public.orders_tenant_id",
            undo=undo("DROP INDEX CONCURRENTLY public.orders_tenant_id", transaction="none"),
        ),
        RunSql(
            purpose="Demand it",
            statements=("ALTER TABLE orders ALTER COLUMN tenant_id SET NOT NULL",),
            phase="contract",
            undo=undo("ALTER TABLE orders ALTER COLUMN tenant_id DROP NOT NULL"),
        ),
    )


def test_dbmate_runs_what_was_written_and_takes_it_back(dbmate: Path, postgresql_url: str, tmp_path: Path) -> None:
    dialect = dialect_named("postgresql")
    (tmp_path / "20240101000000_init.sql").write_text(INIT)
    (tmp_path / "20240102000000_tenants.sql").write_text("-- migrate:up\nSELECT 1;\n-- migrate:down\n")
    before = DbmateReader().read(tmp_path, dialect, SourceOptions())
    plan = Plan(dialect="postgresql", migrations=(), catalog_fingerprint="", steps=steps())
    writer = discover("writer").get("writer", "dbmate").value()
    written = writer.write(rewrite_from_plan(plan, before[1], dialect, siblings=before), dialect)
    for path, data in written.files.items():
        (tmp_path / path).write_bytes(data)
    assert len(written.files) == 4

    url = postgresql_url + "&sslmode=disable"
    run_dbmate(dbmate, url, tmp_path, "up", "--strict")
    assert state(postgresql_url) == {"not_null": True, "index": True, "empty": 0, "wrong": 0}
    for _ in written.files:
        run_dbmate(dbmate, url, tmp_path, "rollback")
    with psycopg.connect(postgresql_url) as connection:
        columns = connection.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = 'orders'::regclass AND attnum > 0 AND NOT attisdropped"
        )
        assert [name for (name,) in columns] == ["id", "user_id"]


def state(url: str) -> dict[str, object]:
    with psycopg.connect(url) as connection:
        query = """
            SELECT (SELECT attnotnull FROM pg_attribute WHERE attrelid = 'orders'::regclass AND attname = 'tenant_id'),
                   (SELECT indisvalid FROM pg_index WHERE indexrelid = 'orders_tenant_id'::regclass),
                   (SELECT count(*) FROM orders WHERE tenant_id IS NULL),
                   (SELECT count(*) FROM orders o JOIN users u ON u.id = o.user_id WHERE u.tenant_id <> o.tenant_id)
        """
        row = connection.execute(query).fetchone()
    assert row is not None
    return dict(zip(("not_null", "index", "empty", "wrong"), row, strict=True))


@pytest.mark.parametrize("rows", [1, 3, 10, 100])
def test_in_chunks_commits_each_stretch(rows: int, postgresql_url: str) -> None:
    """Ten orders in stretches: each row changed once, and as many transactions as stretches."""
    with psycopg.connect(postgresql_url, autocommit=True) as connection:
        connection.execute(
            "CREATE TABLE users (id int PRIMARY KEY, tenant_id int); CREATE TABLE orders (id int PRIMARY KEY, user_id int, tenant_id int)"
        )
        connection.execute(
            "INSERT INTO users VALUES (1, 7); INSERT INTO orders SELECT 3 * n, 1, NULL FROM generate_series(1, 10) n"
        )
        connection.execute("INSERT INTO orders VALUES (1000, 2, NULL)")
        connection.execute(in_chunks(fill(), dialect_named("postgresql"), rows=rows).encode())
        done = connection.execute("SELECT count(*), count(DISTINCT xmin::text) FROM orders WHERE tenant_id = 7").fetchone()
        assert done == (10, -(-10 // rows) if rows < 10 else 1)
        assert connection.execute("SELECT tenant_id FROM orders WHERE id = 1000").fetchone() == (None,)


def test_in_chunks_on_an_empty_table(postgresql_url: str) -> None:
    with psycopg.connect(postgresql_url, autocommit=True) as connection:
        connection.execute(
            "CREATE TABLE users (id int, tenant_id int); CREATE TABLE orders (id int PRIMARY KEY, user_id int, tenant_id int)"
        )
        connection.execute(in_chunks(fill(), dialect_named("postgresql")).encode())


ORDERS_AND_ITEMS = """
    CREATE TABLE orders (id INTEGER PRIMARY KEY AUTOINCREMENT, note TEXT);
    CREATE TABLE items (id INTEGER PRIMARY KEY, order_id INTEGER REFERENCES orders (id) ON DELETE CASCADE);
    INSERT INTO orders VALUES (1, 'a'), (2, 'b');
    INSERT INTO orders VALUES (3, 'c');
    DELETE FROM orders WHERE id > 1;
    INSERT INTO items VALUES (1, 1), (2, NULL);
"""


@pytest.mark.parametrize("careless", [False, True], ids=["as written", "without the switch"])
def test_dbmate_rebuilds_a_table_without_losing_what_refers_to_it(
    careless: bool, dbmate: Path, sqlite_file: Path, tmp_path: Path
) -> None:
    """Rows that refer to the table with ON DELETE CASCADE survive on a connection with foreign keys on; without the switch they do not."""
    with sqlite3.connect(sqlite_file) as connection:
        connection.executescript(ORDERS_AND_ITEMS)
    text = rebuild_file()
    if careless:
        text = text.replace("PRAGMA foreign_keys = OFF;", "")
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "1_rebuild.sql").write_text(text)
    run_dbmate(dbmate, f"sqlite:{sqlite_file}?_foreign_keys=on", tmp_path / "m", "up")
    with sqlite3.connect(sqlite_file) as connection:
        assert connection.execute("SELECT count(*) FROM items").fetchone() == (1 if careless else 2,)
        assert connection.execute("SELECT * FROM orders").fetchall() == [(1, "a")]
        assert connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'orders'").fetchone() == (3,)
        assert connection.execute("SELECT sql FROM sqlite_schema WHERE name = 'orders_note'").fetchone() is not None


def rebuild_file() -> str:
    rebuild = RebuildTable(
        purpose="Rebuild orders: note NOT NULL",
        table=Name(schema="main", name="orders"),
        create_sql="CREATE TABLE _new_orders (id INTEGER PRIMARY KEY AUTOINCREMENT, note TEXT NOT NULL)",
        temporary_name="_new_orders",
        copy=(("id", "id"), ("note", "note")),
        restore=("CREATE INDEX orders_note ON orders (note)",),
        autoincrement=True,
    )
    migration = Migration(id="1", source="dbmate", path="1_rebuild.sql", dialect="sqlite", checksum="0", sha256="0")
    plan = Plan(dialect="sqlite", migrations=(), catalog_fingerprint="", steps=(rebuild,))
    dialect = dialect_named("sqlite")
    written = discover("writer").get("writer", "dbmate").value().write(rewrite_from_plan(plan, migration, dialect), dialect)
    return written.files["1_rebuild.sql"].decode()
