"""Every kill point of an online rebuild, forward and back: schema, rows and journal as if nothing had happened, and nothing left behind."""

from __future__ import annotations

import contextlib
import itertools
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from engine_rig import Killed, Meter, MeteredConnector, QuickClock

sys.path.insert(0, str(Path(__file__).parents[1] / "databases"))
from online_rig import apply, contents, edge, leftovers, opened, plan_of, rebuild_step

from driftflow.drivers.urls import connector_for
from driftflow.engine.run import RunOptions, roll_back
from driftflow.errors import RefusedError
from driftflow.model.plan import Plan

pytestmark = pytest.mark.sqlite
ROWS = 23
SCHEMA = f"""
CREATE TABLE u(id INTEGER PRIMARY KEY);
CREATE TABLE o(id INTEGER PRIMARY KEY AUTOINCREMENT, u INT REFERENCES u(id), code TEXT UNIQUE, v TEXT);
CREATE INDEX o_u ON o(u);
CREATE VIEW seen AS SELECT id, v FROM o;
WITH RECURSIVE n(g) AS (SELECT 1 UNION ALL SELECT g + 1 FROM n WHERE g < {ROWS}) INSERT INTO u SELECT g FROM n;
INSERT INTO o(u, code, v) SELECT id, 'c' || id, 'v' FROM u;
DELETE FROM o WHERE id = {ROWS};
"""
CHANGE = "ALTER TABLE o ALTER COLUMN v SET NOT NULL"


@pytest.fixture
def start(memory_path: Path):
    original = memory_path / "start.db"
    with opened(original) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.executescript(SCHEMA)
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    url = f"sqlite:///{original}"
    return original, plan_of(url, rebuild_step(url, CHANGE, online=True))


class Writes:
    """The application, between our transactions: a write at each chunk, the same ones in every run and exactly once."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.over = False

    def __call__(self, event: Any) -> None:
        if type(event).__name__ != "ChunkDone" or self.over:
            return
        self.over = True
        with opened(self.file) as db:
            db.execute("PRAGMA foreign_keys = ON")
            db.execute("INSERT OR REPLACE INTO o(id, u, code, v) VALUES (900, 1, 'c2', 'replaced')")
            db.execute("UPDATE o SET v = 'changed' WHERE id = 5")
            db.execute("DELETE FROM o WHERE id = 7")
            db.execute("DELETE FROM u WHERE id = 7")


def work(file: Path, plan: Plan, meter: Meter | None, writes: Writes | None = None) -> Any:
    connector = connector_for(f"sqlite:///{file}")
    changes: dict[str, Any] = {"clock": QuickClock()}
    if writes is not None:
        changes["listener"] = writes
    if meter is not None:
        changes["connector"] = MeteredConnector(connector, meter)
    return apply(f"sqlite:///{file}", plan, **changes)


def back(file: Path, run: str, meter: Meter | None) -> Any:
    connector = connector_for(f"sqlite:///{file}")
    changes: dict[str, Any] = {"connector": MeteredConnector(connector, meter)} if meter is not None else {}
    return roll_back(run, **edge(f"sqlite:///{file}", clock=QuickClock(), options=RunOptions(adopt=True), **changes))


def copies(original: Path) -> Any:
    numbers = itertools.count()

    def fresh() -> Path:
        copy = original.with_name(f"copy{next(numbers)}.db")
        shutil.copy(original, copy)
        return copy

    return fresh


def test_every_kill_point_forward(start: tuple[Path, Plan], capsys: pytest.CaptureFixture[str]) -> None:
    original, plan = start
    fresh = copies(original)
    file, meter = fresh(), Meter()
    work(file, plan, meter, Writes(file))
    expected = contents(file)
    assert leftovers(file) == []
    points = 0
    for number, moment in itertools.product(range(meter.calls), ("before", "after")):
        file = fresh()
        mine, writes = Meter(kill_at=number, moment=moment), Writes(file)
        try:
            work(file, plan, mine, writes)
        except Killed:
            if not mine.fired:
                raise
        where = (number, moment, mine.names[min(number, len(mine.names) - 1)])
        assert work(file, plan, None, writes).state == "done", where
        if not writes.over:  # it was killed behind its last chunk, before the application was asked
            continue
        points += mine.fired
        found = contents(file)
        assert found == expected, where
        assert leftovers(file) == [], where
        for end in ("", "-wal", "-shm"):
            Path(f"{file}{end}").unlink(missing_ok=True)
    with capsys.disabled():
        print(f"\nonline rebuild, forward: {meter.calls} calls, {points} kill points")
    assert points > 200


def test_every_kill_point_and_then_taken_back(start: tuple[Path, Plan], capsys: pytest.CaptureFixture[str]) -> None:
    """Killed anywhere on the way forward, then rolled back: the schema and rows of the start, and nothing of ours."""
    original, plan = start
    fresh = copies(original)
    before = contents(original)
    meter = Meter()
    work(fresh(), plan, meter)
    points = 0
    for number in range(0, meter.calls, 3):
        file = fresh()
        mine = Meter(kill_at=number, moment="after")
        with contextlib.suppress(Killed):
            work(file, plan, mine)
        with opened(file) as db:
            known = db.execute("SELECT count(*) FROM sqlite_schema WHERE name = '_driftflow_run'").fetchone()[0]
            run = db.execute("SELECT id FROM _driftflow_run").fetchone() if known else None
        if run is None:
            continue
        assert back(file, run[0], None).state == "rolled_back", mine.names[-1]
        points += 1
        found = contents(file)
        assert found[1] == before[1], mine.names[-1]
        assert [row[:3] for row in found[0]] == [row[:3] for row in before[0]], mine.names[-1]
        assert leftovers(file) == [], mine.names[-1]
    with capsys.disabled():
        print(f"\nonline rebuild, killed and taken back: {points} kill points")
    assert points > 30


def test_every_kill_point_backward(start: tuple[Path, Plan], capsys: pytest.CaptureFixture[str]) -> None:
    original, plan = start
    done = original.with_name("done.db")
    shutil.copy(original, done)
    run = work(done, plan, None).run
    with opened(done) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    fresh = copies(done)
    file, meter = fresh(), Meter()
    back(file, run, meter)
    expected = contents(file)
    points = 0
    for number, moment in itertools.product(range(0, meter.calls, 2), ("before", "after")):
        file = fresh()
        mine = Meter(kill_at=number, moment=moment)
        try:
            back(file, run, mine)
        except Killed:
            # Killed behind its last commit, there is nothing left to take back.
            with contextlib.suppress(RefusedError):
                back(file, run, None)
        points += mine.fired
        assert contents(file) == expected, mine.names[number]
        assert leftovers(file) == [], mine.names[number]
    with capsys.disabled():
        print(f"\nonline rebuild, backward: {meter.calls} calls, {points} kill points")
    assert points > 100


CHILD = """
import sys
sys.path[:0] = [{here!r}, {rig!r}]
from pathlib import Path
from online_rig import apply
from driftflow.model.plan import Plan
from driftflow.model.record import decode
def told(event):
    print(type(event).__name__, flush=True)
print(apply({url!r}, decode(Path({plan!r}).read_bytes(), Plan), listener=told, clock=__import__("engine_rig").QuickClock()).state, flush=True)
"""


def test_sigkill_until_it_is_done(start: tuple[Path, Plan], memory_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The process is killed after a few events, again and again; kills fall into the copy, the swap and the removal."""
    from driftflow.model.record import encode

    original, plan = start
    undisturbed = memory_path / "undisturbed.db"
    shutil.copy(original, undisturbed)
    work(undisturbed, plan, None)
    file, plan_file = memory_path / "killed.db", memory_path / "plan.json"
    shutil.copy(original, file)
    plan_file.write_bytes(encode(plan))
    here = Path(__file__).parent
    code = CHILD.format(here=str(here), rig=str(here.parent / "databases"), url=f"sqlite:///{file}", plan=str(plan_file))
    chance, deaths = random.Random(7), 0
    for _ in range(40):
        running = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        assert running.stdout is not None
        for _ in range(chance.randrange(1, 5)):
            running.stdout.readline()
        running.send_signal(signal.SIGKILL)
        rest = running.stdout.read()
        running.stdout.close()
        if running.wait(30) == 0 or rest.endswith("done\n"):
            break
        deaths += 1
        with sqlite3.connect(file) as db:
            assert db.execute("SELECT count(*) FROM o").fetchone() == (ROWS - 1,)
        db.close()
    work(file, plan, None)
    with capsys.disabled():
        print(f"\nonline rebuild: the executor was killed {deaths} times")
    assert deaths >= 2
    assert contents(file) == contents(undisturbed)
    assert leftovers(file) == []
