"""Keys of MySQL and MariaDB that a client is shown as something else than they are compared as: a walk along them reaches every row, the last one too."""

from __future__ import annotations

import pytest
from recipes.rig import Place, apply, gates, take_back

from driftflow.engine import pace
from driftflow.errors import RefusedError

pytestmark = pytest.mark.on("mysql", "mariadb")
SCHEMA = """
CREATE TABLE digits (n integer PRIMARY KEY);
INSERT INTO digits VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9);
CREATE TABLE items (k {type} NOT NULL, v integer, PRIMARY KEY (k));
INSERT INTO items SELECT {value}, 1 FROM (SELECT a.n + 10 * b.n AS n FROM digits AS a JOIN digits AS b) AS d;
"""
FILLED = '-- driftflow: backfill column=w set="v + 1"\nALTER TABLE items ADD COLUMN w integer NOT NULL;'


@pytest.mark.parametrize(
    ("type", "value"),
    [
        ("float", "n / 10.0 - 3"),
        ("float", "n * 16777.217"),
        ("double", "n / 7.0"),
        ("bit(16)", "n * 300"),
        ("bit(64)", "18446744073709551615 - n"),
        ("bigint unsigned", "18446744073709551615 - n"),
        ("year", "1980 + n"),
        ("binary(8)", "unhex(lpad(hex(n * 7919 * 65537), 16, '0'))"),
    ],
)
def test_every_row_is_reached(place: Place, type: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "start", lambda policy: pace.Pace(keys=7))
    monkeypatch.setattr(pace, "after_chunk", lambda found, *_, **__: found)
    database = place.fresh(SCHEMA.format(type=type, value=value))
    before = database.seen()
    plan = database.plan(FILLED)
    report = apply(plan, database, open_gates=gates(plan))
    assert report.state == "done"
    assert [tuple(map(int, row)) for row in database.query("SELECT COUNT(*), SUM(w) FROM items")] == [(100, 200)]
    assert take_back(report.run, database, open_gates=gates(plan)).state == "rolled_back"
    assert database.seen() == before


KEYED = """
CREATE TABLE items (k {type} NOT NULL, n integer NOT NULL, v integer{key});
INSERT INTO items VALUES (1, 1, 1), (2, 2, 1), (3, 3, 1), (1, 4, 1);
"""


@pytest.mark.parametrize("type", ["enum('z', 'b', 'm')", "set('z', 'b', 'm')"])
def test_a_key_that_is_ordered_by_number_gives_way_to_another(place: Place, type: str) -> None:
    database = place.fresh(KEYED.format(type=type, key=", PRIMARY KEY (k, n), UNIQUE KEY items_n (n)"))
    plan = database.plan(FILLED)
    assert apply(plan, database, open_gates=gates(plan)).state == "done"
    assert database.query("SELECT SUM(w) FROM items") == [(8,)]


@pytest.mark.parametrize(("type", "key"), [("enum('z', 'b', 'm')", ", PRIMARY KEY (k, n)"), ("integer", "")])
def test_rows_that_nothing_leads_to_are_told_of_before_anything_runs(place: Place, type: str, key: str) -> None:
    database = place.fresh(KEYED.format(type=type, key=key))
    with pytest.raises(RefusedError, match="cannot be filled in chunks"):
        database.plan(FILLED)
