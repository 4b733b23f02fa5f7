"""What a plan says of a column of a large table whose type changes while everybody waits (PostgreSQL)."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))
import planning
from driftflow.config import Policy
from driftflow.model.names import Version

EXCLUDED = "CREATE TABLE stays (id int PRIMARY KEY, room int, during tsrange, CONSTRAINT alone EXCLUDE USING gist (room WITH =, during WITH &&));"
INHERITED = "CREATE TABLE stays (id int PRIMARY KEY, room int); CREATE TABLE old_stays () INHERITS (stays);"
DEFERRED = "CREATE TABLE stays (id int PRIMARY KEY DEFERRABLE, room int);"
KEYLESS = "CREATE TABLE stays (id int, room int);"
PLAIN = "CREATE TABLE stays (id int PRIMARY KEY, room int);"
CHANGE = "ALTER TABLE stays ALTER COLUMN room TYPE bigint"


def notes(schema: str, change: str = CHANGE, *, rows: int = 10_000_000) -> list[str]:
    dialect = planning.named("postgresql")
    catalog = planning.catalog_of(schema, dialect, version=Version.parse("16.0"), rows={"stays": rows})
    plan = planning.plan_of(change, dialect, catalog=catalog, policy=Policy())
    return [note for note in plan.notes if "cannot be done beside the column" in note]


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        (EXCLUDED, "the exclusion constraint alone holds it"),
        (INHERITED, "other tables inherit from it"),
        (DEFERRED, "stays_pkey is deferrable"),
        (KEYLESS, "no key that its rows can be walked by"),
    ],
)
def test_what_stands_in_the_way_is_said(schema: str, why: str) -> None:
    (note,) = notes(schema)
    assert "readers and writers wait until it is done" in note and why in note


def test_nothing_is_said_where_nobody_waits_or_somebody_wants_it_so() -> None:
    assert notes(PLAIN) == []
    assert notes(EXCLUDED, rows=10) == []
    assert notes(EXCLUDED, f"-- driftflow: as-is reason=night\n{CHANGE}") == []
    assert notes(EXCLUDED, "ALTER TABLE stays ALTER COLUMN room SET DEFAULT 1") == []
