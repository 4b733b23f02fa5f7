"""The online rebuild of a table on MariaDB and MySQL beside the statement that it stands for, on the same server in the same run, while a writer writes."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any

from backfill_postgresql import cpu_of
from engine_side import DEFAULT, Ran, applied, plan_of
from rounds import Sample, measured, percentiles, summary

from driftflow.drivers.urls import connector_for
from driftflow.lab import mysql, mysql_programs
from driftflow.lab.plain_driver import plain_connection
from driftflow.model.event import StepDone
from driftflow.model.plan import Plan

CHANGE = "ALTER TABLE visits MODIFY seconds bigint NOT NULL"
SERVERS = (("mariadb", 10), ("mysql", 9))
FIGURES = ("seconds", "server_cpu_seconds", "writer_longest_ms")
SETTINGS = {
    "mariadb": {"innodb_buffer_pool_size": "512M", "innodb_log_file_size": "256M"},
    "mysql": {"innodb_buffer_pool_size": "512M", "innodb_redo_log_capacity": "256M"},
}
"""The table lies in memory, and its log does not fill up."""
PAUSE_SECONDS = 0.002
PATIENCE_MS = 600_000
"""The writer waits as long as it takes: how long is what is measured."""
DIGITS = "(SELECT 0 AS d UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9)"
NUMBERS = " CROSS JOIN ".join(f"{DIGITS} AS d{place}" for place in range(6))
NUMBER = " + ".join(f"d{place}.d * {10**place}" for place in range(6))


class Table:
    """Rows of about 120 bytes with a unique key and two more indexes, whose values come in no order; made anew before each run, with the journal."""

    def __init__(self, server: mysql.Server, rows: int) -> None:
        self.server, self.rows = server, rows
        self.url = server.create_database("rebuild")

    def make(self) -> None:
        with closing(connector_for(self.url).connect("benchmark")) as session:
            session.execute("DROP DATABASE IF EXISTS driftflow")
            session.execute("DROP TABLE IF EXISTS visits, _driftflow_migration")
            session.execute(
                "CREATE TABLE visits (id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY, token char(32) NOT NULL, page varchar(60) NOT NULL,"
                " seconds int NOT NULL, seen datetime NOT NULL, UNIQUE KEY visits_token (token), KEY visits_page (page), KEY visits_seen (seen, seconds))"
            )
            session.execute(
                "INSERT INTO visits (id, token, page, seconds, seen) SELECT n + 1, LEFT(SHA2(n, 256), 32), CONCAT('/page/', MOD(n * 7919, 5000)), MOD(n, 600),"
                f" '2020-01-01' + INTERVAL MOD(n * 104729, 86400) MINUTE FROM (SELECT {NUMBER} AS n FROM {NUMBERS}) AS numbers WHERE n < {self.rows}"
            )
            session.query("ANALYZE TABLE visits")

    def measure(self, act: Callable[[], Any]) -> Sample:
        with Writer(self.url, self.rows) as writer:
            cpu, begun = cpu_of(self.server.pid), time.perf_counter()
            act()
            seconds, spent = time.perf_counter() - begun, cpu_of(self.server.pid) - cpu
            times, failed = writer.stop()
        if failed:
            raise RuntimeError(f"the writer failed: {failed}")
        figures = percentiles(times)
        return {
            "seconds": seconds,
            "server_cpu_seconds": spent,
            "writer_longest_ms": figures["max"],
            "writer_p99_ms": figures["p99"],
            "writer_transactions": float(len(times)),
        }


class Writer:
    """The application, as a process of its own: a row is changed, one comes, one goes."""

    def __init__(self, url: str, rows: int) -> None:
        self._pipe, other = multiprocessing.Pipe()
        self._process = multiprocessing.get_context("spawn").Process(target=_write, args=(url, rows, other), daemon=True)

    def __enter__(self) -> Writer:
        self._process.start()
        self._pipe.recv()
        return self

    def stop(self) -> tuple[list[float], str]:
        """How long each transaction took, in milliseconds, and what failed."""
        self._pipe.send("stop")
        answer: tuple[list[float], str] = self._pipe.recv()
        return answer

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.join()


def _write(url: str, rows: int, pipe: Pipe) -> None:
    times: list[float] = []
    failed, number = "", 0
    with closing(plain_connection(url, application="writer", lock_timeout_ms=PATIENCE_MS)) as session, session.cursor() as cursor:
        pipe.send("ready")
        while not pipe.poll(PAUSE_SECONDS):
            key = 1 + number * 15485863 % rows
            statement = (
                f"UPDATE visits SET page = '/moved/{number}', seconds = seconds + 1 WHERE id = {key}",
                f"INSERT INTO visits (token, page, seconds, seen) VALUES (LEFT(SHA2('new {number}', 256), 32), '/new', 1, '2030-01-01')",
                f"DELETE FROM visits WHERE id = {key}",
            )[number % 3]
            begun = time.perf_counter()
            try:
                cursor.execute(statement)
            except Exception as fault:  # of two drivers: what the application would have seen
                failed = failed or f"{statement}: {fault}"
            times.append((time.perf_counter() - begun) * 1000)
            number += 1
    pipe.send((times, failed))


def alter(url: str) -> None:
    with (
        closing(plain_connection(url, application="benchmark", lock_timeout_ms=PATIENCE_MS)) as session,
        session.cursor() as cursor,
    ):
        cursor.execute(CHANGE)


def run(*, rows: int, rounds: int, folder: Path) -> dict[str, Any]:
    """On each server that is here."""
    return {name: _on(server, rows, rounds, folder / server.flavour) for name, server in mysql_servers()}


def mysql_servers() -> Iterator[tuple[str, mysql.Server]]:
    """Those that are here, one after the other, each stopped before the next one."""
    here = {(one.flavour, one.version.major) for one in mysql_programs.installed()}
    for flavour, major in SERVERS:
        if (flavour, major) in here:
            programs = mysql_programs.find(flavour, major)
            with mysql.begun(programs, folder=None, settings=SETTINGS[flavour], durable=True) as server:
                yield f"{flavour} {programs.version}", server


def _on(server: mysql.Server, rows: int, rounds: int, folder: Path) -> dict[str, Any]:
    table = Table(server, rows)
    connector, runs = connector_for(table.url), list[tuple[Plan, Ran]]()

    def rebuild() -> None:
        plan = plan_of(CHANGE, connector, folder, DEFAULT)
        runs.append((plan, applied(plan, connector, folder, DEFAULT)))

    contenders = {
        "driftflow": lambda: table.measure(rebuild),
        "blocking ALTER": lambda: table.measure(lambda: alter(table.url)),
    }
    result = measured(contenders, rounds=rounds, prepare=table.make)
    return {
        **summary(result, rows, 0, (*FIGURES, "writer_p99_ms", "writer_transactions")),
        "longest_steps": _longest(*runs[-1]),
        "cpus": os.cpu_count(),
    }


def _longest(plan: Plan, ran: Ran) -> list[tuple[str, int]]:
    """What the time of the last run went into: purpose and milliseconds."""
    purposes = {step.id: step.purpose for step in plan.steps}
    done = [(purposes.get(event.step, event.step), event.milliseconds) for event in ran.events if isinstance(event, StepDone)]
    return sorted(done, key=lambda one: -one[1])[:6]
