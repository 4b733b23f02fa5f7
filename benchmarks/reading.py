"""What is paid before anything runs: reading the catalog of 2,000 tables, and the start of the command line."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any

import psycopg
from backfill_postgresql import cpu_seconds

from driftflow.drivers import postgresql_catalog
from driftflow.drivers.urls import connector_for
from driftflow.lab.postgresql import Server

MAKE = """
DO $$ BEGIN FOR n IN 1..{tables} LOOP
  EXECUTE format('CREATE TABLE t_%s (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a text NOT NULL, b integer DEFAULT 0 CHECK (b >= 0),'
                 ' c timestamptz)', n);
  EXECUTE format('CREATE INDEX t_%s_a ON t_%s (a)', n, n);
  IF n % 250 = 0 THEN COMMIT; END IF;
END LOOP; END $$
"""
CATALOG_LIMIT_SECONDS = 2.0
HELP_LIMIT_MS = 150


def catalog(server: Server, *, tables: int, rounds: int) -> dict[str, Any]:
    """Seconds to read it all, and how many queries that took: the same number whatever the number of tables."""
    url = server.create_database("catalog")
    with psycopg.connect(url, autocommit=True) as session:
        session.execute(MAKE.format(tables=tables).encode())
    seconds, cpu, queries = [], [], 0
    with closing(connector_for(url).connect("benchmark")) as connection:
        sent: list[str] = []
        for name in ("query", "query_dicts", "execute"):
            setattr(connection, name, _noting(getattr(connection, name), sent))
        for _ in range(rounds):
            sent.clear()
            begun, used = time.perf_counter(), time.process_time() + cpu_seconds(server.pid)
            found = postgresql_catalog.read_catalog(connection)
            seconds.append(time.perf_counter() - begun)
            cpu.append(time.process_time() + cpu_seconds(server.pid) - used)
            queries = len(sent)
            if len(found.tables) < tables:
                raise RuntimeError(f"only {len(found.tables)} of {tables} tables were read")
    return {
        "tables": tables,
        "seconds": statistics.median(seconds),
        "cpu_seconds": statistics.median(cpu),
        "samples": seconds,
        "queries": queries,
    }


def _noting(plain: Callable[..., Any], sent: list[str]) -> Callable[..., Any]:
    """The method itself, which also notes the statement; settings and transaction frames are left out of the count."""

    def noted(sql: str, parameters: Sequence[Any] | None = None) -> Any:
        if "select" in sql.lower() and "set_config" not in sql:
            sent.append(sql)
        return plain(sql, parameters)

    return noted


def start(rounds: int) -> dict[str, Any]:
    """CPU time of `driftflow --help`, a process of its own each time."""
    samples = []
    for _ in range(rounds):
        before = os.times()
        subprocess.run([sys.executable, "-m", "driftflow", "--help"], check=True, stdout=subprocess.DEVNULL)
        after = os.times()
        used = after.children_user - before.children_user + after.children_system - before.children_system
        samples.append(used * 1000)
    return {"cpu_ms": statistics.median(samples), "least_cpu_ms": min(samples), "samples": samples}
