"""Real deaths: SIGKILL of the executor, SIGTERM, and the server itself stopped in the middle of every step kind."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from engine_plans import POSTGRESQL_SCHEMA, SQLITE_SCHEMA, postgresql_plan
from engine_rig import RunOptions, apply, fingerprinted, postgresql_state, sqlite_state

from driftflow.engine.clock import SystemClock
from driftflow.lab import postgresql as lab
from driftflow.lab.binaries import installed

CHILD = Path(__file__).with_name("engine_child.py")


def child(url: str, folder: Path, mode: str = "") -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, str(CHILD), url, str(folder), mode], stdout=subprocess.PIPE, text=True)


def kill_until_done(url: str, folder: Path) -> int:
    """Kill it after a random number of events, again and again, until one gets through. How many died."""
    chance = random.Random(11)
    for deaths in range(60):
        running = child(url, folder)
        assert running.stdout is not None
        for _ in range(chance.randrange(3, 14)):
            running.stdout.readline()
        running.send_signal(signal.SIGKILL)
        rest = running.stdout.read()
        running.stdout.close()
        if running.wait(30) == 0 or rest.endswith("done\n"):
            return deaths
    raise AssertionError("it never came to its end")


def prepare(url: str, path: Path | None) -> None:
    if path is not None:
        with sqlite3.connect(path) as db:
            db.executescript(SQLITE_SCHEMA)
        db.close()
        return
    with psycopg.connect(url, autocommit=True) as db:
        db.execute(POSTGRESQL_SCHEMA)


@pytest.mark.sqlite
def test_sigkill_sqlite(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    states = []
    for name in ("killed", "undisturbed"):
        folder = tmp_path / name
        folder.mkdir()
        path = folder / "shop.db"
        prepare("", path)
        if name == "killed":
            deaths = kill_until_done(f"sqlite:///{path}", folder)
        else:
            assert child_runs_through(f"sqlite:///{path}", folder)
        states.append(sqlite_state(path))
    with capsys.disabled():
        print(f"\nSQLite: the executor was killed {deaths} times")
    assert deaths >= 3
    assert states[0] == states[1]


@pytest.mark.postgresql
def test_sigkill_postgresql(postgresql_server: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    states = []
    for name in ("killed", "undisturbed"):
        folder = tmp_path / name
        folder.mkdir()
        url = postgresql_server.create_database()
        prepare(url, None)
        if name == "killed":
            deaths = kill_until_done(url, folder)
        else:
            assert child_runs_through(url, folder)
        states.append(postgresql_state(url))
        postgresql_server.drop_database(url)
    with capsys.disabled():
        print(f"\nPostgreSQL {postgresql_server.version}: the executor was killed {deaths} times")
    assert deaths >= 3
    assert states[0] == states[1]


def child_runs_through(url: str, folder: Path) -> bool:
    running = child(url, folder)
    output = running.communicate(timeout=60)[0]
    return running.returncode == 0 and output.endswith("done\n")


@pytest.mark.postgresql
def test_sigterm_ends_a_long_statement_within_ten_seconds(postgresql_url: str, tmp_path: Path) -> None:
    prepare(postgresql_url, None)
    running = child(postgresql_url, tmp_path, "sleep")
    assert running.stdout is not None
    while running.stdout.readline().strip() != "StepStarted":
        pass
    time.sleep(0.3)
    begun = time.monotonic()
    running.send_signal(signal.SIGTERM)
    output = running.stdout.read()
    running.stdout.close()
    assert running.wait(20) == 4, output
    assert time.monotonic() - begun < 10
    with psycopg.connect(postgresql_url) as db:
        assert db.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' AND pid <> pg_backend_pid()"
        ).fetchone() == (0,)


@pytest.mark.postgresql
@pytest.mark.parametrize("version", [16, 18])
def test_the_server_is_stopped_in_every_step_kind(version: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An immediate stop (as a crash of the server) when a step of each kind has begun; the executor waits for it to come back and goes on."""
    if version not in installed():
        pytest.skip(f"no PostgreSQL {version} to start and stop")
    with lab.start(version) as server:
        plan_folder = tmp_path
        url = server.create_database()
        prepare(url, None)
        plan = fingerprinted(url, postgresql_plan(plan_folder))
        apply(url, plan, options=RunOptions(open_gates=("deployed",)))
        expected = postgresql_state(url)
        stopped = []
        for step in ("add", "stage", "join", "count", "call", "delete", "verify", "index", "validate", "alone"):
            url = server.create_database()
            prepare(url, None)
            report = apply(
                url,
                plan,
                clock=SystemClock(),
                options=RunOptions(open_gates=("deployed",)),
                listener=stopper(server, step),
            )
            assert report.state == "done"
            assert postgresql_state(url) == expected, step
            stopped.append(step)
    with capsys.disabled():
        print(
            f"\nPostgreSQL {version}: the server was stopped in {len(stopped)} steps of every kind, the executor went on each time"
        )


def stopper(server: Any, step: str) -> Callable[[Any], None]:
    """Stops the server when the step has begun (a chunked one: after its first chunk) and starts it again a moment later."""
    done: list[str] = []

    def listen(event: Any) -> None:
        kind = "ChunkDone" if step in {"join", "count", "call", "delete"} else "StepStarted"
        if type(event).__name__ == kind and event.step == step and not done:
            done.append(step)
            server.stop("immediate")
            threading.Timer(0.3, server.restart, args=("immediate",)).start()

    return listen
