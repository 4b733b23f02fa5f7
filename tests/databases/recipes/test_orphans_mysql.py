"""Rows that point at nothing on MySQL and MariaDB: looked after while the key binds whatever is written, and back again."""

from __future__ import annotations

from contextlib import closing

import pytest
from recipes.rig import Place, PlainSession, Recipe, apply, show

from driftflow.errors import RefusedError

pytestmark = pytest.mark.on("mysql", "mariadb")

NUMBERS = "(WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 300) SELECT n FROM s) AS x"
CHANGED = "changed timestamp NOT NULL DEFAULT '2001-01-01 00:00:00' ON UPDATE CURRENT_TIMESTAMP"
SHOP = f"""
CREATE TABLE shops (id bigint PRIMARY KEY, name varchar(50) NOT NULL);
CREATE TABLE posts (id bigint PRIMARY KEY, shop_id bigint, title varchar(50), {CHANGED});
CREATE TABLE notes (id bigint PRIMARY KEY, post_id bigint NOT NULL, body varchar(50), FOREIGN KEY (post_id) REFERENCES posts (id) ON DELETE CASCADE);
CREATE TABLE marks (id bigint PRIMARY KEY, note_id bigint, body varchar(50), {CHANGED},
    FOREIGN KEY (note_id) REFERENCES notes (id) ON DELETE SET NULL);
INSERT INTO shops (id, name) SELECT n, concat('s', n) FROM {NUMBERS} WHERE n <= 40;
INSERT INTO posts (id, shop_id, title) SELECT n, CASE WHEN n % 11 > 0 THEN n % 50 + 1 END, concat('t', n) FROM {NUMBERS};
INSERT INTO notes (id, post_id, body) SELECT n, n, 'b' FROM {NUMBERS} WHERE n % 2 = 0;
INSERT INTO marks (id, note_id, body) SELECT n, n, 'm' FROM {NUMBERS} WHERE n % 4 = 0;
"""
"""A fifth of the posts names a shop (41 to 50) that there is not; half of them have a note, a quarter a mark on it."""
WRITES = (
    "UPDATE posts SET title = 'w{n}', changed = changed WHERE id = {n} % 300 + 1 AND shop_id <= 40",
    "INSERT INTO posts (id, shop_id, title) VALUES (1000 + {n}, {n} % 40 + 1, 'new')",
    "INSERT INTO notes (id, post_id, body) VALUES (1000 + {n}, ({n} % 5) * 50 + 5, 'new')",
    "DELETE FROM posts WHERE id = 1000 + {n} - 6",
    (
        "UPDATE shops SET name = 'w{n}' WHERE id = {n} % 40 + 1",
        "UPDATE posts SET title = 'v{n}', changed = changed WHERE id = {n} % 40 + 1",
    ),
)
ADD = "ALTER TABLE posts ADD CONSTRAINT posts_shop_fk FOREIGN KEY (shop_id) REFERENCES shops (id);"
ORPHAN = "shop_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM shops WHERE shops.id = posts.shop_id)"
BY_HAND = {
    "delete": f"DELETE FROM posts WHERE {ORPHAN};",
    "quarantine": f"DELETE FROM posts WHERE {ORPHAN};",
    "null": f"UPDATE posts SET shop_id = NULL, changed = changed WHERE {ORPHAN};",
    "create-parent": f"INSERT INTO shops (id, name) SELECT DISTINCT shop_id, 'unknown' FROM posts WHERE {ORPHAN};",
}
WHY = "the key binds new rows first (foreign_key_checks=0 while it is added), then the old orphans are looked after in chunks"


@pytest.mark.recipe("fk-orphans", "native", on=("mysql", "mariadb"), why=WHY)
@pytest.mark.parametrize("action", [*BY_HAND])
def test_orphans_are_looked_after_and_come_back(place: Place, action: str) -> None:
    more = " columns=name values=\"'unknown'\"" if action == "create-parent" else ""
    migration = f"-- driftflow: orphans action={action}{more}\n{ADD}"
    shown = show(place, Recipe(schema=SHOP, migration=migration, naive=BY_HAND[action] + ADD, old=WRITES))
    with closing(PlainSession(shown.planned.url)) as session, pytest.raises(Exception, match="foreign key"):
        session.run(("INSERT INTO posts (id, shop_id) VALUES (9001, 999)",))


def test_rows_that_hold_on_to_orphans_stop_it_before(place: Place) -> None:
    database = place.fresh(
        SHOP + "CREATE TABLE pins (id integer PRIMARY KEY, post_id bigint, FOREIGN KEY (post_id) REFERENCES posts (id));"
        "INSERT INTO pins VALUES (1, 40);"
    )
    before = database.rows()
    with pytest.raises(RefusedError, match="1 rows of pins point at rows of posts that would go, and hold on to them"):
        apply(database.plan(f"-- driftflow: orphans action=delete\n{ADD}"), database)
    assert database.rows() == before


TREE = f"""
CREATE TABLE nodes (id bigint PRIMARY KEY, parent_id bigint, name varchar(20), {CHANGED});
INSERT INTO nodes (id, parent_id, name) SELECT n, CASE WHEN n % 7 = 0 THEN 9000 + n % 3 WHEN n > 1 THEN 2 END, 'n' FROM {NUMBERS};
"""
"""Every seventh row points at one of three that there are not, and no row at one of those."""
TREE_WRITES = (
    "UPDATE nodes SET name = 'w{n}', changed = changed WHERE id = {n} % 300 + 1",
    "INSERT INTO nodes (id, parent_id, name) VALUES (1000 + {n}, {n} % 6 + 1, 'new')",
    "DELETE FROM nodes WHERE id = 1000 + {n} - 6",
)
PARENT = "ALTER TABLE nodes ADD CONSTRAINT nodes_parent FOREIGN KEY (parent_id) REFERENCES nodes (id);"
TREE_BY_HAND = {
    "delete": "DELETE FROM nodes WHERE parent_id >= 9000;",
    "quarantine": "DELETE FROM nodes WHERE parent_id >= 9000;",
    "null": "UPDATE nodes SET parent_id = NULL, changed = changed WHERE parent_id >= 9000;",
    "create-parent": "INSERT INTO nodes (id, name) VALUES (9000, 'unknown'), (9001, 'unknown'), (9002, 'unknown');",
}


@pytest.mark.recipe("fk-self", "native")
@pytest.mark.parametrize("action", [*TREE_BY_HAND])
def test_orphans_of_a_table_that_references_itself(place: Place, action: str) -> None:
    """MySQL changes no table that the statement also reads by a subquery (error 1093)."""
    more = " columns=name values=\"'unknown'\"" if action == "create-parent" else ""
    migration = f"-- driftflow: orphans action={action}{more}\n{PARENT}"
    without = ("changed",) if action == "create-parent" else ()
    shown = show(
        place, Recipe(schema=TREE, migration=migration, naive=TREE_BY_HAND[action] + PARENT, old=TREE_WRITES, without=without)
    )
    with closing(PlainSession(shown.planned.url)) as session, pytest.raises(Exception, match="foreign key"):
        session.run(("INSERT INTO nodes (id, parent_id) VALUES (9901, 9900)",))
