"""SQLite: what an archive gives back, it finds by a key that lasts. A rowid that no column holds is another one after VACUUM, and a primary key may be NULL."""

from __future__ import annotations

import pytest
from recipes.rig import Place, apply, gates, take_back

from driftflow.errors import RefusedError

SCHEMAS = {
    "of several columns": "CREATE TABLE posts (nr int, land char(2), name varchar(80), spare text DEFAULT 'no', PRIMARY KEY (land, nr));",
    "of text": "CREATE TABLE posts (nr text PRIMARY KEY, land char(2), name varchar(80), spare text DEFAULT 'no');",
}
ROWS = """
INSERT INTO posts (nr, land, name) WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 400) SELECT n, 'DE', 'name' || n FROM s;
UPDATE posts SET spare = 'was ' || nr WHERE nr % 3 = 0;
DELETE FROM posts WHERE nr % 10 = 7;
"""
CHANGES = {
    "cut": "-- driftflow: too-long policy=archive\nALTER TABLE posts ALTER COLUMN name TYPE varchar(3);",
    "dropped": "-- driftflow: archive\nALTER TABLE posts DROP COLUMN spare;",
}


@pytest.mark.on("sqlite")
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=SCHEMAS)
def test_what_was_archived_comes_back_after_vacuum(place: Place, schema: str, change: str) -> None:
    database = place.fresh(schema + ROWS)
    before = database.rows()
    plan = database.plan(change)
    run = apply(plan, database, open_gates=gates(plan)).run
    assert database.rows() != before
    database.run("VACUUM;")
    assert take_back(run, database, open_gates=gates(plan)).state == "rolled_back"
    assert database.rows() == before


@pytest.mark.on("sqlite")
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_row_without_a_key_stops_it_before_anything(place: Place, change: str) -> None:
    database = place.fresh(SCHEMAS["of text"] + ROWS + "INSERT INTO posts (nr, name) VALUES (NULL, 'nameless');")
    before = database.seen()
    plan = database.plan(change)
    with pytest.raises(RefusedError, match=r"1 rows of posts hold NULL in the primary key \(nr\)"):
        apply(plan, database, open_gates=gates(plan))
    assert database.seen() == before


@pytest.mark.on("sqlite")
def test_without_any_key_whole_texts_are_not_archived(place: Place) -> None:
    database = place.fresh("CREATE TABLE posts (name varchar(80)); INSERT INTO posts VALUES ('long enough');")
    with pytest.raises(RefusedError, match="no key") as refused:
        database.plan(CHANGES["cut"])
    assert refused.value.code == "DF-E650"


@pytest.mark.on("sqlite")
def test_a_column_in_use_refuses_before_the_view_over_it_goes(place: Place) -> None:
    database = place.fresh(SCHEMAS["of text"] + ROWS + "CREATE VIEW spares AS SELECT spare FROM posts;")
    before = database.seen()
    plan = database.plan("-- driftflow: cascade\n-- driftflow: if-unused since=2026-10-01\nALTER TABLE posts DROP COLUMN spare;")
    with pytest.raises(RefusedError, match="hold something else than its default"):
        apply(plan, database, open_gates=gates(plan))
    assert database.seen() == before
