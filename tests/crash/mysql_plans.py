"""A plan with each step kind for MySQL and MariaDB, and the state of a database to compare."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

from engine_plans import ROWS, csv_file, delete_log, fills, gate, seen

from driftflow.drivers.urls import connector_for
from driftflow.engine.ports import Connection
from driftflow.lab.mysql import database_of
from driftflow.model.names import Name
from driftflow.model.plan import (
    Input,
    Plan,
    Probe,
    RunSql,
    Stage,
    UndoSteps,
)

OURS = "_driftflow"


def make(db: Connection) -> None:
    """Every table anew: DDL commits, so there is no going back to a savepoint."""
    for (name,) in db.query("SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()"):
        db.execute(f"DROP TABLE `{name}`")
    db.execute("DROP DATABASE IF EXISTS driftflow")
    db.execute(
        "CREATE TABLE account (id INT PRIMARY KEY, region VARCHAR(5) NOT NULL, number DECIMAL(8,2) NOT NULL, balance INT NOT NULL,"
        " name VARCHAR(20), changed TIMESTAMP NOT NULL DEFAULT '2001-01-01 01:01:01' ON UPDATE CURRENT_TIMESTAMP, UNIQUE (region, number))"
    )
    numbers = " UNION ALL ".join(f"SELECT {number} AS i" for number in range(1, ROWS + 1))
    db.execute(
        "INSERT INTO account (id, region, number, balance, name) SELECT i, CONCAT('r', i % 3), i + 0.25, i * 10, CONCAT('name ', i)"
        f" FROM ({numbers}) AS n"
    )
    db.execute("CREATE TABLE log (id INT PRIMARY KEY, old INT NOT NULL)")
    db.execute("INSERT INTO log SELECT id, id % 2 FROM account")


def column(name: str) -> str:
    where = f"TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'account' AND COLUMN_NAME = '{name}'"
    return f"EXISTS (SELECT 1 FROM information_schema.COLUMNS WHERE {where})"


def probe(condition: str) -> Probe:
    return Probe(query=f"SELECT CASE WHEN {condition} THEN 'done' ELSE 'not_done' END")


def add(name: str, type: str) -> RunSql:
    return RunSql(
        id=name,
        purpose=f"Add {name}",
        statements=(f"ALTER TABLE account ADD COLUMN {name} {type}",),
        transaction="none",
        probe=probe(column(name)),
        undo=UndoSteps(
            steps=(
                RunSql(
                    purpose="drop",
                    statements=(f"ALTER TABLE account DROP COLUMN {name}",),
                    transaction="none",
                    probe=probe(f"NOT {column(name)}"),
                ),
            )
        ),
    )


def mysql_plan(url: str, folder: Path) -> Plan:
    schema = database_of(url)
    account, staging = Name(schema=schema, name="account"), Name(schema=schema, name="df_stage")
    source = csv_file(folder)
    index = "SELECT 1 FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = DATABASE() AND INDEX_NAME = 'account_stock'"
    with closing(connector_for(url).connect("test")) as db:
        dialect = db.dialect
    return Plan(
        dialect=dialect,
        migrations=(),
        relations=(account, Name(schema=schema, name="log")),
        catalog_fingerprint="",
        fingerprint_relations=(account,),
        inputs=(Input(path=source.path, sha256=source.sha256),),
        steps=(
            add("stock", "INT"),
            add("sealed", "VARCHAR(40)"),
            Stage(
                id="stage",
                purpose="Load the stock",
                table=staging,
                columns=(("account", "int"), ("stock", "int")),
                key=("account",),
                source=source,
                undo=UndoSteps(
                    steps=(
                        RunSql(
                            purpose="drop",
                            statements=("DROP TABLE IF EXISTS df_stage",),
                            transaction="none",
                            probe=Probe(query="SELECT 'again'"),
                        ),
                    )
                ),
            ),
            *fills(account, folder),
            gate(),
            RunSql(
                id="index",
                purpose="Index stock",
                phase="contract",
                statements=("CREATE INDEX account_stock ON account (stock)",),
                transaction="none",
                statement_timeout_ms=0,
                probe=probe(f"EXISTS ({index})"),
                undo=UndoSteps(
                    steps=(
                        RunSql(
                            purpose="drop index",
                            statements=("DROP INDEX account_stock ON account",),
                            transaction="none",
                            probe=probe(f"NOT EXISTS ({index})"),
                        ),
                    )
                ),
            ),
            delete_log(schema),
            RunSql(id="one", purpose="A row", phase="contract", statements=("INSERT INTO log VALUES (1000000, 0)",)),
            seen(),
        ),
    )


def mysql_state(url: str) -> list[Any]:
    """Definitions and rows, without ours."""
    with closing(connector_for(url).connect("test")) as db:
        names = sorted(name for (name,) in db.query("SHOW TABLES") if not name.startswith(OURS))
        return [(name, db.query(f"SHOW CREATE TABLE `{name}`"), db.query(f"SELECT * FROM `{name}` ORDER BY 1")) for name in names]
