"""A backfill on SQLite: driftflow, the single UPDATE, and the least loop of equal chunks. One file, write-ahead log, synchronous=FULL for all."""

from __future__ import annotations

import resource
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from statistics import median
from typing import Any

from backfill_postgresql import CHANGE
from engine_side import DEFAULT, NO_REST, Ran, applied, chunk_figures, keys_of, plan_of
from rounds import Sample, measured, summary

from driftflow.config import Policy
from driftflow.drivers.urls import connector_for

FIGURES = ("seconds", "cpu_seconds", "blocks_written")
CHUNK_LIMIT_MS = 50


class File:
    """One million rows; the file is deleted before the next one is made."""

    def __init__(self, path: Path, rows: int) -> None:
        self.path = path
        self.rows = rows

    def make(self) -> None:
        for old in self.path.parent.glob(f"{self.path.name}*"):
            old.unlink()
        with closing(sqlite3.connect(self.path, isolation_level=None)) as session:
            session.execute("PRAGMA journal_mode = WAL")
            session.execute("PRAGMA synchronous = OFF")  # this session only: how the rows came is not measured
            session.execute(
                "CREATE TABLE big (id INTEGER PRIMARY KEY, sku TEXT NOT NULL, price_cents INTEGER NOT NULL, quantity INTEGER NOT NULL,"
                " note TEXT NOT NULL, total_cents INTEGER)"
            )
            session.execute(
                "INSERT INTO big WITH RECURSIVE n(g) AS (SELECT 1 UNION ALL SELECT g + 1 FROM n WHERE g < ?)"
                " SELECT g, 'SKU-' || g, 100 + g % 9000, 1 + g % 7, lower(hex(randomblob(16))), NULL FROM n",
                (self.rows,),
            )
            session.execute("ANALYZE")
            session.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def check(self) -> None:
        """Raises when a row was left out."""
        with closing(sqlite3.connect(self.path)) as session:
            wrong = session.execute(LEFT).fetchone()[0]
        if wrong:
            raise RuntimeError(f"{wrong} rows are not as they should be")

    def measure(self, act: Callable[[], Any]) -> Sample:
        before, begun = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
        act()
        seconds, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_SELF)
        self.check()
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return {"seconds": seconds, "cpu_seconds": cpu, "blocks_written": float(after.ru_oublock - before.ru_oublock)}


def single_update(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as session:
        session.execute(CHANGE)


def minimal_loop(path: Path, chunk: int) -> None:
    """No journal, no lease, no rest, no way to go on after a crash; the keys are known to be dense."""
    with closing(sqlite3.connect(path, isolation_level=None)) as session:
        top = session.execute("SELECT max(id) FROM big").fetchone()[0]
        for low in range(0, top, chunk):
            session.execute("BEGIN IMMEDIATE")
            session.execute(f"{CHANGE} WHERE id > ? AND id <= ?", (low, low + chunk))
            session.execute("COMMIT")


LEFT = "SELECT count(*) FROM big WHERE total_cents IS NOT price_cents * quantity"


def checked_loop(path: Path, chunk: int) -> None:
    """The same, and then the question that driftflow asks too: is a row left?"""
    minimal_loop(path, chunk)
    with closing(sqlite3.connect(path)) as session:
        session.execute(LEFT).fetchone()


def run(*, rows: int, rounds: int, folder: Path) -> dict[str, Any]:
    """The whole comparison, as on PostgreSQL."""
    file = File(folder / "backfill.db", rows)
    file.make()
    connector = connector_for(f"sqlite:///{file.path}")
    where = folder / "sqlite"

    def run_plan(policy: Policy) -> Ran:
        return applied(plan_of(CHANGE, connector, where, policy), connector, where, policy)

    chunk = int(median(keys_of(run_plan(NO_REST))))
    runs: list[Ran] = []
    contenders: dict[str, Callable[[], Sample]] = {
        "driftflow": lambda: file.measure(lambda: runs.append(run_plan(NO_REST))),
        "single UPDATE": lambda: file.measure(lambda: single_update(file.path)),
        "minimal loop": lambda: file.measure(lambda: minimal_loop(file.path, chunk)),
        "loop and count": lambda: file.measure(lambda: checked_loop(file.path, chunk)),
    }
    result = measured(contenders, rounds=rounds, prepare=file.make)
    file.make()
    return {**summary(result, rows, chunk, FIGURES), **chunk_figures(runs, run_plan(DEFAULT), rows, CHUNK_LIMIT_MS)}
