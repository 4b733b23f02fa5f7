"""What the sweeps over rebuilt tables of MySQL and MariaDB share: tables, a change that rebuilds them, an application, and kill points forth and back."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from engine_rig import Meter, RunOptions, apply, end_other_sessions, fingerprinted, sweep, take_back
from mysql_plans import mysql_state

sys.path.insert(0, str(Path(__file__).parents[1] / "databases"))
from mysql_rig import planned

from driftflow.config import Policy
from driftflow.drivers.urls import connector_for
from driftflow.lab.mysql import Server
from driftflow.model.event import ChunkDone
from driftflow.model.plan import Backfill, Plan

Place = tuple[str, Plan]


def emptied(url: str) -> None:
    """Without tables, and without sessions of a run that was killed."""
    with closing(connector_for(url).connect("test")) as db:
        end_other_sessions(db)
        db.execute("SET foreign_key_checks = 0")
        for (name,) in db.query("SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()"):
            db.execute(f"DROP TABLE `{name}`")
        db.execute("SET foreign_key_checks = 1")
        db.execute("DROP DATABASE IF EXISTS driftflow")


def options(plan: Plan) -> RunOptions:
    names = tuple(getattr(step, "name", "") for step in plan.steps)
    return RunOptions(open_gates=(*names, *(f"{name}-back" for name in names)), lease_seconds=5)


def shown(capsys: pytest.CaptureFixture[str], text: str) -> None:
    with capsys.disabled():
        print(f"\n{text}")


@dataclass(frozen=True)
class Rebuilt:
    """The tables as at the start, what is changed, and what the application writes meanwhile."""

    schema: tuple[str, ...]
    change: str
    writes: tuple[str, ...]
    """An account with the code `new` among them, by which it is known whether they were carried out."""
    left: str
    """A condition on information_schema.TABLES: those of ours that may not be left."""

    def make(self, url: str) -> None:
        emptied(url)
        with closing(connector_for(url).connect("test")) as db:
            for statement in self.schema:
                db.execute(statement)

    def written(self, url: str) -> None:
        """The same statements in every run and exactly once."""
        with closing(connector_for(url).connect("test")) as db:
            if not db.query("SELECT 1 FROM account WHERE code = 'new'"):
                for statement in self.writes:
                    db.execute(statement)

    def state(self, url: str) -> list[Any]:
        """The tables with their rows, where they count on, and what is left of ours."""
        with closing(connector_for(url).connect("test")) as db:
            left = db.query(f"SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND {self.left}")
            triggers = db.query("SELECT TRIGGER_NAME FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = DATABASE()")
        return [mysql_state(url), left, triggers]

    def place(self, server: Server, url: str, folder: Path) -> Iterator[Place]:
        """The tables as at the start, and the plan of their rebuild."""
        self.make(url)
        plan = planned(url, self.change, folder, policy=Policy(small_table_rows=0))
        if not any(isinstance(step, Backfill) and step.fresh for step in plan.steps):
            assert server.flavour == "mariadb" and server.version.major > 10, "no rebuild"
            pytest.skip("this server copies while writers go on")
        yield url, fingerprinted(url, plan)
        with closing(connector_for(url).connect("test")) as db:
            db.execute("DROP DATABASE IF EXISTS driftflow")

    def there_and_back(self, place: Place) -> None:
        url, plan = place
        before = self.state(url)
        report = apply(url, plan, options=options(plan))
        assert report.state == "done"
        assert self.state(url) != before
        assert self.state(url)[1:] == [[], []]
        assert take_back(url, report.run, options=options(plan)).state == "rolled_back"
        assert self.state(url) == before

    def forth(self, place: Place, capsys: pytest.CaptureFixture[str], server: Server, **how: Any) -> None:
        url, plan = place

        def fresh() -> str:
            self.make(url)
            return url

        def write(event: object) -> None:
            """The application, at the first chunk."""
            if isinstance(event, ChunkDone):
                self.written(url)

        def work(url: str, meter: Meter | None) -> Any:
            return apply(url, plan, meter, options=options(plan), listener=write)

        found = sweep(fresh, work, self.state, **how)
        shown(capsys, f"{server.flavour} {server.version}: {found.calls} calls, {len(found.points)} kill points, forth")
        assert found.wrong == []
        assert len(found.points) > 4

    def back(self, place: Place, capsys: pytest.CaptureFixture[str], server: Server, **how: Any) -> None:
        url, plan = place
        run = ""

        def fresh() -> str:
            nonlocal run
            self.make(url)
            run = apply(url, plan, options=RunOptions(lease_seconds=5)).run
            self.written(url)
            return url

        def work(url: str, meter: Meter | None) -> Any:
            return take_back(url, run, meter, options=options(plan))

        found = sweep(fresh, work, self.state, **how)
        shown(capsys, f"{server.flavour} {server.version}: {found.calls} calls, {len(found.points)} kill points, back")
        assert found.wrong == []
        assert len(found.points) > 4
