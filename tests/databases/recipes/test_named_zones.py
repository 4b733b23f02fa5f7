"""Zones by their names on MySQL and MariaDB, whose servers know none until somebody loads them: summer time, the hour that is not there, and the one
that comes twice."""

from __future__ import annotations

import calendar
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from recipes.rig import Place, Recipe, accepted, apply, edge, gates, refused, show, take_back
from recipes.test_conversions_mysql import SCHEMA, WRITES, converted, expected, naive

from driftflow.engine.run import RunOptions, run_plan
from driftflow.model.event import AnyEvent, Counted

pytestmark = pytest.mark.on("mysql", "mariadb")
ZONE = "Europe/Berlin"
DAYS = SCHEMA.replace("HOUR, n", "DAY, n").replace("00:00:00.125", "12:00:00.125")
"""More than a year, so that both summer and winter are in it."""


@pytest.fixture(autouse=True)
def zone(place: Place, server_named: Callable[[str], Any]) -> Iterator[None]:
    """The server knows the zone from 2020 on, and its sessions are elsewhere."""
    with server_named(place.server).administration() as execute:
        for statement in loaded():
            execute(statement)
        execute("SET GLOBAL time_zone = '+05:30'")
        yield
        execute("SET GLOBAL time_zone = DEFAULT")
        for table in ("", "_name", "_transition", "_transition_type"):
            execute(f"DELETE FROM mysql.time_zone{table}")


def loaded() -> Iterator[str]:
    """As mysql_tzinfo_to_sql would write it. Source: MySQL 8.4 manual, "MySQL Server Time Zone Support"."""
    yield "REPLACE INTO mysql.time_zone (Time_zone_id, Use_leap_seconds) VALUES (1, 'N')"
    yield f"REPLACE INTO mysql.time_zone_name (Name, Time_zone_id) VALUES ('{ZONE}', 1)"
    kinds = "(1, 0, 3600, 0, 'CET'), (1, 1, 7200, 1, 'CEST')"
    yield f"REPLACE INTO mysql.time_zone_transition_type (Time_zone_id, Transition_type_id, `Offset`, Is_DST, Abbreviation) VALUES {kinds}"
    turns = ", ".join(
        f"(1, {moment}, {summer})" for year in range(2020, 2037) for moment, summer in (_turn(year, 3, 1), _turn(year, 10, 0))
    )
    yield f"REPLACE INTO mysql.time_zone_transition (Time_zone_id, Transition_time, Transition_type_id) VALUES {turns}"


def _turn(year: int, month: int, summer: int) -> tuple[int, int]:
    """The last Sunday, at one o'clock in UTC."""
    last = date(year, month, 31)
    return calendar.timegm(datetime(year, month, 31 - (last.weekday() + 1) % 7, 1, tzinfo=UTC).timetuple()), summer


@pytest.mark.parametrize(
    ("change", "plain"),
    [
        ("at datetime(3)", naive("at", "datetime(3)", f"convert_tz(at, '+00:00', '{ZONE}')")),
        ("local timestamp(3) NULL", naive("local", "timestamp(3) NULL", f"convert_tz(local, '{ZONE}', '+00:00')")),
    ],
    ids=["instant-to-local", "local-to-instant"],
)
def test_summer_and_winter(place: Place, change: str, plain: str) -> None:
    migration = f"-- driftflow: convert zone={ZONE}\nALTER TABLE items MODIFY {change};"
    shown = show(place, Recipe(schema=DAYS, migration=migration, naive=plain, old=WRITES, expected=expected))
    assert converted(shown.plan)
    hours = "SELECT DISTINCT HOUR(at) FROM items WHERE at IS NOT NULL" if change.startswith("at") else ""
    if hours:
        assert sorted(shown.planned.query(hours)) == [(13,), (14,)]


def test_an_hour_that_is_not_there_is_refused(place: Place) -> None:
    schema = f"{DAYS} UPDATE items SET local = '2026-03-29 02:30:00' WHERE id IN (3, 5);"
    error = refused(place.fresh(schema), f"-- driftflow: convert zone={ZONE}\nALTER TABLE items MODIFY local timestamp(3) NULL;")
    assert f"hold a local that {ZONE} does not have" in str(error) and "3, 5" in str(error)


def test_an_hour_that_comes_twice_is_one_local_time(place: Place) -> None:
    """Two moments become one; until the gate the old form has both, and a rollback gives them back."""
    moments = "SELECT id, UNIX_TIMESTAMP(at) FROM items WHERE id IN (3, 5) ORDER BY id"
    schema = f"{DAYS} UPDATE items SET at = '2026-10-25 00:30:00' WHERE id = 3; UPDATE items SET at = '2026-10-25 01:30:00' WHERE id = 5;"
    database = place.fresh(schema)
    before = database.query(moments)
    plan = database.plan(f"-- driftflow: convert zone={ZONE}\nALTER TABLE items MODIFY at datetime(3);")
    report = apply(plan, database)
    assert report.state == "waiting_at_gate"
    assert database.query("SELECT DISTINCT at FROM items WHERE id IN (3, 5)") == [(datetime.fromisoformat("2026-10-25 02:30"),)]
    assert take_back(report.run, database, open_gates=gates(plan)).state == "rolled_back"
    assert database.query(moments) == before


@pytest.mark.parametrize(
    ("column", "change", "said"),
    [
        ("local", "local timestamp(3) NULL", "the server takes one of its two moments"),
        ("at", "at datetime(3)", "once the old values are dropped, nobody knows which of the two it was"),
    ],
    ids=["local-to-instant", "instant-to-local"],
)
def test_rows_in_an_hour_that_comes_twice_are_told(place: Place, column: str, change: str, said: str) -> None:
    """Half past two by the clocks of the zone, on the day when they go back; half past one and half past three come once."""
    session = "SET time_zone = '+00:00'; "
    moments = {
        "local": ("2026-10-25 01:30:00", "2026-10-25 02:30:00", "2026-10-25 03:30:00"),
        "at": ("2026-10-24 23:30:00", "2026-10-25 01:30:00", "2026-10-25 02:30:00"),
    }
    rows = "; ".join(
        f"UPDATE items SET {column} = '{moment}' WHERE id = {id}" for id, moment in zip((3, 4, 5), moments[column], strict=True)
    )
    database = place.fresh(f"{session}{DAYS} {rows};")
    heard: list[AnyEvent] = []
    plan = database.plan(f"-- driftflow: convert zone={ZONE}\nALTER TABLE items MODIFY {change};")
    options = RunOptions(accept=accepted(plan))
    assert run_plan(plan, options=options, **{**edge(database), "listener": heard.append}).state == "waiting_at_gate"
    (counted,) = (event for event in heard if isinstance(event, Counted))
    assert counted.text.startswith(f"1 rows of items hold a {column} in an hour that {ZONE} has twice: {said}")
    assert counted.keys == ("4",)
