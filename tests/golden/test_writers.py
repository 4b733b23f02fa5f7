"""A plan with every kind of step, written back as files of each tool. `UPDATE_GOLDEN=1` rewrites what is expected; the review reads the diff."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from driftflow.dialects.registry import dialect_named
from driftflow.dialects.source_text import SourceText
from driftflow.errors import SourceError
from driftflow.model.catalog import Index, IndexPart
from driftflow.model.effects import LockClaim
from driftflow.model.migration import Migration
from driftflow.model.names import Name
from driftflow.model.plan import (
    Backfill,
    BuildIndex,
    ChunkPolicy,
    CsvSource,
    Expectation,
    Gate,
    Guard,
    Irreversible,
    Plan,
    PythonFunction,
    RebuildTable,
    RunSql,
    Stage,
    Step,
    UndoSteps,
    Verify,
)
from driftflow.model.record import replace
from driftflow.plugins import discover
from driftflow.writers.base import Rewrite
from driftflow.writers.from_plan import rewrite_from_plan

EXPECTED = Path(__file__).parent / "writers"
ORDERS = Name(schema="public", name="orders")
INDEX = Index(
    name=Name(schema="public", name="orders_tenant_id"), table=ORDERS, parts=(IndexPart(column="tenant_id"),), method="btree"
)
ORIGINALS = {
    "dbmate": ("20240102120000", "db/migrations/20240102120000_tenants.sql"),
    "diesel": ("20240102120000", "migrations/2024-01-02-120000_tenants/up.sql"),
    "drizzle": ("0001_tenants", "drizzle/0001_tenants.sql"),
    "flyway": ("2", "db/migration/V2__tenants.sql"),
    "golang-migrate": ("2", "migrations/000002_tenants.up.sql"),
    "goose": ("2", "migrations/00002_tenants.sql"),
    "plain": ("002_tenants", "migrations/002_tenants.sql"),
    "prisma": ("20240102120000_tenants", "prisma/migrations/20240102120000_tenants/migration.sql"),
}
JOURNAL = (
    '{"version": "7", "dialect": "postgresql", "entries": '
    '[{"idx": 0, "version": "7", "when": 1000, "tag": "0000_init", "breakpoints": true}, '
    '{"idx": 1, "version": "7", "when": 2000, "tag": "0001_tenants", "breakpoints": true}]}'
)


def undo(*statements: str, transaction: str = "own") -> UndoSteps:
    return UndoSteps(steps=(RunSql(purpose="Take it back", statements=statements, transaction=transaction),))


def tenant_steps() -> tuple[Step, ...]:
    """What a plan for `orders.tenant_id` looks like on PostgreSQL, in short."""
    instant = LockClaim(relation=ORDERS, mode="ACCESS EXCLUSIVE", blocks=("reads", "writes", "ddl"), held="instant")
    scan = LockClaim(relation=ORDERS, mode="SHARE UPDATE EXCLUSIVE", blocks=("ddl",), held="scan")
    return (
        RunSql(
            purpose="Add orders.tenant_id, nullable",
            statements=("ALTER TABLE orders ADD COLUMN tenant_id uuid",),
            claims=(instant,),
            strategy="add_column",
            undo=undo("ALTER TABLE orders DROP COLUMN tenant_id"),
        ),
        RunSql(
            purpose="Let the application fill it",
            statements=("ALTER TABLE orders ALTER COLUMN tenant_id SET DEFAULT NULL",),
            claims=(instant,),
            strategy="add_column",
        ),
        Gate(
            purpose="Wait for the application",
            name="dual-write",
            question="does every running version write tenant_id?",
            checklist=("web 2.4 is everywhere", "the worker is restarted"),
            phase="migrate",
        ),
        Backfill(
            purpose="Fill orders.tenant_id",
            table=ORDERS,
            key=("id",),
            assignments=(("tenant_id", "u.tenant_id"),),
            from_clause="FROM users AS u",
            join="u.id = orders.user_id",
            predicate="orders.tenant_id IS NULL",
            chunk=ChunkPolicy(),
            phase="migrate",
            strategy="backfill_in_chunks",
        ),
        BuildIndex(
            purpose="Build orders_tenant_id without blocking writers",
            index=INDEX,
            create_sql="CREATE INDEX CONCURRENTLY orders_tenant_id ON public.orders USING btree (tenant_id)",
            drop_sql="DROP INDEX CONCURRENTLY public.orders_tenant_id",
            phase="migrate",
            strategy="build_index_online",
            undo=undo("DROP INDEX CONCURRENTLY public.orders_tenant_id", transaction="none"),
        ),
        RunSql(
            purpose="Refuse new orders without a tenant",
            statements=("ALTER TABLE orders ADD CONSTRAINT orders_tenant_id_present CHECK (tenant_id IS NOT NULL) NOT VALID",),
            claims=(instant,),
            phase="contract",
            strategy="prove_not_null",
            undo=undo("ALTER TABLE orders DROP CONSTRAINT orders_tenant_id_present"),
        ),
        RunSql(
            purpose="Prove that no orders.tenant_id is NULL",
            statements=("ALTER TABLE orders VALIDATE CONSTRAINT orders_tenant_id_present",),
            claims=(scan,),
            phase="contract",
            strategy="prove_not_null",
            guards=(Guard(query="SELECT count(*) FROM orders WHERE tenant_id IS NULL", summary="{count} orders have no tenant"),),
        ),
        RunSql(
            purpose="Record it in the tool's own table",
            statements=("ALTER TABLE orders ALTER COLUMN tenant_id SET NOT NULL", "INSERT INTO schema_migrations VALUES (2)"),
            claims=(instant,),
            phase="contract",
            undo=Irreversible(reason="rows without a tenant are refused from now on", name="set_not_null orders.tenant_id"),
        ),
        Verify(
            purpose="Check the result",
            phase="contract",
            expectations=(
                Expectation(summary="every order has a tenant", query="SELECT count(*) FROM orders WHERE tenant_id IS NULL"),
            ),
        ),
    )


def original(tool: str, dialect: str = "postgresql") -> Migration:
    id, path = ORIGINALS[tool]
    native = {"when": "2000"} if tool == "drizzle" else {}
    return Migration(id=id, source=tool, path=path, dialect=dialect, checksum="0", sha256="0", native=native)


def plan_of(steps: tuple[Step, ...], dialect: str = "postgresql") -> Plan:
    return Plan(dialect=dialect, migrations=(), catalog_fingerprint="", steps=steps)


def rewrite_of(tool: str) -> Rewrite:
    steps = tenant_steps()
    migration = original(tool)
    made = rewrite_from_plan(
        plan_of(steps),
        migration,
        dialect_named("postgresql"),
        siblings=(migration,),
        leave_out={"INSERT INTO schema_migrations VALUES (2)"},
    )
    return replace(made, files={"drizzle/meta/_journal.json": JOURNAL} if tool == "drizzle" else {})


@pytest.mark.parametrize("tool", ORIGINALS)
def test_written(tool: str) -> None:
    writer = discover("writer").get("writer", tool).value()
    written = writer.write(rewrite_of(tool), dialect_named("postgresql"))
    folder = EXPECTED / tool
    texts = {path: data.decode() for path, data in written.files.items()} | {
        "LOST.txt": "".join(f"{one}\n" for one in written.lost)
    }
    if os.environ.get("UPDATE_GOLDEN"):
        shutil.rmtree(folder, ignore_errors=True)
        for path, text in texts.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
    assert texts == {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_what_has_no_sql_becomes_a_comment() -> None:
    function = PythonFunction(reference="app:encrypt", path=".", sha256="0", inputs=("secret",), outputs=("ciphertext",))
    steps = (
        Stage(
            purpose="Load stock.csv",
            table=Name(schema="driftflow", name="stage_stock"),
            columns=(("sku", "text"), ("count", "integer")),
            key=("sku",),
            source=CsvSource(path="stock.csv", sha256="0", columns=("sku", "count")),
        ),
        Backfill(purpose="Encrypt", table=ORDERS, key=("id",), function=function),
    )
    (part,) = rewrite_from_plan(plan_of(steps), original("plain"), dialect_named("postgresql")).parts
    assert part.statements[-1] == "CREATE TABLE driftflow.stage_stock (sku text, count integer, PRIMARY KEY (sku))"
    assert part.comments == (
        "Fill this table from stock.csv before the next file runs",
        "Encrypt:",
        "Fill ciphertext of public.orders with the function app:encrypt now",
    )
    assert "stock.csv is loaded into the table" in part.lost


def test_the_tools_own_records_are_left_to_it() -> None:
    """Neither the way up nor the way down writes into the version table: the tool does."""
    record, unrecord = "INSERT INTO schema_migrations VALUES (2)", "DELETE FROM schema_migrations WHERE version = 2"
    step = RunSql(purpose="Add it", statements=("ALTER TABLE a ADD b int", record), undo=undo(unrecord, "ALTER TABLE a DROP b"))
    only = RunSql(purpose="Record it", statements=(record,), undo=undo(unrecord))
    (part,) = rewrite_from_plan(
        plan_of((only, step)), original("dbmate"), dialect_named("postgresql"), leave_out={record, unrecord}
    ).parts
    assert part.statements == ("SET LOCAL lock_timeout = '250ms'", "ALTER TABLE a ADD b int")
    assert part.down == ("SET LOCAL lock_timeout = '250ms'", "ALTER TABLE a DROP b")


def test_a_hand_written_way_back_is_kept_where_the_plan_knows_none() -> None:
    (down,) = dialect_named("postgresql").split(SourceText(text="DELETE FROM a WHERE made_by = 2"))
    migration = replace(original("dbmate"), down=(down,))
    steps = tuple(
        RunSql(purpose=f"Do {n}", statements=(f"SELECT {n}",), phase=phase) for n, phase in enumerate(("expand", "contract"))
    )
    first, second = rewrite_from_plan(plan_of(steps), migration, dialect_named("postgresql")).parts
    assert first.down == ("DELETE FROM a WHERE made_by = 2",)
    assert second.down == ()


def test_nothing_to_write() -> None:
    gate = Gate(purpose="Wait", name="g", question="ready?")
    with pytest.raises(SourceError) as caught:
        rewrite_from_plan(plan_of((gate,)), original("plain"), dialect_named("postgresql"))
    assert caught.value.code == "DF-E254"


@pytest.mark.parametrize("tool", ["drizzle", "golang-migrate"])
def test_a_rebuild_is_refused_where_everything_runs_in_a_transaction(tool: str) -> None:
    """With foreign keys on, it would delete the rows that refer to the table."""
    rebuild = RebuildTable(
        purpose="Rebuild orders",
        table=Name(schema="main", name="orders"),
        create_sql="CREATE TABLE new (id integer)",
        temporary_name="new",
        copy=(("id", "id"),),
    )
    migration = original(tool, "sqlite")
    made = rewrite_from_plan(plan_of((rebuild,), "sqlite"), migration, dialect_named("sqlite"))
    writer = discover("writer").get("writer", tool).value()
    with pytest.raises(SourceError) as caught:
        writer.write(replace(made, files={"drizzle/meta/_journal.json": JOURNAL}), dialect_named("sqlite"))
    assert caught.value.code == "DF-E252"
