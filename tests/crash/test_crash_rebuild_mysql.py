"""Kill points of the online rebuild on MySQL and MariaDB, forth and back: the same table, rows and counter in the end, and nothing of ours beside it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from engine_rig import Meter, RunOptions, apply, fingerprinted, sweep, take_back
from mysql_plans import mysql_state

sys.path.insert(0, str(Path(__file__).parents[1] / "databases"))
from mysql_rig import planned

from driftflow.config import Policy
from driftflow.drivers.urls import connector_for
from driftflow.lab.mysql import Server
from driftflow.model.event import ChunkDone
from driftflow.model.plan import Backfill, Plan

SCHEMA = (
    "CREATE TABLE account (id INT AUTO_INCREMENT PRIMARY KEY, code VARCHAR(20) NOT NULL UNIQUE, balance INT)",
    "INSERT INTO account (code, balance) VALUES ('a', 1), ('b', 2), ('c', 3), ('d', 4), ('e', 5), ('f', 6)",
    "DELETE FROM account WHERE id = 6",
    "CREATE TABLE owner (id INT PRIMARY KEY)",
    "INSERT INTO owner VALUES (1), (2), (3)",
    "ALTER TABLE account ADD COLUMN owner INT, ADD KEY account_by_owner (owner), ADD CONSTRAINT account_owner FOREIGN KEY (owner) REFERENCES owner (id) ON DELETE CASCADE ON UPDATE CASCADE",
    "UPDATE account SET owner = id - 3 WHERE id > 3",
    "ALTER TABLE account ADD COLUMN under INT, ADD CONSTRAINT account_under FOREIGN KEY (under) REFERENCES account (id)",
    "UPDATE account SET under = 4 WHERE id = 5",
    "CREATE TABLE entry (id INT PRIMARY KEY, account INT, FOREIGN KEY (account) REFERENCES account (id) ON UPDATE CASCADE)",
    "INSERT INTO entry VALUES (1, 1), (2, 2), (4, NULL)",
)
CHANGE = "ALTER TABLE account MODIFY balance BIGINT, ADD COLUMN twice BIGINT AS (balance * 2) STORED;"
WRITES = (
    "UPDATE account SET code = 'between' WHERE id = 1",
    "UPDATE account SET code = 'a' WHERE id = 2",
    "UPDATE account SET code = 'b', id = 20 WHERE id = 1",
    "DELETE FROM account WHERE id = 3",
    "INSERT INTO account (code, balance) VALUES ('new', NULL)",
    "UPDATE owner SET id = 30 WHERE id = 1",
    "DELETE FROM owner WHERE id = 2",
    "INSERT INTO entry SELECT 3, id FROM account WHERE code = 'new'",
)
SAMPLE = 307
"""CI takes every so many calls; `make soak` takes all."""


def make(url: str) -> None:
    emptied(url)
    with closing(connector_for(url).connect("test")) as db:
        for statement in SCHEMA:
            db.execute(statement)


def emptied(url: str) -> None:
    """Without tables, and without sessions of a run that was killed."""
    with closing(connector_for(url).connect("test")) as db:
        others = "SELECT ID FROM information_schema.PROCESSLIST WHERE ID <> CONNECTION_ID() AND DB = DATABASE()"
        for (id,) in db.query(others):
            db.execute(f"KILL {id}") if db.query(f"{others} AND ID = {id}") else None
        db.execute("SET foreign_key_checks = 0")
        for (name,) in db.query("SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()"):
            db.execute(f"DROP TABLE `{name}`")
        db.execute("SET foreign_key_checks = 1")
        db.execute("DROP DATABASE IF EXISTS driftflow")


@pytest.fixture
def place(mysql_server: Server, mysql_url: str, tmp_path: Path) -> Iterator[tuple[str, Plan]]:
    """The table as at the start, and the plan of its rebuild."""
    make(mysql_url)
    plan = planned(mysql_url, CHANGE, tmp_path, policy=Policy(small_table_rows=0))
    if not any(isinstance(step, Backfill) and step.fresh for step in plan.steps):
        assert mysql_server.flavour == "mariadb" and mysql_server.version.major > 10, "no rebuild"
        pytest.skip("this server copies while writers go on")
    yield mysql_url, fingerprinted(mysql_url, plan)
    with closing(connector_for(mysql_url).connect("test")) as db:
        db.execute("DROP DATABASE IF EXISTS driftflow")


def state(url: str) -> list[Any]:
    """The table with its rows, where it counts on, and what is left of ours."""
    with closing(connector_for(url).connect("test")) as db:
        left = db.query(
            "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME LIKE '%account\\_%'"
        )
        triggers = db.query("SELECT TRIGGER_NAME FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = DATABASE()")
    return [mysql_state(url), left, triggers]


def options(plan: Plan) -> RunOptions:
    names = tuple(getattr(step, "name", "") for step in plan.steps)
    return RunOptions(open_gates=(*names, *(f"{name}-back" for name in names)), lease_seconds=5)


class Writes:
    """The application, at the first chunk: the same statements in every run and exactly once."""

    def __init__(self, url: str) -> None:
        self.url = url

    def __call__(self, event: object) -> None:
        if isinstance(event, ChunkDone):
            with closing(connector_for(self.url).connect("test")) as db:
                if not db.query("SELECT 1 FROM account WHERE code = 'new'"):
                    for statement in WRITES:
                        db.execute(statement)


def shown(capsys: pytest.CaptureFixture[str], text: str) -> None:
    with capsys.disabled():
        print(f"\n{text}")


def forth(place: tuple[str, Plan], capsys: pytest.CaptureFixture[str], server: Server, **how: Any) -> None:
    url, plan = place

    def fresh() -> str:
        make(url)
        return url

    def work(url: str, meter: Meter | None) -> Any:
        return apply(url, plan, meter, options=options(plan), listener=Writes(url))

    found = sweep(fresh, work, state, **how)
    shown(capsys, f"{server.flavour} {server.version}: {found.calls} calls, {len(found.points)} kill points, forth")
    assert found.wrong == []
    assert len(found.points) > 4


def back(place: tuple[str, Plan], capsys: pytest.CaptureFixture[str], server: Server, **how: Any) -> None:
    url, plan = place
    run = ""

    def fresh() -> str:
        nonlocal run
        make(url)
        run = apply(url, plan, options=RunOptions(lease_seconds=5)).run
        with closing(connector_for(url).connect("test")) as db:
            for statement in WRITES:
                db.execute(statement)
        return url

    def work(url: str, meter: Meter | None) -> Any:
        return take_back(url, run, meter, options=options(plan))

    found = sweep(fresh, work, state, **how)
    shown(capsys, f"{server.flavour} {server.version}: {found.calls} calls, {len(found.points)} kill points, back")
    assert found.wrong == []
    assert len(found.points) > 4


def test_there_and_back_is_where_it_began(place: tuple[str, Plan]) -> None:
    url, plan = place
    before = state(url)
    report = apply(url, plan, options=options(plan))
    assert report.state == "done"
    assert state(url) != before
    assert state(url)[1:] == [[], []]
    assert take_back(url, report.run, options=options(plan)).state == "rolled_back"
    assert state(url) == before


def test_kill_points_forth(place: tuple[str, Plan], mysql_server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    forth(place, capsys, mysql_server, every=SAMPLE)


def test_kill_points_back(place: tuple[str, Plan], mysql_server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    back(place, capsys, mysql_server, every=SAMPLE, moments=("after",))


@pytest.mark.slow
def test_every_kill_point(place: tuple[str, Plan], mysql_server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    forth(place, capsys, mysql_server)
    back(place, capsys, mysql_server)
