"""A table that a release makes and takes away again is there no more: the way back asks for it all the same, and ends where it began."""

from __future__ import annotations

import pytest
from recipes.rig import Place, there_and_back

SCHEMA = "CREATE TABLE items (id integer PRIMARY KEY, n integer); INSERT INTO items VALUES (1, 2), (2, 3);"
SCRATCH = "CREATE TABLE scratch (id integer PRIMARY KEY, n integer); CREATE INDEX scratch_n ON scratch (n);"
ADD = "ALTER TABLE items ADD COLUMN m integer;"


@pytest.mark.parametrize(
    "change",
    [
        f"{SCRATCH} INSERT INTO scratch SELECT id, n FROM items; {ADD} DROP TABLE scratch;",
        f"CREATE TABLE scratch AS SELECT id FROM items; {ADD} DROP TABLE scratch;",
        f"{SCRATCH} ALTER TABLE scratch RENAME TO other; {ADD} DROP TABLE IF EXISTS other;",
        f"{SCRATCH} DROP TABLE scratch; CREATE TABLE scratch (id integer, m integer); {ADD}",
        f"CREATE TEMPORARY TABLE scratch (id integer); INSERT INTO scratch SELECT id FROM items; {ADD} DROP TABLE scratch;",
        f"CREATE TEMPORARY TABLE scratch AS SELECT id FROM items; {ADD}",
    ],
)
def test_a_release_with_a_table_of_its_own_is_taken_back(place: Place, change: str) -> None:
    database, start = place.fresh(SCHEMA), place.fresh(SCHEMA)
    there_and_back(database, change)
    assert database.seen() == start.seen()
