"""Kill points of a rebuild of a table with triggers of the application on MySQL and MariaDB, forth and back, while the application writes: behind every event, and
when the run is dead. The same triggers in the end, and not one row that was noted twice or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from engine_rig import Meter, RunOptions, apply, sweep, take_back
from rebuilt_tables import Place, Rebuilt, options, shown

from driftflow.drivers.urls import connector_for
from driftflow.lab.mysql import Server

SCHEMA = (
    "CREATE TABLE account (id INT AUTO_INCREMENT PRIMARY KEY, code VARCHAR(20) NOT NULL, balance INT, seen INT NOT NULL DEFAULT 0)",
    "CREATE TABLE audit (id INT AUTO_INCREMENT PRIMARY KEY, what VARCHAR(20), account INT, seen INT)",
    "CREATE TRIGGER account_second AFTER INSERT ON account FOR EACH ROW INSERT INTO audit (what, account) VALUES ('second', NEW.id)",
    "CREATE TRIGGER account_first AFTER INSERT ON account FOR EACH ROW PRECEDES account_second BEGIN INSERT INTO audit (what, account) VALUES ('first', NEW.id); END",
    "CREATE TRIGGER account_seen BEFORE UPDATE ON account FOR EACH ROW SET NEW.seen = OLD.seen + 1",
    "CREATE TRIGGER account_noted AFTER UPDATE ON account FOR EACH ROW INSERT INTO audit (what, account, seen) VALUES ('update', NEW.id, NEW.seen)",
    "INSERT INTO account (code, balance) VALUES ('a', 1), ('b', 2), ('c', 3)",
)
CHANGE = "ALTER TABLE account MODIFY balance BIGINT, ADD COLUMN twice BIGINT AS (balance * 2) STORED;"
WRITES = ("INSERT INTO account (code) VALUES ('new')", "UPDATE account SET code = 'd' WHERE id = 1")
WRONG = (
    "SELECT COUNT(*) FROM (SELECT account FROM audit WHERE what <> 'update' GROUP BY account, what HAVING COUNT(*) <> 1) AS twice",
    "SELECT COUNT(*) * 2 - (SELECT COUNT(*) FROM audit WHERE what <> 'update') FROM account",
    "SELECT SUM(seen) - (SELECT COUNT(*) FROM audit WHERE what = 'update') FROM account",
    "SELECT COUNT(*) FROM audit AS one JOIN audit AS other ON one.account = other.account AND one.what = 'first' AND other.what = 'second' AND one.id > other.id",
    "SELECT COUNT(*) FROM account WHERE NOT twice <=> balance * 2",
)
OURS = "TABLE_NAME NOT IN ('account', 'audit', '_driftflow_migration')"
REBUILT = Rebuilt(schema=SCHEMA, change=CHANGE, writes=WRITES, left=OURS)
SAMPLE, SAMPLE_OF_EXCHANGE = 509, 11
"""CI takes every so many calls, and of those that exchange triggers; `make soak` takes all."""


def exchanges(call: str) -> bool:
    """Whether a call is one of those around which a trigger could be missing, or act twice."""
    return any(
        word in call for word in ("_own_", "LOCK TABLES", "RENAME TABLE", "_mark_", "_acts_", "CREATE DEFINER", "DROP TRIGGER")
    )


def written(url: str) -> None:
    with closing(connector_for(url).connect("test")) as db:
        for statement in WRITES:
            db.execute(statement)


def state(url: str) -> list[Any]:
    """What does not depend on how often the application wrote."""
    with closing(connector_for(url).connect("test")) as db:
        twice = "twice" in str(db.query("SHOW CREATE TABLE account"))
        wrong = [db.query(query) for query in WRONG[: None if twice else -1]]
        names = db.query(
            "SELECT TRIGGER_NAME, EVENT_OBJECT_TABLE FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = DATABASE() "
            "ORDER BY EVENT_MANIPULATION, ACTION_TIMING, ACTION_ORDER"
        )
        texts = [db.query(f"SHOW CREATE TRIGGER `{name}`")[0][:6] for name, _ in names]
        left = db.query(f"SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND {OURS}")
        columns = db.query(
            "SELECT COLUMN_NAME, COLUMN_TYPE FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'account' ORDER BY ORDINAL_POSITION"
        )
    assert [int(rows[0][0]) for rows in wrong] == [0] * len(wrong), wrong
    return [names, texts, columns, left]


@pytest.fixture
def place(mysql_server: Server, mysql_url: str, tmp_path: Path) -> Iterator[Place]:
    yield from REBUILT.place(mysql_server, mysql_url, tmp_path)


def swept(
    fresh: Callable[[], str], work: Callable[[str, Meter | None], Any], capsys: pytest.CaptureFixture[str], what: str, **how: Any
) -> None:
    found = sweep(fresh, work, state, **how)
    shown(capsys, f"{what}: {found.calls} calls, {len(found.points)} kill points")
    assert found.wrong == []
    assert len(found.points) > 4


def forth(place: Place, capsys: pytest.CaptureFixture[str], server: Server, **how: Any) -> None:
    url, plan = place

    def fresh() -> str:
        REBUILT.make(url)
        return url

    def work(url: str, meter: Meter | None) -> Any:
        try:
            return apply(url, plan, meter, options=options(plan), listener=lambda event: written(url))
        finally:
            written(url)

    swept(fresh, work, capsys, f"{server.flavour} {server.version}, forth", **how)


def back(place: Place, capsys: pytest.CaptureFixture[str], server: Server, **how: Any) -> None:
    url, plan = place
    run = ""

    def fresh() -> str:
        nonlocal run
        REBUILT.make(url)
        run = apply(url, plan, options=RunOptions(lease_seconds=5)).run
        return url

    def work(url: str, meter: Meter | None) -> Any:
        try:
            return take_back(url, run, meter, options=options(plan), listener=lambda event: written(url))
        finally:
            written(url)

    swept(fresh, work, capsys, f"{server.flavour} {server.version}, back", **how)


def test_kill_points_of_the_exchange_forth(place: Place, mysql_server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    forth(place, capsys, mysql_server, where=exchanges, every=SAMPLE_OF_EXCHANGE)


def test_kill_points_of_the_exchange_back(place: Place, mysql_server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    back(place, capsys, mysql_server, where=exchanges, every=SAMPLE_OF_EXCHANGE, moments=("after",))


@pytest.mark.slow
def test_every_kill_point_of_the_exchange(place: Place, mysql_server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    forth(place, capsys, mysql_server, where=exchanges)
    back(place, capsys, mysql_server, where=exchanges)


@pytest.mark.slow
def test_kill_points_of_all_calls(place: Place, mysql_server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    forth(place, capsys, mysql_server, every=7)
    back(place, capsys, mysql_server, every=7)
