"""Small plans that hold every step kind, written by hand: the engine must not depend on who planned."""

from __future__ import annotations

import hashlib
from pathlib import Path

from driftflow.model.catalog import Index, IndexPart
from driftflow.model.names import Name
from driftflow.model.plan import (
    Backfill,
    BuildIndex,
    ChunkPolicy,
    CsvSource,
    Expectation,
    Gate,
    Guard,
    Input,
    Plan,
    Probe,
    PythonFunction,
    RebuildTable,
    RunSql,
    Stage,
    UndoSteps,
    Verify,
)

ROWS = 25
CHUNK = ChunkPolicy(rows_first=10, rows_min=10, rows_max=10, rest_percent=1)


def csv_file(folder: Path) -> CsvSource:
    path = folder / "stock.csv"
    path.write_text("account,stock\n" + "".join(f"{number},{number * 3}\n" for number in range(1, ROWS + 1)))
    return CsvSource(path=str(path), sha256=hashlib.sha256(path.read_bytes()).hexdigest(), columns=("account", "stock"))


def function(folder: Path) -> PythonFunction:
    path = folder / "sealing.py"
    path.write_text("def seal(rows):\n    return [{'sealed': f\"<{row['name']}>\"} for row in rows]\n")
    return PythonFunction(
        reference="sealing:seal",
        path=str(folder),
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        inputs=("name",),
        outputs=("sealed",),
    )


def drop(column: str) -> UndoSteps:
    return UndoSteps(steps=(RunSql(purpose=f"drop {column}", statements=(f"ALTER TABLE account DROP COLUMN {column}",)),))


def fills(account: Name, folder: Path) -> tuple[Backfill, ...]:
    """Join what was staged, add one to every balance, call Python."""
    return (
        Backfill(
            id="join",
            purpose="Fill stock",
            table=account,
            key=("id",),
            assignments=(("stock", "s.stock"),),
            from_clause="FROM df_stage AS s",
            join="s.account = account.id",
            predicate="account.stock IS NULL",
            chunk=CHUNK,
            rows_estimate=ROWS,
            remaining_query="SELECT count(*) FROM account WHERE stock IS NULL AND name NOT LIKE '100%'",
            phase="migrate",
        ),
        Backfill(
            id="count",
            purpose="Add one to every balance, exactly once",
            table=account,
            key=("region", "number"),
            assignments=(("balance", "balance + 1"),),
            chunk=CHUNK,
            phase="migrate",
            undo=UndoSteps(
                steps=(
                    Backfill(
                        purpose="Take it off again",
                        table=account,
                        key=("id",),
                        assignments=(("balance", "balance - 1"),),
                        chunk=CHUNK,
                    ),
                )
            ),
        ),
        Backfill(
            id="call",
            purpose="Seal by Python",
            table=account,
            key=("id",),
            function=function(folder),
            predicate="sealed IS NULL",
            chunk=CHUNK,
            phase="migrate",
        ),
    )


def delete_log(schema: str) -> Backfill:
    return Backfill(
        id="delete",
        purpose="Delete the old log",
        table=Name(schema=schema, name="log"),
        key=("id",),
        action="delete",
        predicate="old = 1",
        chunk=CHUNK,
        phase="contract",
    )


def seen() -> Verify:
    return Verify(
        id="verify",
        purpose="See that it is right",
        phase="contract",
        expectations=(
            Expectation(summary="every row is sealed", query="SELECT count(*) FROM account WHERE sealed IS NULL", expect="0"),
            Expectation(
                summary="writing is rolled back",
                setup=("DELETE FROM log",),
                query="SELECT count(*) FROM log",
                expect="0",
            ),
        ),
    )


def gate() -> Gate:
    return Gate(id="gate", purpose="The new version is out", name="deployed", question="Is it?", phase="contract")


def common(schema: str, folder: Path) -> tuple:
    """What both vendors share: add columns, stage a file, join it, add one to every balance, call Python, delete, verify, a gate."""
    account, staging = Name(schema=schema, name="account"), Name(schema=schema, name="df_stage")
    return (
        RunSql(id="add", purpose="Add stock", statements=("ALTER TABLE account ADD COLUMN stock integer",), undo=drop("stock")),
        RunSql(id="seal", purpose="Add sealed", statements=("ALTER TABLE account ADD COLUMN sealed text",), undo=drop("sealed")),
        Stage(
            id="stage",
            purpose="Load the stock",
            table=staging,
            columns=(("account", "integer"), ("stock", "integer")),
            key=("account",),
            source=csv_file(folder),
            undo=UndoSteps(steps=(RunSql(purpose="drop", statements=("DROP TABLE df_stage",)),)),
        ),
        *fills(account, folder),
        gate(),
        delete_log(schema),
        seen(),
    )


def sqlite_plan(folder: Path) -> Plan:
    account = Name(schema="main", name="account")
    source = csv_file(folder)
    return Plan(
        dialect="sqlite",
        migrations=(),
        relations=(account, Name(schema="main", name="log")),
        catalog_fingerprint="",
        fingerprint_relations=(account,),
        steps=(
            *common("main", folder),
            RebuildTable(
                id="rebuild",
                purpose="balance becomes NOT NULL",
                phase="contract",
                table=Name(schema="main", name="ledger"),
                temporary_name="df_new_ledger",
                create_sql="CREATE TABLE df_new_ledger (id INTEGER PRIMARY KEY AUTOINCREMENT, account INTEGER NOT NULL REFERENCES account(id),"
                " amount INTEGER NOT NULL)",
                copy=(("id", "id"), ("account", "account"), ("amount", "amount")),
                drop_views=("DROP VIEW ledger_view",),
                restore=(
                    "CREATE INDEX ledger_account ON ledger (account)",
                    "CREATE VIEW ledger_view AS SELECT id, amount FROM ledger",
                ),
                autoincrement=True,
            ),
            RunSql(
                id="index",
                purpose="Index stock",
                phase="contract",
                statements=("CREATE INDEX account_stock ON account (stock)",),
                undo=UndoSteps(steps=(RunSql(purpose="drop index", statements=("DROP INDEX account_stock",)),)),
            ),
        ),
        inputs=(Input(path=source.path, sha256=source.sha256),),
    )


SQLITE_SCHEMA = f"""
PRAGMA journal_mode = WAL;
CREATE TABLE account (id INTEGER PRIMARY KEY, region TEXT NOT NULL, number INTEGER NOT NULL, balance INTEGER NOT NULL, name TEXT);
CREATE UNIQUE INDEX account_key ON account (region, number);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {ROWS})
INSERT INTO account SELECT i, 'r' || (i % 3), i, i * 10, 'name ' || i FROM n;
CREATE TABLE log (id INTEGER PRIMARY KEY, old INTEGER NOT NULL);
INSERT INTO log SELECT id, id % 2 FROM account;
CREATE TABLE ledger (id INTEGER PRIMARY KEY AUTOINCREMENT, account INTEGER REFERENCES account(id), amount INTEGER);
INSERT INTO ledger (account, amount) SELECT id, balance FROM account;
DELETE FROM ledger WHERE id = {ROWS};
CREATE INDEX ledger_account ON ledger (account);
CREATE VIEW ledger_view AS SELECT id, amount FROM ledger;
"""

POSTGRESQL_SCHEMA = f"""
CREATE TABLE account (id uuid_or_int PRIMARY KEY, region text NOT NULL, number integer NOT NULL, balance integer NOT NULL, name text,
  UNIQUE (region, number));
INSERT INTO account SELECT i, 'r' || (i % 3), i, i * 10, 'name ' || i FROM generate_series(1, {ROWS}) i;
CREATE TABLE log (id integer PRIMARY KEY, old integer NOT NULL);
INSERT INTO log SELECT id, id % 2 FROM account;
""".replace("uuid_or_int", "integer")


def postgresql_plan(folder: Path) -> Plan:
    account = Name(schema="public", name="account")
    source = csv_file(folder)
    return Plan(
        dialect="postgresql",
        migrations=(),
        relations=(account, Name(schema="public", name="log")),
        catalog_fingerprint="",
        fingerprint_relations=(account,),
        steps=(
            *common("public", folder),
            *postgresql_only(account),
        ),
        inputs=(Input(path=source.path, sha256=source.sha256),),
    )


def postgresql_only(account: Name) -> tuple:
    return (
        BuildIndex(
            id="index",
            purpose="Index stock",
            phase="contract",
            index=Index(
                name=Name(schema="public", name="account_stock"),
                table=account,
                parts=(IndexPart(column="stock"), IndexPart(expression="lower(name)")),
                predicate="stock > 0",
            ),
            create_sql="CREATE INDEX CONCURRENTLY account_stock ON public.account USING btree (stock, lower(name)) WHERE stock > 0",
            drop_sql="DROP INDEX CONCURRENTLY IF EXISTS public.account_stock",
            statement_timeout_ms=0,
            undo=UndoSteps(
                steps=(
                    RunSql(
                        purpose="drop the index",
                        transaction="none",
                        statements=("DROP INDEX CONCURRENTLY IF EXISTS public.account_stock",),
                        probe=Probe(
                            query="SELECT CASE WHEN to_regclass('public.account_stock') IS NULL THEN 'done' ELSE 'not_done' END"
                        ),
                    ),
                )
            ),
        ),
        RunSql(
            id="check",
            purpose="Add a check, not valid",
            phase="contract",
            statements=("ALTER TABLE account ADD CONSTRAINT stock_there CHECK (stock IS NOT NULL) NOT VALID",),
            guards=(Guard(query="SELECT count(*) FROM account WHERE stock IS NULL", summary="{count} accounts have no stock"),),
            undo=UndoSteps(steps=(RunSql(purpose="drop it", statements=("ALTER TABLE account DROP CONSTRAINT stock_there",)),)),
        ),
        RunSql(
            id="validate",
            purpose="Validate it",
            phase="contract",
            statements=("ALTER TABLE account VALIDATE CONSTRAINT stock_there",),
            statement_timeout_ms=0,
        ),
        RunSql(
            id="alone",
            purpose="Another index, outside a transaction",
            phase="contract",
            transaction="none",
            lock_timeout_ms=0,
            statements=("CREATE INDEX CONCURRENTLY account_name ON account (name)",),
            probe=Probe(
                query="SELECT coalesce((SELECT CASE WHEN indisvalid THEN 'done' ELSE 'half_done' END FROM pg_index"
                " WHERE indexrelid = to_regclass('public.account_name')), 'not_done')",
                repair=("DROP INDEX CONCURRENTLY IF EXISTS public.account_name",),
            ),
            undo=UndoSteps(
                steps=(RunSql(purpose="drop it", statements=("DROP INDEX IF EXISTS public.account_name",)),),
            ),
        ),
    )
