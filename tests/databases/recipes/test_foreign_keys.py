"""Foreign keys: on rows that point at nothing, with other actions, to the table itself, across schemas, from partitioned tables, by type and id."""

from __future__ import annotations

from contextlib import closing

import pytest
from recipes.rig import Database, Place, PlainSession, Recipe, apply, show, take_back

from driftflow.errors import RefusedError

SOME = {
    "postgresql": "SELECT n FROM generate_series(1, 300) AS s(n)",
    "sqlite": "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 300) SELECT n FROM s",
}
KEYS = {"postgresql": "bigint PRIMARY KEY", "sqlite": "INTEGER PRIMARY KEY"}
TABLES = """
CREATE TABLE shops (id {key}, name varchar(50) NOT NULL);
CREATE TABLE posts (id {key}, shop_id bigint, title varchar(50), answers bigint);
CREATE TABLE notes (id {key}, post_id bigint NOT NULL REFERENCES posts (id) ON DELETE CASCADE, body varchar(50));
CREATE TABLE marks (id {key}, note_id bigint REFERENCES notes (id) ON DELETE SET NULL, body varchar(50));
CREATE INDEX posts_shop ON posts (shop_id);
INSERT INTO shops (id, name) SELECT n, 's' || n FROM ({some}) AS x WHERE n <= 40;
INSERT INTO posts (id, shop_id, title) SELECT n, CASE WHEN n % 11 > 0 THEN n % 50 + 1 END, 't' || n FROM ({some}) AS x;
UPDATE posts SET answers = id - 1 WHERE id % 4 = 0;
INSERT INTO notes (id, post_id, body) SELECT n, n, 'b' FROM ({some}) AS x WHERE n % 2 = 0;
INSERT INTO marks (id, note_id, body) SELECT n, n, 'm' FROM ({some}) AS x WHERE n % 4 = 0;
"""
SHOP = {vendor: TABLES.format(key=KEYS[vendor], some=SOME[vendor]) for vendor in KEYS}
"""A fifth of the posts names a shop (41 to 50) that there is not; half of them have a note, a quarter a mark on it."""
WRITES = (
    "UPDATE posts SET title = 'w{n}' WHERE id = {n} % 300 + 1 AND shop_id <= 40",
    "INSERT INTO posts (id, shop_id, title) VALUES (1000 + {n}, {n} % 40 + 1, 'new')",
    "INSERT INTO notes (id, post_id, body) VALUES (1000 + {n}, ({n} % 5) * 50 + 5, 'new')",
    "DELETE FROM posts WHERE id = 1000 + {n} - 6",
)
ADD = "ALTER TABLE posts ADD CONSTRAINT posts_shop_fk FOREIGN KEY (shop_id) REFERENCES shops (id) {more};"
ORPHAN = "shop_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM shops WHERE shops.id = posts.shop_id)"
BY_HAND = {
    "delete": f"DELETE FROM posts WHERE {ORPHAN};",
    "quarantine": f"DELETE FROM posts WHERE {ORPHAN};",
    "null": f"UPDATE posts SET shop_id = NULL WHERE {ORPHAN};",
    "create-parent": f"INSERT INTO shops (id, name) SELECT DISTINCT shop_id, 'unknown' FROM posts WHERE {ORPHAN};",
}


def add(place: Place, more: str = "") -> str:
    return ADD.format(more=more)


def outcome(database: Database) -> object:
    """SQLite has no ADD CONSTRAINT to compare a catalog with: rows, and what the database says of its foreign keys."""
    keys = {name: table.foreign_keys for name, table in database.catalog().tables.items() if "driftflow" not in name}
    return (keys if database.dialect.name != "sqlite" else None), database.rows()


def naive_of(place: Place, text: str) -> str:
    return text.replace(add(place), "") if place.vendor == "sqlite" else text


@pytest.mark.recipe("fk-orphans", "native")
@pytest.mark.on("postgresql", "sqlite")
@pytest.mark.parametrize("action", [*BY_HAND])
def test_orphans_are_looked_after_and_come_back(place: Place, action: str) -> None:
    more = " columns=name values=\"'unknown'\"" if action == "create-parent" else ""
    recipe = Recipe(
        schema=SHOP,
        migration=f"-- driftflow: orphans action={action}{more}\n{add(place)}",
        naive=naive_of(place, BY_HAND[action] + add(place)),
        old=WRITES,
        expected=outcome if place.vendor == "sqlite" else None,
    )
    shown = show(place, recipe)
    (key,) = shown.planned.catalog().tables["main.posts" if place.vendor == "sqlite" else "public.posts"].foreign_keys
    assert key.validated and key.referenced.name == "shops"
    refuses(shown.planned, "INSERT INTO posts (id, shop_id) VALUES (9001, 999)")


@pytest.mark.parametrize("said", ["", " columns=city values=\"'x'\""])
def test_a_parent_that_needs_more_than_its_key_is_refused_before_anything(place: Place, said: str) -> None:
    schema = """
        CREATE TABLE shops (id integer NOT NULL PRIMARY KEY, name varchar(20) NOT NULL, city varchar(20), open integer NOT NULL DEFAULT 1);
        CREATE TABLE posts (id integer NOT NULL PRIMARY KEY, shop_id integer);
        INSERT INTO posts VALUES (1, 7);
    """
    more = "ALTER TABLE posts ADD CONSTRAINT posts_shop_fk FOREIGN KEY (shop_id) REFERENCES shops (id);"
    database = place.fresh(schema)
    with pytest.raises(RefusedError, match="a row of shops cannot be made without name") as refused:
        database.plan(f"-- driftflow: orphans action=create-parent{said}\n{more}")
    assert refused.value.code == "DF-E658" and 'columns="name" values="..."' in refused.value.hint
    apply(database.plan(f"-- driftflow: orphans action=create-parent columns=Name values=\"'x'\"\n{more}"), database)
    assert database.query("SELECT id, name FROM shops") == [(7, "x")]


@pytest.mark.on("postgresql-18", "sqlite")
def test_without_the_directive_the_guard_counts_and_names_it(place: Place) -> None:
    database = place.fresh(SHOP)
    with pytest.raises(RefusedError, match="rows of posts point at no row of shops") as refused:
        apply(database.plan(add(place)), database)
    assert "rows with the keys 40, 41, 42" in refused.value.why
    assert "driftflow: orphans action=quarantine" in refused.value.hint


@pytest.mark.on("postgresql-18", "sqlite")
def test_rows_that_hold_on_to_orphans_stop_it_before(place: Place) -> None:
    database = place.fresh(SHOP)
    database.run(
        "CREATE TABLE pins (id integer PRIMARY KEY, post_id bigint REFERENCES posts (id)); INSERT INTO pins VALUES (1, 40)"
    )
    before = database.rows()
    with pytest.raises(RefusedError, match="1 rows of pins point at rows of posts that would go, and hold on to them"):
        apply(database.plan(f"-- driftflow: orphans action=delete\n{add(place)}"), database)
    assert database.rows() == before


def refuses(database: Database, sql: str) -> None:
    with (
        closing(PlainSession(database.url)) as session,
        pytest.raises(Exception, match=r"(?i)foreign key|violates|check|not exist"),
    ):
        session.run((sql,))


@pytest.mark.recipe("fk-self", "native")
@pytest.mark.on("postgresql", "sqlite")
def test_a_table_that_references_itself(place: Place) -> None:
    statement = (
        "ALTER TABLE posts ADD CONSTRAINT posts_answers_fk FOREIGN KEY (answers) REFERENCES posts (id) ON DELETE SET NULL;"
    )
    recipe = Recipe(
        schema=SHOP,
        migration=statement,
        naive="" if place.vendor != "sqlite" else "SELECT 1;",
        old=WRITES,
        expected=outcome if place.vendor == "sqlite" else None,
    )
    shown = show(place, recipe)
    refuses(shown.planned, "INSERT INTO posts (id, answers) VALUES (9001, 999)")
    shown.planned.run("DELETE FROM posts WHERE id = 3")
    assert shown.planned.query("SELECT answers FROM posts WHERE id = 4") == [(None,)]


@pytest.mark.recipe("fk-self", "native")
@pytest.mark.on("postgresql-18", "sqlite")
def test_orphans_of_a_table_that_references_itself(place: Place) -> None:
    database = place.fresh(SHOP)
    database.run("UPDATE posts SET answers = 7000 WHERE id = 9")
    before = database.structure(), database.rows()
    statement = "ALTER TABLE posts ADD CONSTRAINT posts_answers_fk FOREIGN KEY (answers) REFERENCES posts (id);"
    report = apply(database.plan(f"-- driftflow: orphans action=null\n{statement}"), database)
    assert database.query("SELECT answers FROM posts WHERE id IN (8, 9) ORDER BY id") == [(7,), (None,)]
    assert take_back(report.run, database).state == "rolled_back"
    assert (database.structure(), database.rows()) == before


@pytest.mark.recipe("fk-actions", "native")
@pytest.mark.on("postgresql")
@pytest.mark.parametrize("name", ["posts_shop_fk", "posts_shop_cascades"])
def test_another_action_in_the_place_of_the_old_one(place: Place, name: str) -> None:
    good = {"postgresql": SHOP["postgresql"] + f"DELETE FROM posts WHERE {ORPHAN};" + add(place)}
    new = f"ALTER TABLE posts ADD CONSTRAINT {name} FOREIGN KEY (shop_id) REFERENCES shops (id) ON DELETE CASCADE;"
    shown = show(place, Recipe(schema=good, migration=f"ALTER TABLE posts DROP CONSTRAINT posts_shop_fk;{new}", old=WRITES))
    assert any("NOT VALID" in sql for step in shown.plan.steps for sql in getattr(step, "statements", ()))
    refuses(shown.planned, "INSERT INTO posts (id, shop_id) VALUES (9001, 999)")
    shown.planned.run("DELETE FROM shops WHERE id = 7")
    assert shown.planned.query("SELECT count(*) FROM posts WHERE shop_id = 7") == [(0,)]


@pytest.mark.recipe("fk-actions", "emulated", why="the table is rebuilt once, with the new key in the place of the old one")
@pytest.mark.on("sqlite")
def test_another_action_by_one_rebuild(place: Place) -> None:
    keyed = "CONSTRAINT posts_shop_fk REFERENCES shops (id), title"
    good = {
        "sqlite": SHOP["sqlite"].replace("shop_id bigint, title", f"shop_id bigint {keyed}").replace("n % 50 + 1", "n % 40 + 1")
    }
    new = "ALTER TABLE posts ADD CONSTRAINT posts_shop_fk FOREIGN KEY (shop_id) REFERENCES shops (id) ON DELETE CASCADE;"
    recipe = Recipe(
        schema=good,
        migration=f"ALTER TABLE posts DROP CONSTRAINT posts_shop_fk;{new}",
        naive="SELECT 1;",
        old=WRITES,
        expected=outcome,
    )
    shown = show(place, recipe)
    assert [type(step).__name__ for step in shown.plan.steps] == ["RebuildTable"]
    with closing(PlainSession(shown.planned.url)) as session:
        session.run(("DELETE FROM shops WHERE id = 7",))
    assert shown.planned.query("SELECT count(*) FROM posts WHERE shop_id = 7") == [(0,)]


@pytest.mark.recipe("fk-cross", "native")
@pytest.mark.on("postgresql")
def test_across_schemas(place: Place) -> None:
    schema = {"postgresql": SHOP["postgresql"] + "CREATE SCHEMA other; ALTER TABLE shops SET SCHEMA other;"}
    statement = add(place).replace("REFERENCES shops", "REFERENCES other.shops")
    by_hand = BY_HAND["null"].replace("FROM shops WHERE shops.id", "FROM other.shops WHERE other.shops.id")
    recipe = Recipe(
        schema=schema, migration=f"-- driftflow: orphans action=null\n{statement}", naive=by_hand + statement, old=WRITES
    )
    show(place, recipe)


LOG = """
CREATE TABLE kinds (id bigint PRIMARY KEY); INSERT INTO kinds SELECT generate_series(1, 9);
CREATE TABLE log (id bigint, kind bigint, at date, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE log_30 PARTITION OF log FOR VALUES FROM ('2030-01-01') TO ('2031-01-01');
CREATE TABLE log_31 PARTITION OF log FOR VALUES FROM ('2031-01-01') TO ('2032-01-01');
INSERT INTO log SELECT n, n % 9 + 1, DATE '2030-01-01' + n FROM generate_series(1, 500) AS n;
"""


@pytest.mark.recipe("fk-partitioned", "native")
@pytest.mark.on("postgresql")
def test_from_a_partitioned_table(place: Place) -> None:
    statement = "ALTER TABLE log ADD CONSTRAINT log_kind FOREIGN KEY (kind) REFERENCES kinds (id);"
    writes = (
        "INSERT INTO log VALUES (1000 + {n}, {n} % 9 + 1, DATE '2030-01-01' + {n} % 700)",
        "UPDATE log SET kind = 2 WHERE id = {n} % 500 + 1",
    )
    shown = show(place, Recipe(schema=LOG, migration=statement, old=writes))
    refuses(shown.planned, "INSERT INTO log VALUES (9001, 77, DATE '2030-05-05')")


PAIRS = """
CREATE TABLE shelves (hall integer NOT NULL, nr integer NOT NULL, PRIMARY KEY (hall, nr));
CREATE TABLE books (id bigint PRIMARY KEY, hall integer, nr integer);
INSERT INTO shelves VALUES (1, 1), (1, 2);
INSERT INTO books VALUES (1, 1, 1), (2, NULL, NULL), (3, 1, NULL), (4, NULL, 2), (5, 7, 7);
"""
FULL = "ALTER TABLE books ADD CONSTRAINT books_place FOREIGN KEY (hall, nr) REFERENCES shelves (hall, nr) MATCH FULL;"


@pytest.mark.on("postgresql")
def test_a_key_that_is_null_in_part_points_at_nothing_with_match_full(place: Place) -> None:
    """The rows were not counted, and VALIDATE stopped the run behind the step that bound new ones."""
    naive, database, made = (place.fresh(PAIRS) for _ in range(3))
    before = database.structure(), database.rows()
    with pytest.raises(RefusedError, match="3 rows of books point at no row of shelves") as refused:
        apply(naive.plan(FULL), naive)
    assert "rows with the keys 3, 4, 5" in refused.value.why
    report = apply(database.plan(f"-- driftflow: orphans action=null\n{FULL}"), database)
    assert database.query("SELECT id, hall, nr FROM books ORDER BY id") == [(1, 1, 1), *((n, None, None) for n in (2, 3, 4, 5))]
    take_back(report.run, database)
    assert (database.structure(), database.rows()) == before
    with pytest.raises(RefusedError, match="2 rows of books point at no row of shelves"):
        apply(made.plan(f"-- driftflow: orphans action=create-parent\n{FULL}"), made)


TWO = """
CREATE TABLE one (id integer PRIMARY KEY);
CREATE TABLE two (id integer PRIMARY KEY);
CREATE TABLE rows_of (id integer PRIMARY KEY, a integer, b integer, CONSTRAINT k FOREIGN KEY (a) REFERENCES one (id), CONSTRAINT j FOREIGN KEY (a) REFERENCES two (id),
    CONSTRAINT k_new FOREIGN KEY (b) REFERENCES one (id));
INSERT INTO one VALUES (1); INSERT INTO two VALUES (1); INSERT INTO rows_of VALUES (1, 1, 1);
"""
DROPS = "ALTER TABLE rows_of DROP CONSTRAINT {};"
ADDS = "ALTER TABLE rows_of ADD CONSTRAINT {} FOREIGN KEY (a) REFERENCES {} (id) ON DELETE CASCADE;"
K, J, L = ADDS.format("k", "one"), ADDS.format("j", "two"), ADDS.format("l", "two")


@pytest.mark.recipe("fk-actions", "native")
@pytest.mark.on("postgresql", "mysql", "mariadb")
@pytest.mark.parametrize(
    "change",
    [
        DROPS.format("k") + K + L,
        DROPS.format("k") + L + K,
        DROPS.format("k") + DROPS.format("j") + K + J,
        DROPS.format("k") + DROPS.format("j") + J + K,
    ],
    ids=["and-another", "another-first", "two-in-turn", "two-crosswise"],
)
def test_one_key_takes_the_place_of_one(place: Place, change: str) -> None:
    """A second key over the columns of one that was dropped took its place too, and so the first one away again, without a word."""
    naive, planned, start = (place.fresh(TWO) for _ in range(3))
    naive.run(change)
    report = apply(planned.plan(change), planned)
    assert keys_and_indexes(planned) == keys_and_indexes(naive)
    assert take_back(report.run, planned).state == "rolled_back"
    assert keys_and_indexes(planned) == keys_and_indexes(start)


def keys_and_indexes(database: Database) -> object:
    """Without the name of the index that MySQL and MariaDB make for a key: where two keys share one, it has that of either."""
    (table,) = (one for one in database.catalog().tables.values() if one.name.name == "rows_of")
    return {one.name: (one.columns, one.referenced.name, one.on_delete) for one in table.foreign_keys}, [
        one.columns for one in table.indexes
    ]
