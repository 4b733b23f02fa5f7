"""A shop on MySQL or MariaDB, plans of SQL for it, and its structure and rows to compare."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from driftflow import pipeline
from driftflow.config import Policy
from driftflow.dialects.registry import dialect_named
from driftflow.drivers.catalogs import catalog_of
from driftflow.drivers.urls import connector_for
from driftflow.engine.ports import Connection
from driftflow.model.catalog import Catalog
from driftflow.model.plan import Plan

SCHEMA = (
    "CREATE TABLE account (id INT PRIMARY KEY, region VARCHAR(20) NOT NULL, balance INT NOT NULL, UNIQUE KEY place (region, id))",
    "INSERT INTO account SELECT seq, CONCAT('r', seq % 3), seq * 10 FROM {numbers}",
)
ROWS = 200


@contextmanager
def session(url: str) -> Iterator[Connection]:
    with closing(connector_for(url).connect("test")) as connection:
        yield connection


@contextmanager
def reading(url: str, query: str) -> Iterator[list[float]]:
    """In the block a session of its own asks this again and again; how long each time took, in seconds."""
    waits: list[float] = []
    over = threading.Event()

    def ask() -> None:
        with session(url) as mine:
            while not over.is_set():
                begun = time.monotonic()
                mine.query(query)
                waits.append(time.monotonic() - begun)
                time.sleep(0.005)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield waits
    finally:
        over.set()
        thread.join()


def make_shop(url: str) -> None:
    with session(url) as db:
        numbers = " UNION ALL ".join(f"SELECT {number} AS seq" for number in range(1, ROWS + 1))
        for statement in SCHEMA:
            db.execute(statement.format(numbers=f"({numbers}) AS numbers"))


def planned(url: str, sql: str, folder: Path, *, policy: Policy | None = None) -> Plan:
    """The plan of one plain migration with this text."""
    migrations = folder / "migrations"
    migrations.mkdir(exist_ok=True)
    (migrations / "001_change.sql").write_text(sql)
    with session(url) as db:
        catalog, dialect = catalog_of(db), dialect_named(db.dialect)
    sources = pipeline.find_sources([migrations], dialect=dialect, options={}, root=folder)
    return pipeline.make_plan(sources, dialect=dialect, catalog=catalog, policy=policy or Policy(), root=folder)


def structure(url: str) -> Catalog:
    """What there is, without sizes and times and without ours."""
    from driftflow.model.catalog import is_ours, structure
    from driftflow.model.record import replace

    with session(url) as db:
        catalog = catalog_of(db)
    tables = {key: structure(table) for key, table in catalog.tables.items() if not is_ours(table.name.name)}
    return replace(catalog, tables=tables, captured_at="", settings={}, unseen=())


def rows(url: str, table: str) -> list[Any]:
    with session(url) as db:
        return db.query(f"SELECT * FROM {table} ORDER BY 1")
