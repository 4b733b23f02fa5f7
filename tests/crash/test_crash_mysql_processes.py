"""Real deaths on MySQL and MariaDB: SIGKILL of the executor, the server killed in its work, and an old executor that wakes up."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from engine_rig import RunOptions, apply, fingerprinted
from mysql_plans import make, mysql_plan, mysql_state
from test_crash_processes import child_runs_through, kill_until_done, stopper

from driftflow.drivers.urls import connector_for
from driftflow.engine.clock import SystemClock
from driftflow.errors import LeaseLostError
from driftflow.lab import mysql, mysql_programs
from driftflow.lab.mysql import Server
from driftflow.model.event import ChunkDone

OPEN = RunOptions(open_gates=("deployed",))


def fresh(url: str) -> str:
    with closing(connector_for(url).connect("test")) as db:
        make(db)
    return url


def test_sigkill(mysql_url: str, mysql_server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    states = []
    for name in ("killed", "undisturbed"):
        folder = tmp_path / name
        folder.mkdir()
        fresh(mysql_url)
        if name == "killed":
            deaths = kill_until_done(mysql_url, folder)
        else:
            assert child_runs_through(mysql_url, folder)
        states.append(mysql_state(mysql_url))
    with capsys.disabled():
        print(f"\n{mysql_server.flavour} {mysql_server.version}: the executor was killed {deaths} times")
    fresh(mysql_url)
    assert deaths >= 3
    assert states[0] == states[1]


def test_an_executor_that_was_overtaken_writes_nothing_more(mysql_url: str, tmp_path: Path) -> None:
    """The second one takes over between two chunks of the first, and goes to the end; the first wakes up and finds out."""
    url = fresh(mysql_url)
    plan = fingerprinted(url, mysql_plan(url, tmp_path))
    done: list[str] = []

    def asleep(event: Any) -> None:
        if isinstance(event, ChunkDone) and event.step == "count" and not done:
            options = RunOptions(open_gates=("deployed",), executor="new:2", take_over=True)
            done.append(apply(url, plan, options=options).state)

    with pytest.raises(LeaseLostError) as caught:
        apply(url, plan, listener=asleep, options=RunOptions(open_gates=("deployed",), executor="old:1"))
    assert done == ["done"] and caught.value.code == "DF-E501"
    with closing(connector_for(url).connect("test")) as db:
        assert db.query("SELECT COUNT(*) FROM account WHERE balance <> id * 10 + 1") == [(0,)]
    fresh(mysql_url)


def test_the_server_is_killed_in_every_step_kind(mysql_family: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The executor waits for it to come back and goes on. Connection ids begin anew then, so that one of before may be a stranger's."""
    flavour, _, major = mysql_family.partition("-")
    steps = ("stock", "stage", "count", "index", "delete")
    with mysql.begun(mysql_programs.find(flavour, int(major)), folder=None, settings=None, durable=True) as server:
        url = fresh(server.create_database())
        plan = fingerprinted(url, mysql_plan(url, tmp_path))
        assert apply(url, plan, options=OPEN).state == "done"
        expected = mysql_state(url)
        for step in steps:
            fresh(url)
            report = apply(url, plan, clock=SystemClock(), options=OPEN, listener=stopper(server, step))
            assert report.state == "done"
            assert mysql_state(url) == expected, step
    with capsys.disabled():
        print(f"\n{mysql_family}: the server was killed in {len(steps)} steps, the executor went on each time")


def test_an_alter_that_outlives_its_client_is_done_once(mysql_url: str, tmp_path: Path) -> None:
    """The executor is killed while its ALTER waits. The server does not notice, and carries it out when the table is free; or it is ended by its own
    limit. Whoever resumes asks the catalog."""
    url = fresh(mysql_url)
    (tmp_path / "migrations").mkdir()
    (tmp_path / "migrations" / "1.sql").write_text("ALTER TABLE account ADD COLUMN late INT;\n")
    environment = {**os.environ, "DRIFTFLOW_URL": url}
    program = [sys.executable, "-m", "driftflow"]
    subprocess.run([*program, "plan", "-o", "p.json"], cwd=tmp_path, env=environment, check=True, capture_output=True, timeout=60)
    with closing(connector_for(url).connect("test")) as holder, closing(connector_for(url).connect("test")) as looker:
        holder.begin()
        holder.query("SELECT * FROM account LIMIT 1")
        waiting = "SELECT ID FROM information_schema.PROCESSLIST WHERE STATE LIKE 'Waiting for table%' AND INFO LIKE 'ALTER%'"
        running = subprocess.Popen([*program, "apply", "p.json"], cwd=tmp_path, env=environment, stderr=subprocess.DEVNULL)
        try:
            for _ in range(3000):
                if looker.query(waiting):
                    break
                time.sleep(0.005)
        finally:
            running.kill()
            running.wait(10)
        holder.rollback()
        there = "SELECT 1 FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'account' AND COLUMN_NAME = 'late'"
        run = looker.query("SELECT id FROM driftflow.run")[0][0]
        resumed = subprocess.run(
            [*program, "resume", run], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60
        )
        assert resumed.returncode == 0, resumed.stdout + resumed.stderr
        assert looker.query(there) == [(1,)]
    fresh(mysql_url)
