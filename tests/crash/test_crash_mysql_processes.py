"""Real deaths on MySQL and MariaDB: SIGKILL of the executor, the server killed in its work, and an old executor that wakes up."""

from __future__ import annotations

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
