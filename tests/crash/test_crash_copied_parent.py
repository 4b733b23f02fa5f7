"""Killed around and within LOCK TABLES: the server frees the tables with the session, and the copy is made exactly once, forward and back."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from engine_rig import Killed, Meter, Moment, apply, take_back

sys.path.insert(0, str(Path(__file__).parents[1] / "databases"))
from mysql_rig import planned, session

from driftflow.drivers.urls import connector_for
from driftflow.model.plan import Plan

SCHEMA = (
    "DROP DATABASE IF EXISTS driftflow",
    "DROP TABLE IF EXISTS child, parent, _driftflow_migration",
    "CREATE TABLE parent (id INT PRIMARY KEY, v INT NOT NULL DEFAULT 0)",
    "CREATE TABLE child (id INT PRIMARY KEY, p INT NOT NULL, CONSTRAINT child_p FOREIGN KEY (p) REFERENCES parent (id))",
    "INSERT INTO parent (id) VALUES (1), (2)",
    "INSERT INTO child VALUES (1, 1)",
    "ANALYZE TABLE parent",
)
# A second time it would be an error: there is such a column.
CHANGE = "ALTER TABLE parent ADD COLUMN w INT NOT NULL DEFAULT 7, ALGORITHM=COPY"
BACK = "ALTER TABLE parent MODIFY v BIGINT NOT NULL DEFAULT 0"
on_mariadb = pytest.mark.parametrize("mysql_family", [pytest.param("mariadb-10", marks=pytest.mark.mariadb)], indirect=True)
MOMENTS: tuple[Moment, ...] = ("before", "after", "cut")


def fresh(url: str) -> None:
    with session(url) as db:
        for statement in SCHEMA:
            db.query(statement)


def state(url: str) -> list[Any]:
    """A writer of each table gets through: nothing is locked any more."""
    with closing(connector_for(url).connect("test")) as db:
        db.set_timeouts(lock_ms=3_000)
        db.execute("INSERT INTO child VALUES (2, 2)")
        db.execute("UPDATE parent SET v = v + 1")
        return [db.query(f"SHOW CREATE TABLE {name}") + db.query(f"SELECT * FROM {name}") for name in ("parent", "child")]


def points(names: list[str]) -> list[int]:
    """The calls from the one ahead of LOCK TABLES to the one behind UNLOCK TABLES."""
    first = next(number for number, name in enumerate(names) if name.startswith("execute LOCK TABLES"))
    last = next(number for number, name in enumerate(names) if name.startswith("execute UNLOCK TABLES"))
    return list(range(first - 1, last + 2))


@on_mariadb
def test_killed_around_the_locks(mysql_url: str, tmp_path: Path) -> None:
    fresh(mysql_url)
    plan = planned(mysql_url, CHANGE, tmp_path)
    meter = Meter()
    assert apply(mysql_url, plan, meter).state == "done"
    expected, seen = state(mysql_url), 0
    for number in points(meter.names):
        for moment in MOMENTS:
            fresh(mysql_url)
            seen += _died(lambda mine: apply(mysql_url, plan, mine), Meter(kill_at=number, moment=moment))
            assert apply(mysql_url, plan).state == "done" and state(mysql_url) == expected, (number, moment, meter.names[number])
    assert seen > 2 * len(points(meter.names)) - 2


@on_mariadb
def test_killed_around_the_locks_of_the_way_back(mysql_url: str, tmp_path: Path) -> None:
    fresh(mysql_url)
    plan = planned(mysql_url, BACK, tmp_path)
    meter = Meter()
    assert take_back(mysql_url, _done(mysql_url, plan), meter).state == "rolled_back"
    expected = state(mysql_url)
    for number in points(meter.names):
        for moment in MOMENTS[1:]:
            fresh(mysql_url)
            run = _done(mysql_url, plan)
            if _died(lambda mine, run=run: take_back(mysql_url, run, mine), Meter(kill_at=number, moment=moment)):
                assert take_back(mysql_url, run).state == "rolled_back"
            assert state(mysql_url) == expected, (number, moment, meter.names[number])


def _done(url: str, plan: Plan) -> str:
    return apply(url, plan).run


def _died(work: Any, meter: Meter) -> bool:
    try:
        work(meter)
    except Killed:
        return True
    assert meter.fired
    return False
