"""Many rows that share one key (a text that is empty everywhere): each chunk reads its own rows and what belongs to them, and not the whole group or table again."""

from __future__ import annotations

from contextlib import closing

import pytest
from recipes.rig import Place, PlainSession, apply

from driftflow.model.plan import Backfill

TABLES = """
CREATE TABLE users (id varchar(20) NOT NULL PRIMARY KEY, email varchar(100), seen integer);
CREATE TABLE orders (id integer NOT NULL PRIMARY KEY, user_id varchar(20) REFERENCES users (id));
CREATE INDEX orders_user ON orders (user_id);
"""
ROWS = {
    "sqlite": "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 1500) SELECT n FROM s",
    "postgresql": "SELECT n FROM generate_series(1, 1500) AS s(n)",
}
FILLED = (
    "INSERT INTO users SELECT 'u' || n, '', n % 7 FROM ({rows}) AS x; INSERT INTO orders SELECT n, 'u' || n FROM ({rows}) AS x;"
)


@pytest.mark.on("sqlite", "postgresql-18")
@pytest.mark.parametrize("said", ["keep=first", "keep=last", "keep=last by=seen"])
def test_all_rows_share_one_key(place: Place, said: str) -> None:
    database = place.fresh(TABLES + FILLED.format(rows=ROWS[place.vendor]))
    plan = database.plan(f"-- driftflow: duplicates {said}\nCREATE UNIQUE INDEX users_email ON users (email);")
    apply(plan, database)
    assert database.query("SELECT count(*) FROM users") == [(1,)]
    assert database.query("SELECT count(DISTINCT user_id), count(*) FROM orders") == [(1, 1500)]


@pytest.mark.on("sqlite")
@pytest.mark.parametrize("said", ["keep=first", "keep=last", "keep=last by=seen"])
def test_no_chunk_sorts_the_group_or_reads_the_child_whole(place: Place, said: str) -> None:
    database = place.fresh(TABLES)
    plan = database.plan(f"-- driftflow: duplicates {said}\nCREATE UNIQUE INDEX users_email ON users (email);")
    removal = next(step for step in plan.steps if isinstance(step, Backfill))
    made = [
        text
        for step in plan.steps
        for text in getattr(step, "statements", ())
        if text.startswith(("CREATE TABLE _", "CREATE INDEX"))
    ]
    with closing(PlainSession(database.url)) as session:
        session.run(tuple(made))
    for text in removal.before:
        ways = [str(row[3]) for row in database.query(f"EXPLAIN QUERY PLAN {text.replace('{rows}', 'id > 1 AND id <= 2')}")]
        assert not [way for way in ways if "TEMP B-TREE" in way or way.startswith(("SCAN c", "SCAN orders"))], (text, ways)
