"""Kill points on MySQL and MariaDB: what a client asked for may happen after it died, and no DDL waits for a commit."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from engine_rig import Killed, Meter, RunOptions, apply, end_other_sessions, fingerprinted, sweep, take_back
from mysql_plans import make, mysql_plan, mysql_state

sys.path.insert(0, str(Path(__file__).parents[1] / "databases"))
from mysql_rig import planned

from driftflow.drivers.urls import connector_for
from driftflow.lab.mysql import Server
from driftflow.model.names import Name
from driftflow.model.plan import Plan
from driftflow.model.record import replace

OPEN = RunOptions(open_gates=("deployed",), lease_seconds=5)


@pytest.fixture
def fresh(mysql_server: Server, mysql_url: str) -> Iterator[Callable[[], str]]:
    """The shop as at the start; nobody else is connected."""

    def anew() -> str:
        with closing(connector_for(mysql_url).connect("test")) as db:
            end_other_sessions(db)
            make(db)
        return mysql_url

    yield anew
    with closing(connector_for(mysql_url).connect("test")) as db:
        db.execute("DROP DATABASE IF EXISTS driftflow")


def some(plan: Plan, *ids: str) -> Plan:
    return replace(plan, steps=tuple(step for step in plan.steps if step.id in ids))


def work(plan: Plan, **changes: Any) -> Callable[[str, Meter | None], Any]:
    return lambda url, meter: apply(url, plan, meter, options=OPEN, **changes)


def columns(connection: Any, names: tuple[Name, ...]) -> str:
    """A fingerprint in one query: the catalog in full is twenty, and none of them is a moment of its own to die in."""
    return repr(
        connection.query(
            "SELECT TABLE_NAME, COLUMN_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME IN ('account', 'log') ORDER BY 1, 2"
        )
    )


def shown(capsys: pytest.CaptureFixture[str], text: str) -> None:
    with capsys.disabled():
        print(f"\n{text}")


def test_every_kind_is_done_and_taken_back(fresh: Callable[[], str], tmp_path: Path) -> None:
    url = fresh()
    before = mysql_state(url)
    plan = fingerprinted(url, mysql_plan(url, tmp_path))
    report = apply(url, plan, options=OPEN)
    assert report.state == "done"
    with closing(connector_for(url).connect("test")) as db:
        assert db.query("SELECT COUNT(*) FROM account WHERE balance <> id * 10 + 1 OR stock <> id * 3 OR sealed IS NULL") == [
            (0,)
        ]
        # The change is no change of the application's.
        assert db.query("SELECT COUNT(*) FROM account WHERE changed <> '2001-01-01 01:01:01'") == [(0,)]
        assert db.query("SELECT COUNT(*) FROM log WHERE old = 1") == [(0,)]
    assert take_back(url, report.run).state == "rolled_back"
    after = mysql_state(url)
    assert after[0] == before[0]


def test_kill_points(fresh: Callable[[], str], tmp_path: Path, mysql_server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    url = fresh()
    plan = some(mysql_plan(url, tmp_path), "stock", "count")
    found = sweep(fresh, work(plan, fingerprint=columns), mysql_state, every=3)
    shown(capsys, f"{mysql_server.flavour} {mysql_server.version}: {found.calls} calls, {len(found.points)} distinct kill points")
    assert found.wrong == []
    assert len(found.points) == 2 * len(range(0, found.calls, 3))


def test_lost_answers(fresh: Callable[[], str], tmp_path: Path, mysql_server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    """The connection is cut after the server executed call k, COMMIT and ALTER among them, and the executor lives."""
    url = fresh()
    plan = fingerprinted(url, some(mysql_plan(url, tmp_path), "stock", "count", "gate", "index"))
    found = sweep(fresh, work(plan), mysql_state, moments=("cut",), every=3)
    shown(capsys, f"{mysql_server.flavour} {mysql_server.version}: {len(found.points)} lost answers, {found.healed} healed")
    assert found.wrong == []
    assert found.healed > len(found.points) // 2


@pytest.mark.parametrize(
    "clauses",
    [
        "DROP PRIMARY KEY, ADD PRIMARY KEY (id, old)",
        "DROP INDEX log_key, ADD UNIQUE INDEX log_key (old, id)",
        "DROP INDEX log_key, ADD INDEX log_key (old) COMMENT 'anew'",
        "DROP CONSTRAINT log_sign, ADD CONSTRAINT log_sign CHECK (old >= -1)",
    ],
)
def test_what_is_dropped_and_made_anew_in_one_statement(fresh: Callable[[], str], tmp_path: Path, clauses: str) -> None:
    """Neither presence nor absence of the name tells whether it has happened."""

    def prepared() -> str:
        url = fresh()
        with closing(connector_for(url).connect("test")) as db:
            db.execute("ALTER TABLE log ADD INDEX log_key (old), ADD CONSTRAINT log_sign CHECK (old >= 0)")
        return url

    url = prepared()
    start, plan = mysql_state(url), fingerprinted(url, planned(url, f"ALTER TABLE log {clauses};", tmp_path))
    apply(url, plan, meter := Meter(), options=OPEN)
    expected = mysql_state(url)
    alter = next(number for number, name in enumerate(meter.names) if name.startswith("execute ALTER"))
    for number, moment in ((alter, "before"), (alter, "after"), (alter, "cut")):
        for back in (False, True):
            url, mine = prepared(), Meter(number, moment)
            with suppress(Killed):
                apply(url, plan, mine, options=OPEN)
            assert mine.fired
            if back:
                with closing(connector_for(url).connect("test")) as db:
                    ((run,),) = db.query("SELECT id FROM driftflow.run")
                take_back(url, run)
            else:
                apply(url, plan, options=OPEN)
            assert mysql_state(url) == (start if back else expected), (moment, back)


@pytest.mark.slow
def test_every_kill_point_of_every_kind(
    fresh: Callable[[], str], tmp_path: Path, mysql_server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    url = fresh()
    plan = fingerprinted(url, mysql_plan(url, tmp_path))
    found = sweep(fresh, work(plan), mysql_state)
    shown(capsys, f"{mysql_server.flavour} {mysql_server.version}: {found.calls} calls, {len(found.points)} distinct kill points")
    assert found.wrong == []
