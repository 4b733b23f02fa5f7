"""ALTER PUBLICATION is taken back: tables with their column lists and row filters, schemas, options (PostgreSQL)."""

from __future__ import annotations

import pytest
from recipes.rig import Place, accepted, apply, gates, there_and_back

pytestmark = pytest.mark.on("postgresql")
SCHEMA = """
CREATE SCHEMA app;
CREATE TABLE a (id integer PRIMARY KEY, v integer, "Odd, one" text);
CREATE TABLE b (id integer PRIMARY KEY);
CREATE TABLE c (id integer PRIMARY KEY);
CREATE TABLE app.d (id integer PRIMARY KEY);
CREATE TABLE parts (id integer PRIMARY KEY) PARTITION BY RANGE (id);
CREATE TABLE part PARTITION OF parts FOR VALUES FROM (1) TO (9);
CREATE PUBLICATION "Some of it" FOR TABLE a ("Odd, one", id) WHERE (id > 3 AND id < 9), TABLE b WITH (publish = 'insert, update');
CREATE PUBLICATION nothing;
CREATE PUBLICATION by_schema FOR TABLE b, TABLES IN SCHEMA app WITH (publish_via_partition_root = true);
INSERT INTO a VALUES (1, 2, 'x');
"""


@pytest.mark.parametrize(
    "change",
    [
        'ALTER PUBLICATION "Some of it" ADD TABLE c, app.d WHERE (id > 1);',
        'ALTER PUBLICATION "Some of it" DROP TABLE a;',
        'ALTER PUBLICATION "Some of it" DROP TABLE a, b;',
        'ALTER PUBLICATION "Some of it" SET TABLE a (id), c;',
        'ALTER PUBLICATION "Some of it" SET TABLES IN SCHEMA app;',
        "ALTER PUBLICATION nothing ADD TABLE a (id, v), TABLE parts;",
        "ALTER PUBLICATION nothing SET TABLE parts, TABLES IN SCHEMA app;",
        "ALTER PUBLICATION nothing SET TABLE a; ALTER PUBLICATION nothing ADD TABLE b; ALTER PUBLICATION nothing DROP TABLE a;",
        "ALTER PUBLICATION by_schema DROP TABLE b, TABLES IN SCHEMA app;",
        "SET search_path = app; ALTER PUBLICATION by_schema DROP TABLES IN SCHEMA CURRENT_SCHEMA; RESET search_path;",
        "ALTER PUBLICATION by_schema SET TABLE a;",
        "ALTER PUBLICATION by_schema SET (publish = 'delete');",
        'ALTER PUBLICATION "Some of it" SET (publish_via_partition_root);',
        'ALTER PUBLICATION "Some of it" RENAME TO other; ALTER PUBLICATION other DROP TABLE a;',
        'ALTER PUBLICATION "Some of it" DROP TABLE a; ALTER TABLE a RENAME COLUMN "Odd, one" TO plain;',
        "CREATE TABLE made (id integer PRIMARY KEY); ALTER PUBLICATION nothing ADD TABLE made;",
        "ALTER TABLE b RENAME TO bb; ALTER PUBLICATION by_schema DROP TABLE bb;",
    ],
)
def test_there_and_back(place: Place, change: str) -> None:
    planned, naive = place.fresh(SCHEMA), place.fresh(SCHEMA)
    naive.run(change)
    plan = planned.plan(change)
    assert apply(plan, planned, open_gates=gates(plan)).state == "done"
    found, expected = planned.seen(), naive.seen()
    assert (found.structure, found.details) == (expected.structure, expected.details)
    database = place.fresh(SCHEMA)
    before = database.seen()
    assert expected.details != before.details
    assert accepted(there_and_back(database, change)) == ()
    after = database.seen()
    assert (after.structure, after.details) == (before.structure, before.details)
