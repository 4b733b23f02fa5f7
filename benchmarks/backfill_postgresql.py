"""A backfill on PostgreSQL: driftflow, the server's single UPDATE, and the least loop of equal chunks that a careful person would write."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import psycopg
from engine_side import DEFAULT, NO_REST, Ran, applied, chunk_figures, keys_of, plan_of
from rounds import Sample, measured, summary

from driftflow.config import Policy
from driftflow.drivers.urls import connector_for
from driftflow.lab.postgresql import Server

CHANGE = "UPDATE big SET total_cents = price_cents * quantity"
FIGURES = ("seconds", "server_cpu_seconds", "wal_bytes", "table_bytes")
CHUNK_LIMIT_MS = 250


class Table:
    """One million rows of about a hundred bytes, as large again after the update; dropped before the next is made."""

    def __init__(self, server: Server, url: str, rows: int) -> None:
        self.server = server
        self.url = url
        self.rows = rows

    def make(self) -> None:
        """Vacuumed, analyzed, checkpointed; autovacuum stays away from it, whoever is measured. The journal is made anew too."""
        with psycopg.connect(self.url, autocommit=True) as session:
            session.execute("DROP TABLE IF EXISTS big")
            session.execute("DROP SCHEMA IF EXISTS driftflow CASCADE")  # the same plan on the same database would be done already
            session.execute(
                "CREATE TABLE big (id bigint PRIMARY KEY, sku text NOT NULL, price_cents integer NOT NULL, quantity integer NOT NULL,"
                " note text NOT NULL, total_cents bigint) WITH (autovacuum_enabled = off)"
            )
            session.execute(
                "INSERT INTO big SELECT g, 'SKU-' || g, 100 + g %% 9000, 1 + g %% 7, repeat(md5(g::text), 1), NULL"
                " FROM generate_series(1, %s::bigint) AS g",
                (self.rows,),
            )
            session.execute("VACUUM (ANALYZE) big")
            session.execute("CHECKPOINT")

    def check(self) -> None:
        """Raises when a row was left out."""
        with psycopg.connect(self.url, autocommit=True) as session:
            wrong = session.execute(
                "SELECT count(*) FROM big WHERE total_cents IS DISTINCT FROM price_cents * quantity"
            ).fetchone()
        if wrong is None or wrong[0]:
            raise RuntimeError(f"rows that are not as they should be: {wrong}")

    def measure(self, act: Callable[[], Any]) -> Sample:
        before, begun, client = self._server_figures(), time.perf_counter(), time.process_time()
        act()
        seconds, client_cpu = time.perf_counter() - begun, time.process_time() - client
        after = self._server_figures()
        self.check()
        spent = {name: after[name] - before[name] for name in ("server_cpu_seconds", "wal_bytes", "commits")}
        return {"seconds": seconds, "client_cpu_seconds": client_cpu, "table_bytes": after["table_bytes"], **spent}

    def _server_figures(self) -> Sample:
        with psycopg.connect(self.url, autocommit=True) as session:
            session.execute("SELECT pg_stat_force_next_flush()")
            row = session.execute(
                "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0'), pg_table_size('big'),"
                " (SELECT xact_commit FROM pg_stat_database WHERE datname = current_database())"
            ).fetchone()
        assert row is not None
        return {
            "wal_bytes": float(row[0]),
            "table_bytes": float(row[1]),
            "commits": float(row[2]),
            "server_cpu_seconds": cpu_seconds(self.server.pid),
        }


def cpu_seconds(postmaster: int) -> float:
    """CPU time of the server: of its processes that live, and, counted by the postmaster, of those that have ended."""
    ticks = sum(int(text) for text in _stat(postmaster)[11:15])
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = _stat(int(entry.name))
            except (OSError, IndexError):
                continue
            if int(fields[1]) == postmaster:
                ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def cpu_of(process: int) -> float:
    """CPU time of one process with all its threads."""
    fields = _stat(process)
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _stat(process: int) -> list[str]:
    """The fields of /proc/PID/stat behind the name: [1] is the parent, [11:15] user, system, and the same of ended children."""
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()


def single_update(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as session:
        session.execute(CHANGE)


def minimal_loop(url: str, chunk: int) -> list[float]:
    """No journal, no fence, no timeout, no pause, no way to go on after a crash; the keys are known to be dense. Chunk times."""
    times = []
    with psycopg.connect(url) as session:
        top = session.execute("SELECT max(id) FROM big").fetchone()
        session.commit()
        assert top is not None
        for low in range(0, top[0], chunk):
            begun = time.perf_counter()
            session.execute(f"{CHANGE} WHERE id > %s AND id <= %s", (low, low + chunk))
            session.commit()
            times.append((time.perf_counter() - begun) * 1000)
    return times


LEFT = "SELECT count(*) FROM big WHERE total_cents IS DISTINCT FROM price_cents * quantity"


def checked_loop(url: str, chunk: int) -> None:
    """The same, and then the question that driftflow asks too: is a row left that a writer changed behind the cursor?"""
    minimal_loop(url, chunk)
    with psycopg.connect(url, autocommit=True) as session:
        session.execute(LEFT)


def run(server: Server, *, rows: int, rounds: int, folder: Path) -> dict[str, Any]:
    """The whole comparison. A first run of driftflow, not counted, warms the server and gives the loop its chunk size."""
    table = Table(server, server.create_database("backfill"), rows)
    connector = connector_for(table.url)
    table.make()
    where = folder / "postgresql"

    def run_plan(policy: Policy) -> Ran:
        return applied(plan_of(CHANGE, connector, where, policy), connector, where, policy)

    chunk = int(median(keys_of(run_plan(NO_REST))))
    runs: list[Ran] = []
    contenders: dict[str, Callable[[], Sample]] = {
        "driftflow": lambda: table.measure(lambda: runs.append(run_plan(NO_REST))),
        "single UPDATE": lambda: table.measure(lambda: single_update(table.url)),
        "minimal loop": lambda: table.measure(lambda: minimal_loop(table.url, chunk)),
        "loop and count": lambda: table.measure(lambda: checked_loop(table.url, chunk)),
    }
    result = measured(contenders, rounds=rounds, prepare=table.make)
    table.make()
    return {**summary(result, rows, chunk, FIGURES), **chunk_figures(runs, run_plan(DEFAULT), rows, CHUNK_LIMIT_MS)}
