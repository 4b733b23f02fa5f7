"""A recipe whose run is killed at calls to the server: gone on with, it ends where an undisturbed run ends; taken back, where it began.

Everything that a run leaves is compared: structure and rows of what is the application's, and the names of what is ours beside the journal.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from engine_rig import Killed, Meter, MeteredConnector, Moment, QuickClock, RunOptions, differing, end_other_sessions

sys.path.insert(0, str(Path(__file__).parents[1] / "databases"))
from compared import ours
from recipes.rig import Database, Place, Recipe, accepted, edge, gates

from driftflow import pipeline
from driftflow.drivers.urls import connector_for
from driftflow.engine.run import RunReport, resume, roll_back, run_plan
from driftflow.errors import ConnectError, RefusedError
from driftflow.journal.inspect import RunSummary, relations_of_journal, runs
from driftflow.lab import postgresql, sqlite
from driftflow.lab.mysql import database_of
from driftflow.model.catalog import is_ours
from driftflow.model.plan import Backfill, ChunkPolicy, Plan, RunSql, Step, UndoSteps
from driftflow.model.record import replace

CHUNK = ChunkPolicy(rows_first=10, rows_min=10, rows_max=10, rest_percent=1)
"""Small tables, and yet several chunks."""
MOMENTS: tuple[Moment, ...] = ("before", "after", "cut")
TURNS_BACK = 20
"""The most gates on a way back."""


@dataclass
class Swept:
    """Kill points of each way, and what went wrong at them."""

    recipes: set[str] = field(default_factory=set)
    calls: dict[str, int] = field(default_factory=dict)
    points: int = 0
    wrong: list[str] = field(default_factory=list)


def swept(place: Place, recipe: Recipe, *, points: int | None, moments: Sequence[Moment] = MOMENTS) -> Swept:
    """Killed on the way forward and gone on with; killed on the way forward and taken back; done, and killed on the way back. `points` of all calls of each way and
    as many of those that carry a statement of the plan, spread evenly, each at one moment in turn; None: every call at every moment. What cannot be taken back is killed on the way forward only."""
    ground, found = _Ground(place, recipe), Swept()
    with closing(ground):
        meter = Meter()
        database = ground.fresh()
        start, plan = ground.state(database), ground.plan(database)
        report = ground.forward(database, plan, meter)
        assert report.state == "done", report
        end = ground.state(database)
        found.recipes, found.calls["forth"] = {step.strategy for step in plan.steps}, meter.calls
        for number, moment in _chosen(meter, plan, points, moments, shift=0):
            database = ground.fresh()
            ended = _killed(lambda mine, at=database: ground.forward(at, plan, mine), mine := Meter(number, moment))
            _look(found, "forth", mine, end, lambda at=database, ended=ended: _gone_on(ground, at, plan, ended))
        if plan.point_of_no_return:
            return found
        for number, moment in _chosen(meter, plan, points, moments, shift=1):
            database = ground.fresh()
            _killed(lambda mine, at=database: ground.forward(at, plan, mine), mine := Meter(number, moment))
            _look(found, "forth and taken back", mine, start, lambda at=database: _taken_back(ground, at, plan))
        meter, database = Meter(), ground.fresh()
        ground.forward(database, plan)
        ground.back(database, plan, meter)
        found.calls["back"] = meter.calls
        for number, moment in _chosen(meter, plan, points, moments, shift=2):
            database = ground.fresh()
            ground.forward(database, plan)
            _killed(lambda mine, at=database: ground.back(at, plan, mine), mine := Meter(number, moment))
            _look(found, "back", mine, start, lambda at=database: _taken_back(ground, at, plan))
    return found


def _chosen(
    meter: Meter, plan: Plan, points: int | None, moments: Sequence[Moment], *, shift: int
) -> Iterator[tuple[int, Moment]]:
    """Some of all calls, and as many of those that carry a statement of the plan: what a server does by itself has its edges there."""
    every = range(meter.calls)
    if points is None or 2 * points >= meter.calls:
        yield from ((number, moment) for number in every for moment in moments)
        return
    said = {" ".join(statement.split())[:40] for step in plan.steps for statement in _statements(step)}
    own = [number for number, name in enumerate(meter.names) if " ".join(name.partition(" ")[2].split())[:40] in said]
    chosen = {calls[(2 * turn + 1) * len(calls) // (2 * points)] for calls in (every, own) if calls for turn in range(points)}
    for turn, number in enumerate(sorted(chosen)):
        yield number, moments[(turn + shift) % len(moments)]


def _statements(step: Step) -> Iterator[str]:
    """There and back."""
    if isinstance(step, RunSql):
        yield from step.script
    if isinstance(step.undo, UndoSteps):
        for one in step.undo.steps:
            yield from _statements(one)


def _killed(work: Callable[[Meter], RunReport], meter: Meter) -> bool:
    """Whether the executor died of it, or heard before its run began that the server was gone."""
    try:
        work(meter)
    except (Killed, ConnectError):
        return True
    return False


def _gone_on(ground: _Ground, database: Database, plan: Plan, ended: bool) -> Any:
    if ended:
        report = ground.forward(database, plan)
        assert report.state == "done", report
    return ground.state(database)


def _taken_back(ground: _Ground, database: Database, plan: Plan) -> Any:
    """A run that never was, or is home already, is nothing to take back."""
    if ground.run(database):
        with suppress(RefusedError) if ground.is_home(database) else nullcontext():
            report = ground.back(database, plan)
            assert report.state == "rolled_back", report
    return ground.state(database)


def _look(found: Swept, way: str, meter: Meter, expected: Any, asked: Callable[[], Any]) -> None:
    if not meter.fired:
        return
    found.points += 1
    where = f"{way}: call {meter.kill_at} {meter.moment}: {meter.names[meter.kill_at]}"
    try:
        state = asked()
    except Exception as error:  # whatever a killed run leaves is told with its place, and the sweep goes on
        found.wrong.append(f"{where}: {type(error).__name__}: {error}")
        return
    if state != expected:
        found.wrong.append(f"{where}: {differing(expected, state)}")


class _Ground:
    """One database under one name (the plans of MySQL and MariaDB say it), made anew for each kill point."""

    def __init__(self, place: Place, recipe: Recipe) -> None:
        self.place, self.recipe = place, recipe
        self.url = place.make()
        self.fresh_yet = True

    def fresh(self) -> Database:
        if not self.fresh_yet:
            _anew(self.place.vendor, self.url)
        self.fresh_yet = False
        database = Database(self.url, self.place.dialect)
        database.run(self.place.pick(self.recipe.schema))
        return database

    def close(self) -> None:
        if self.place.vendor in ("mysql", "mariadb"):
            with closing(connector_for(self.url).connect("test")) as db:
                db.execute("DROP DATABASE IF EXISTS driftflow")

    def plan(self, database: Database) -> Plan:
        plan = database.plan(self.place.pick(self.recipe.migration), folder=self.recipe.folder)
        small = (replace(step, chunk=CHUNK) if isinstance(step, Backfill) else step for step in plan.steps)
        return replace(plan, steps=tuple(small))

    def state(self, database: Database) -> Any:
        """What is the application's, and what of ours is left beside the journal."""
        catalog, journal = database.catalog(), relations_of_journal(self.place.vendor)
        left = [
            *(str(table.name) for table in catalog.tables.values() if ours(table.name) and table.name not in journal),
            *(trigger.name for table in catalog.tables.values() for trigger in table.triggers if is_ours(trigger.name)),
        ]
        return [sorted(left), database.structure(), database.rows(self.recipe.without)]

    def forward(self, database: Database, plan: Plan, meter: Meter | None = None) -> RunReport:
        options = RunOptions(open_gates=gates(plan), accept=accepted(plan), lease_seconds=5)
        return run_plan(plan, options=options, **self._edge(database, meter))

    def back(self, database: Database, plan: Plan, meter: Meter | None = None) -> RunReport:
        options, run = RunOptions(open_gates=gates(plan), lease_seconds=5, adopt=True), self.run(database)
        report = roll_back(run, options=options, **self._edge(database, meter))
        for _ in range(TURNS_BACK):
            if report.state == "waiting_at_gate":
                report = resume(run, options=options, **self._edge(database, meter))
        return report

    def _edge(self, database: Database, meter: Meter | None) -> dict[str, Any]:
        parts = edge(database, self.recipe.folder) | {"clock": QuickClock(), "fingerprint": _fingerprint}
        return parts if meter is None else parts | {"connector": MeteredConnector(database.connector, meter)}

    def run(self, database: Database) -> str:
        """The run that the journal knows, or nothing."""
        known = self._runs(database)
        return known[0].run if known else ""

    def is_home(self, database: Database) -> bool:
        return self._runs(database)[0].state == "rolled_back"

    def _runs(self, database: Database) -> tuple[RunSummary, ...]:
        with closing(database.connector.connect("look")) as connection:
            return runs(connection)


def _fingerprint(connection: Any, names: Any) -> str:
    """Reading the catalog is twenty queries and changes nothing: none of them is a moment of its own to die in."""
    return pipeline.fingerprint(getattr(connection, "_inner", connection), names)


def _anew(vendor: str, url: str) -> None:
    name = urlsplit(url).path.lstrip("/")
    if vendor == "sqlite":
        file = Path(url.removeprefix("sqlite:///"))
        for end in ("", "-wal", "-shm", "-journal"):
            Path(f"{file}{end}").unlink(missing_ok=True)
        sqlite.create(file)
    elif vendor == "postgresql":
        admin = url.replace(f"/{name}", "/postgres", 1)
        postgresql.drop_database(admin, name)
        postgresql.create_database(admin, name)
    else:
        name = database_of(url)
        with closing(connector_for(url).connect("test")) as db:
            end_other_sessions(db)
            db.execute("DROP DATABASE IF EXISTS driftflow")
            db.execute(f"DROP DATABASE `{name}`")
            db.execute(f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4")
