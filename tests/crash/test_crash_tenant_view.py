"""Killed around each statement of a view that stands for row-level security: rights are given and taken exactly once, forward and back."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from engine_rig import Killed, Meter, RunOptions, apply, take_back

sys.path.insert(0, str(Path(__file__).parents[1] / "databases"))
from mysql_rig import planned, session

from driftflow.lab.mysql import Server, database_of
from driftflow.model.plan import Plan

SCHEMA = (
    "DROP DATABASE IF EXISTS driftflow",
    "DROP VIEW IF EXISTS my_docs",
    "DROP FUNCTION IF EXISTS my_docs_tenant",
    "DROP TABLE IF EXISTS docs, _driftflow_migration",
    "CREATE TABLE docs (id INT PRIMARY KEY, tenant INT NOT NULL, KEY (tenant))",
    "INSERT INTO docs VALUES (1, 1), (2, 2)",
)
OPEN = RunOptions(open_gates=("deployed", "deployed-back"), lease_seconds=5)
CHANGES = (
    "execute CREATE FUNCTION",
    "execute CREATE ALGORITHM",
    "execute CREATE TRIGGER",
    "execute GRANT",
    "execute REVOKE",
    "execute DROP",
)
HELD = (
    "SELECT TABLE_NAME, PRIVILEGE_TYPE, NULL FROM information_schema.TABLE_PRIVILEGES WHERE TABLE_SCHEMA = DATABASE() AND GRANTEE LIKE '%{role}%' "
    "UNION ALL SELECT TABLE_NAME, PRIVILEGE_TYPE, COLUMN_NAME FROM information_schema.COLUMN_PRIVILEGES "
    "WHERE TABLE_SCHEMA = DATABASE() AND GRANTEE LIKE '%{role}%' ORDER BY 1, 2, 3"
)


class Place:
    """A database as root sees it, and an account with rights on one table."""

    def __init__(self, url: str, role: str) -> None:
        self.url, self.role = url, role

    def fresh(self) -> None:
        with session(self.url) as db:
            db.query(f"DROP USER IF EXISTS '{self.role}'@'localhost'")
            for statement in SCHEMA:
                db.query(statement)
            db.query(f"CREATE USER '{self.role}'@'localhost'")
            db.query(f"GRANT SELECT, INSERT, UPDATE (tenant) ON docs TO '{self.role}'@'localhost'")

    def state(self) -> list[Any]:
        with session(self.url) as db:
            made = "SELECT ROUTINE_NAME FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = DATABASE()"
            triggers = "SELECT TRIGGER_NAME FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = DATABASE() ORDER BY 1"
            views = "SELECT TABLE_NAME, CHECK_OPTION FROM information_schema.VIEWS WHERE TABLE_SCHEMA = DATABASE()"
            return [db.query(one) for one in (HELD.replace("{role}", self.role), made, triggers, views)]

    def plan(self, folder: Path) -> Plan:
        directive = f"-- driftflow: row-security column=tenant variable=me view=my_docs role={self.role}"
        return planned(self.url, f"{directive}\nALTER TABLE docs ENABLE ROW LEVEL SECURITY", folder)


@pytest.fixture
def place(mysql_server: Server, mysql_url: str) -> Iterator[Place]:
    found = Place(mysql_server.url(database_of(mysql_url), user="root"), "app_" + secrets.token_hex(4))
    try:
        yield found
    finally:
        with session(found.url) as db:
            db.query(f"DROP USER IF EXISTS '{found.role}'@'localhost'")
            db.query("DROP DATABASE IF EXISTS driftflow")


def test_killed_around_each_statement(place: Place, tmp_path: Path) -> None:
    place.fresh()
    plan, meter = place.plan(tmp_path), Meter()
    assert apply(place.url, plan, meter, options=OPEN).state == "done"
    expected, seen = place.state(), 0
    assert {row[0] for row in expected[0]} == {"my_docs"}
    for number in points(meter):
        for moment in ("before", "after"):
            place.fresh()
            seen += died(lambda mine: apply(place.url, plan, mine, options=OPEN), Meter(kill_at=number, moment=moment))
            assert apply(place.url, plan, options=OPEN).state == "done", (moment, meter.names[number])
            assert place.state() == expected, (moment, meter.names[number])
    assert seen == 2 * len(points(meter)) > 10


def test_killed_around_each_statement_of_the_way_back(place: Place, tmp_path: Path) -> None:
    place.fresh()
    before, plan, meter = place.state(), place.plan(tmp_path), Meter()
    assert take_back(place.url, apply(place.url, plan, options=OPEN).run, meter, options=OPEN).state == "rolled_back"
    assert place.state() == before
    seen = 0
    for number in points(meter):
        for moment in ("before", "after"):
            place.fresh()
            run = apply(place.url, plan, options=OPEN).run
            seen += died(
                lambda mine, run=run: take_back(place.url, run, mine, options=OPEN), Meter(kill_at=number, moment=moment)
            )
            assert take_back(place.url, run, options=OPEN).state == "rolled_back", (moment, meter.names[number])
            assert place.state() == before, (moment, meter.names[number])
    assert seen == 2 * len(points(meter)) > 10


def points(meter: Meter) -> list[int]:
    return [number for number, name in enumerate(meter.names) if name.startswith(CHANGES)]


def died(work: Callable[[Meter], Any], meter: Meter) -> bool:
    try:
        work(meter)
    except Killed:
        return True
    return False
