"""Every kill point of every step kind on SQLite, forward and backward."""

from __future__ import annotations

import itertools
import shutil
import sqlite3
from pathlib import Path

import pytest
from engine_plans import SQLITE_SCHEMA, sqlite_plan
from engine_rig import RunOptions, apply, fingerprinted, sqlite_state, sweep, take_back

pytestmark = pytest.mark.sqlite
OPEN = RunOptions(open_gates=("deployed",))


@pytest.fixture
def start(memory_path: Path):
    """A function that gives the URL of a fresh copy of the start database, and the plan for it."""
    original = memory_path / "start.db"
    with sqlite3.connect(original) as db:
        db.executescript(SQLITE_SCHEMA)
    db.close()
    count = itertools.count()

    def fresh() -> str:
        copy = memory_path / f"copy{next(count)}.db"
        shutil.copy(original, copy)
        return f"sqlite:///{copy}"

    return fresh, fingerprinted(f"sqlite:///{original}", sqlite_plan(memory_path))


def state(url: str):
    return sqlite_state(Path(url.removeprefix("sqlite:///")))


def test_every_kill_point_forward(start, capsys: pytest.CaptureFixture[str]) -> None:
    fresh, plan = start
    found = sweep(fresh, lambda url, meter: apply(url, plan, meter, options=OPEN), state)
    with capsys.disabled():
        print(f"\nSQLite forward: {found.calls} calls, {len(found.points)} distinct kill points, every step kind")
    assert found.wrong == []
    assert len(found.points) == 2 * found.calls
    assert found.calls > 200


def test_every_kill_point_backward(start, capsys: pytest.CaptureFixture[str]) -> None:
    """Killed in the middle of the plan and taken back, and killed while being taken back."""
    fresh, plan = start
    half = RunOptions(phase="migrate")
    done = fresh()
    run = apply(done, plan, options=half).run
    before = state(fresh())
    source = Path(done.removeprefix("sqlite:///"))
    count = itertools.count()

    def again() -> str:
        copy = source.with_name(f"back{next(count)}.db")
        shutil.copy(source, copy)
        return f"sqlite:///{copy}"

    found = sweep(again, lambda url, meter: take_back(url, run, meter, options=RunOptions(adopt=True)), state)
    with capsys.disabled():
        print(f"\nSQLite backward: {found.calls} calls, {len(found.points)} distinct kill points")
    assert found.wrong == []
    assert len(found.points) == 2 * found.calls
    url = again()
    take_back(url, run, options=RunOptions(adopt=True))
    assert without_sealed(state(url)) == without_sealed(before)


def without_sealed(found):
    """ALTER TABLE ... DROP COLUMN keeps the text of CREATE TABLE apart from the column; rows are what counts."""
    return [[(kind, name) for kind, name, _ in found[0]], found[1]]
