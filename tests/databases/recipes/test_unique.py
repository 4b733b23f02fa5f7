"""Unique constraints: on rows that are not unique yet, among some rows, by expression, and one in the place of another."""

from __future__ import annotations

from contextlib import closing

import pytest
from recipes.rig import Database, Place, PlainSession, Recipe, accepted, apply, edge, show, take_back

from driftflow.engine.run import RunOptions, resume, run_plan
from driftflow.errors import RefusedError
from driftflow.model.event import AnyEvent, Counted
from driftflow.model.plan import Backfill
from driftflow.model.record import replace

SOME = {
    "postgresql": "SELECT n FROM generate_series(1, 300) AS s(n)",
    "sqlite": "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 300) SELECT n FROM s",
}
TABLES = """
CREATE TABLE users (id {key}, email varchar(100), name varchar(100), seen integer, points integer, invited_by bigint REFERENCES users (id));
CREATE TABLE orders (id {key}, user_id bigint NOT NULL REFERENCES users (id) ON DELETE CASCADE, cents integer);
CREATE INDEX orders_user ON orders (user_id);
INSERT INTO users (id, email, name, seen, points)
    SELECT n, CASE WHEN n % 29 = 0 THEN NULL WHEN n % 5 < 2 THEN 'twice' || (n / 5) ELSE 'once' || n END, 'n' || n, (n * 7) % 13, n FROM ({some}) AS x;
UPDATE users SET invited_by = id - 1 WHERE id % 10 = 7;
INSERT INTO orders (id, user_id, cents) SELECT n, n, n * 10 FROM ({some}) AS x;
"""
KEYS = {"postgresql": "bigint PRIMARY KEY", "sqlite": "INTEGER PRIMARY KEY"}
SHOP = {vendor: TABLES.format(key=KEYS[vendor], some=SOME[vendor]) for vendor in KEYS}
"""Pairs (5k, 5k + 1) with the same email, each with an order; some were invited by one that goes."""
PAIRS = [first for first in range(5, 300, 5) if first % 29 and (first + 1) % 29]
WRITES = (
    "UPDATE users SET points = points + 1 WHERE id = {n} % 60 * 5 + 3",
    "INSERT INTO users (id, email, name, seen, points) VALUES (1000 + {n}, 'new{n}', 'n', 1, 1)",
    "INSERT INTO orders (id, user_id, cents) VALUES (1000 + {n}, {n} % 60 * 5 + 2, 5)",
    (
        "UPDATE orders SET cents = cents + 1 WHERE id = {n} % 300 + 1",
        "UPDATE users SET name = 'w{n}' WHERE id = {n} % 60 * 5 + 4",
    ),
)
ADD = "ALTER TABLE users ADD CONSTRAINT users_email_key UNIQUE (email);"
BETTER = {
    "first": "k.id < users.id",
    "last": "(k.seen > users.seen OR k.seen = users.seen AND k.id > users.id)",
}


def by_hand(keep: str, merge: str = "") -> str:
    """What a careful person would have typed, with the application stopped."""
    keeper = f"SELECT k.id FROM users AS k JOIN users AS g ON g.email = k.email WHERE {{x}} = g.id AND NOT EXISTS (SELECT 1 FROM users WHERE users.id <> k.id AND users.email = k.email AND {BETTER[keep].replace('k.', 'y.').replace('users.', 'k.').replace('y.', 'users.')})"
    merged = (
        f"UPDATE users SET {merge} = (SELECT max(o.{merge}) FROM users AS o WHERE o.email = users.email) "
        "WHERE (SELECT count(*) FROM users AS o WHERE o.email = users.email) > 1;"
        if merge
        else ""
    )
    return (
        f"UPDATE orders SET user_id = coalesce(({keeper.format(x='orders.user_id')}), user_id);"
        f"UPDATE users SET invited_by = coalesce(({keeper.format(x='users.invited_by')}), invited_by);{merged}"
        f"DELETE FROM users WHERE EXISTS (SELECT 1 FROM users AS k WHERE k.email = users.email AND k.id <> users.id AND {BETTER[keep]});{ADD}"
    )


def naive_of(place: Place, text: str) -> str:
    """SQLite has no ADD CONSTRAINT: there the comparison is with the index that stands for it."""
    return text.replace(ADD, INDEX) if place.vendor == "sqlite" else text


INDEX = "CREATE UNIQUE INDEX users_email_key ON users (email);"


@pytest.mark.recipe("unique-conflicts", "native")
@pytest.mark.on("postgresql", "sqlite")
@pytest.mark.parametrize(
    ("said", "keep", "merge"),
    [
        ("keep=first", "first", ""),
        ("keep=last by=seen", "last", ""),
        ('keep=first merge="points=max(points)"', "first", "points"),
    ],
)
def test_duplicates_go_and_come_back(place: Place, said: str, keep: str, merge: str) -> None:
    statement = naive_of(place, ADD)
    recipe = Recipe(
        schema=SHOP,
        migration=f"-- driftflow: duplicates {said}\n{statement}",
        naive=naive_of(place, by_hand(keep, merge)),
        old=WRITES,
    )
    show(place, recipe)


TAGS = {
    vendor: (
        f"CREATE TABLE tags (id {KEYS[vendor]}, name varchar(50), note varchar(50));"
        f"INSERT INTO tags SELECT n, CASE WHEN n % 10 < 3 THEN 'T' || (n / 10) ELSE 'o' || n END, 'x' FROM ({SOME[vendor]}) AS x;"
    )
    for vendor in KEYS
} | {
    "mysql": (
        "CREATE TABLE tags (id bigint PRIMARY KEY, name varchar(50), note varchar(50));"
        "INSERT INTO tags WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 300)"
        " SELECT n, CASE WHEN n % 10 < 3 THEN concat('T', n DIV 10) ELSE concat('o', n) END, 'x' FROM s;"
    )
}
SHARED = "DELETE FROM tags WHERE (SELECT count(*) FROM tags AS o WHERE o.name = tags.name) > 1;"
GONE = {
    "postgresql": SHARED,
    "sqlite": SHARED,
    "mysql": "DELETE t FROM tags AS t JOIN (SELECT name FROM tags GROUP BY name HAVING count(*) > 1) AS g ON g.name = t.name;",
}


@pytest.mark.recipe("unique-conflicts", "native", on=("postgresql", "sqlite"))
@pytest.mark.recipe(
    "unique-conflicts", "emulated", on=("mysql", "mariadb"), why="as above; in quarantine all rows that share a key go"
)
def test_in_quarantine_no_row_of_several_stays(place: Place) -> None:
    index = "CREATE UNIQUE INDEX tags_name ON tags (name);"
    recipe = Recipe(
        schema=TAGS,
        migration=f"-- driftflow: duplicates quarantine\n{index}",
        naive={vendor: gone + index for vendor, gone in GONE.items()},
        old=(
            "UPDATE tags SET note = 'w{n}' WHERE id = {n} % 300 + 1 AND id % 10 > 2",
            "INSERT INTO tags VALUES (1000 + {n}, 'new{n}', '')",
        ),
    )
    shown = show(place, recipe)
    archive = next(step for step in shown.plan.steps if isinstance(step, Backfill)).purpose.split(" to ")[1].split(",")[0]
    schema = {"postgresql": "driftflow.", "sqlite": "main."}.get(place.vendor, "")
    assert shown.planned.query(f"SELECT count(*) FROM {schema}{archive}") == [(2 + 29 * 3,)]


@pytest.mark.on("postgresql-18", "sqlite")
def test_without_the_directive_the_guard_counts_shows_keys_and_names_it(place: Place) -> None:
    database = place.fresh(SHOP)
    before = database.rows()
    with pytest.raises(RefusedError) as refused:
        apply(database.plan(naive_of(place, ADD)), database)
    assert f"{len(PAIRS)} values of users (email) occur more than once" in refused.value.summary
    assert "rows with the keys 5, 6, 10, 11" in refused.value.why
    assert "driftflow: duplicates keep=first" in refused.value.hint
    assert "twice" not in str(refused.value), "keys are shown, values are not"
    assert database.rows() == before


@pytest.mark.on("postgresql-18", "sqlite")
def test_what_is_about_to_go_is_told_before(place: Place) -> None:
    database = place.fresh(SHOP)
    told: list[AnyEvent] = []
    plan = database.plan(f"-- driftflow: duplicates keep=first\n{naive_of(place, ADD)}")
    run_plan(plan, options=RunOptions(accept=accepted(plan)), **edge(database) | {"listener": told.append})
    counted = {event.text: event.keys for event in told if isinstance(event, Counted)}
    assert any(
        text.startswith(f"{2 * len(PAIRS)} rows of users share a key") and keys[:3] == ("5", "6", "10")
        for text, keys in counted.items()
    )
    assert any(text.startswith(f"{2 * len(PAIRS)} rows of orders point at rows of users that share a key") for text in counted)


def small_chunks(plan, rows: int = 20):  # type: ignore[no-untyped-def]
    steps = []
    for step in plan.steps:
        if isinstance(step, Backfill):
            step = replace(step, chunk=replace(step.chunk, rows_first=rows, rows_min=rows, rows_max=rows))
        steps.append(step)
    return replace(plan, steps=tuple(steps))


class Killed(BaseException):
    """Nothing of ours catches it: the process is gone."""


@pytest.mark.on("postgresql-18", "sqlite")
@pytest.mark.parametrize("way", ["on", "back"])
def test_stopped_in_the_middle_it_goes_on_or_back(place: Place, way: str) -> None:
    database, other = place.fresh(SHOP), place.fresh(SHOP)
    before = database.structure(), database.rows()
    plan = small_chunks(database.plan(f'-- driftflow: duplicates keep=first merge="points=sum(points)"\n{naive_of(place, ADD)}'))
    chunks: list[str] = []

    def third_chunk(event: AnyEvent) -> None:
        if event.__struct_config__.tag == "chunk_done":
            chunks.append(event.run)
            if len(chunks) == 3:
                raise Killed

    with pytest.raises(Killed):
        run_plan(plan, options=RunOptions(), **edge(database) | {"listener": third_chunk})
    assert database.rows() != before[1]
    if way == "on":
        assert resume(chunks[0], options=RunOptions(), **edge(database)).state == "done"
        apply(plan, other)
        assert database.rows() == other.rows()
        return
    assert take_back(chunks[0], database).state == "rolled_back"
    assert (database.structure(), database.rows()) == before


def until_protected(place: Place, database: Database) -> None:
    """The plan up to the trigger, as it stands while duplicates are being removed."""
    plan = database.plan(f"-- driftflow: duplicates keep=first\n{naive_of(place, ADD)}")
    number = next(number for number, step in enumerate(plan.steps) if isinstance(step, Backfill))
    assert apply(replace(plan, steps=plan.steps[:number]), database).state == "done"


@pytest.mark.on("postgresql-16", "sqlite")
def test_no_new_duplicate_arises_while_the_old_ones_go(place: Place) -> None:
    database = place.fresh(SHOP)
    until_protected(place, database)
    with closing(PlainSession(database.url)) as session:
        for refused in (
            "INSERT INTO users (id, email) VALUES (5001, 'once3')",
            "UPDATE users SET email = 'once3' WHERE id = 4",
            "INSERT INTO users (id, email) VALUES (5001, 'x'), (5002, 'x')",
        ):
            with pytest.raises(Exception, match="duplicate key value violates unique constraint"):
                session.run((refused,))
        session.run(("UPDATE users SET name = 'still free' WHERE email = 'twice1'",))
        session.run(("INSERT INTO users (id, email) VALUES (5003, NULL), (5004, NULL), (5005, 'free')",))
        session.run(("UPDATE users SET email = 'freed' WHERE id = 5",))


@pytest.mark.on("postgresql-16", "postgresql-18")
def test_the_protection_holds_between_two_writers_and_for_a_role_that_sees_little(place: Place) -> None:
    import psycopg

    database = place.fresh(SHOP["postgresql"])
    database.run(
        "ALTER TABLE users ENABLE ROW LEVEL SECURITY; CREATE POLICY few ON users USING (id > 4000);"
        "DO $$ BEGIN CREATE ROLE keys_app; EXCEPTION WHEN duplicate_object THEN NULL; END $$;"
        "GRANT SELECT, INSERT, UPDATE ON users TO keys_app;"
    )
    until_protected(place, database)
    with psycopg.connect(database.url) as one, psycopg.connect(database.url) as two:
        for session in (one, two):
            session.execute("SET ROLE keys_app")
            session.commit()
        with pytest.raises(psycopg.errors.UniqueViolation):
            one.execute("INSERT INTO users (id, email) VALUES (5001, 'once3')")
        one.rollback()
        one.execute("INSERT INTO users (id, email) VALUES (5001, 'same')")
        two.execute("SET LOCAL lock_timeout = '200ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            two.execute("INSERT INTO users (id, email) VALUES (5002, 'same')")
        two.rollback()
        one.commit()
        with pytest.raises(psycopg.errors.UniqueViolation):
            two.execute("INSERT INTO users (id, email) VALUES (5002, 'same')")
        with pytest.raises(psycopg.errors.InFailedSqlTransaction):
            two.execute("SELECT 1")


@pytest.mark.on("postgresql-18", "sqlite")
def test_children_that_would_collide_stop_it_before(place: Place) -> None:
    database = place.fresh(SHOP)
    database.run(
        "CREATE TABLE profiles (id integer PRIMARY KEY, user_id bigint UNIQUE REFERENCES users (id)); INSERT INTO profiles VALUES (1, 5), (2, 6)"
    )
    plan = database.plan(f"-- driftflow: duplicates keep=first\n{naive_of(place, ADD)}")
    before = database.rows()
    with pytest.raises(RefusedError, match=r"1 keys of profiles \(user_id\) would occur more than once"):
        apply(plan, database)
    assert database.rows() == before


@pytest.mark.on("postgresql-18")
def test_what_cannot_be_done_is_refused_before_anything_happens(place: Place) -> None:
    database = place.fresh(SHOP["postgresql"])
    database.run(
        "CREATE TABLE bare (user_id bigint REFERENCES users (id)); CREATE TABLE owned (user_id bigint PRIMARY KEY REFERENCES users (id));"
        "CREATE TABLE log (id int, at date) PARTITION BY RANGE (at);"
    )
    keep = "-- driftflow: duplicates keep=first"
    for migration, code in {
        f"{keep} by=nothing\n{ADD}": "DF-E653",
        f"-- driftflow: duplicates quarantine\n{ADD}": "DF-E650",
        f"DROP TABLE bare;\n{keep}\n{ADD}": "DF-E651",
        f"DROP TABLE bare; DROP TABLE owned;\n-- driftflow: duplicates quarantine\n{ADD}": "DF-E652",
        f"DROP TABLE bare; DROP TABLE owned; ALTER TABLE users ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;\n{keep}\n{ADD}": "DF-E654",
        f"{keep}\nCREATE UNIQUE INDEX log_key ON log (at, id);": "DF-E655",
    }.items():
        with pytest.raises(RefusedError) as refused:
            database.plan(migration)
        assert refused.value.code == code, migration


ITEMS = {
    vendor: (
        f"CREATE TABLE items (id {KEYS[vendor]}, shop integer NOT NULL, code varchar(50), place varchar(50), active integer NOT NULL);"
        f"INSERT INTO items SELECT n, n % 7, CASE WHEN n % 3 > 0 THEN 'Code' || n END, CASE WHEN n % 4 > 0 THEN 'P' || n END, n % 2 FROM ({SOME[vendor]}) AS x "
        "WHERE n % 12 > 0;"
        "INSERT INTO items VALUES (12, 99, NULL, NULL, 1);"
    )
    for vendor in KEYS
}
"""Every code, every place and every pair occurs once; only row 12 has neither."""
ITEM_WRITES = (
    "UPDATE items SET shop = shop WHERE id = {n} % 300 + 1",
    "INSERT INTO items VALUES (1000 + {n}, 1, 'new{n}', 'q{n}', 1)",
    "UPDATE items SET place = 'm{n}' WHERE id = 1000 + {n} - 2",
)


@pytest.mark.recipe("unique-partial", "native")
@pytest.mark.on("postgresql", "sqlite")
def test_unique_among_some_rows(place: Place) -> None:
    migration = "CREATE UNIQUE INDEX items_active ON items (shop, code) WHERE active = 1;"
    shown = show(place, Recipe(schema=ITEMS, migration=migration, old=ITEM_WRITES))
    refuses(shown.planned, "INSERT INTO items VALUES (9001, 5, 'Code5', 'x', 1)")
    shown.planned.run("INSERT INTO items VALUES (9001, 5, 'Code5', 'x', 0)")


@pytest.mark.recipe("unique-several", "native")
@pytest.mark.on("postgresql", "sqlite")
def test_unique_over_several_columns(place: Place) -> None:
    add = "ALTER TABLE items ADD CONSTRAINT items_key UNIQUE (shop, code, place);"
    migration = "CREATE UNIQUE INDEX items_key ON items (shop, code, place);" if place.vendor == "sqlite" else add
    shown = show(place, Recipe(schema=ITEMS, migration=migration, old=ITEM_WRITES))
    refuses(shown.planned, "INSERT INTO items VALUES (9001, 5, 'Code5', 'P5', 1)")


@pytest.mark.recipe("unique-case", "native")
@pytest.mark.on("postgresql", "sqlite")
def test_unique_without_regard_to_case(place: Place) -> None:
    migration = {
        "postgresql": "CREATE UNIQUE INDEX items_code ON items (lower(code));",
        "sqlite": "CREATE UNIQUE INDEX items_code ON items (code COLLATE NOCASE);",
    }
    shown = show(place, Recipe(schema=ITEMS, migration=migration, old=ITEM_WRITES))
    refuses(shown.planned, "INSERT INTO items VALUES (9001, 5, 'cODE5', 'x', 1)")
    database = place.fresh(ITEMS)
    database.run("INSERT INTO items VALUES (9001, 5, 'cODE5', 'x', 1)")
    with pytest.raises(RefusedError, match="1 values of items"):
        apply(database.plan(place.pick(migration)), database)


@pytest.mark.recipe("unique-case", "native")
@pytest.mark.on("postgresql-18", "sqlite")
def test_duplicates_by_case_go_too(place: Place) -> None:
    key = "code COLLATE NOCASE" if place.vendor == "sqlite" else "lower(code)"
    database = place.fresh(ITEMS)
    database.run("INSERT INTO items VALUES (9001, 5, 'cODE5', 'x', 1), (9002, 5, 'CODE5', 'y', 1), (9003, 5, 'CODE7', 'y', 1)")
    plan = database.plan(f"-- driftflow: duplicates keep=last\nCREATE UNIQUE INDEX items_code ON items ({key});")
    report = apply(plan, database)
    assert database.query("SELECT id FROM items WHERE lower(code) IN ('code5', 'code7') ORDER BY id") == [(9002,), (9003,)]
    assert take_back(report.run, database).state == "rolled_back"
    assert len(database.query("SELECT id FROM items WHERE lower(code) IN ('code5', 'code7')")) == 5


@pytest.mark.recipe("unique-expression", "native")
@pytest.mark.on("postgresql", "sqlite")
def test_unique_by_expression(place: Place) -> None:
    migration = "CREATE UNIQUE INDEX items_both ON items ((code || '/' || place));"
    shown = show(place, Recipe(schema=ITEMS, migration=migration, old=ITEM_WRITES))
    refuses(shown.planned, "INSERT INTO items VALUES (9001, 5, 'Code5/P', '5', 1), (9002, 5, 'Code5', 'P/5', 1)")


NULLS = "-- driftflow: nulls-not-distinct\nCREATE UNIQUE INDEX items_key ON items (code, place, shop);"
BY_PARTS = (
    "CREATE UNIQUE INDEX items_key ON items (code, place, shop);"
    "CREATE UNIQUE INDEX items_key_null_1 ON items (place, shop) WHERE code IS NULL;"
    "CREATE UNIQUE INDEX items_key_null_2 ON items (code, shop) WHERE place IS NULL;"
    "CREATE UNIQUE INDEX items_key_null_3 ON items (shop) WHERE code IS NULL AND place IS NULL;"
)


def nulls_are_equal(place: Place, naive: str) -> None:
    shown = show(place, Recipe(schema=ITEMS, migration=NULLS, naive=naive, old=ITEM_WRITES))
    for values in ("99, NULL, NULL", "5, 'Code5', 'P5'"):
        refuses(shown.planned, f"INSERT INTO items (id, shop, code, place, active) VALUES (9001, {values}, 0)")
    shown.planned.run("INSERT INTO items VALUES (9001, 98, NULL, NULL, 0), (9002, 99, 'c', NULL, 0), (9003, 99, NULL, 'p', 0)")
    refuses(shown.planned, "INSERT INTO items VALUES (9004, 99, 'c', NULL, 0)")
    refuses(shown.planned, "INSERT INTO items VALUES (9004, 99, NULL, 'p', 0)")
    database = place.fresh(ITEMS)
    database.run("INSERT INTO items VALUES (9001, 99, NULL, NULL, 1)")
    with pytest.raises(RefusedError, match="1 values of items"):
        apply(database.plan(NULLS), database)


@pytest.mark.recipe("unique-nulls", "native")
@pytest.mark.on("postgresql")
def test_null_equals_null(place: Place) -> None:
    nulls_are_equal(place, "CREATE UNIQUE INDEX items_key ON items (code, place, shop) NULLS NOT DISTINCT;")


@pytest.mark.recipe("unique-nulls", "emulated", why="one partial index for each set of columns that may be NULL")
@pytest.mark.on("sqlite")
def test_null_equals_null_by_partial_indexes(place: Place) -> None:
    nulls_are_equal(place, BY_PARTS)


@pytest.mark.recipe("unique-deferrable", "native")
@pytest.mark.on("postgresql")
def test_checked_at_the_end_of_the_transaction(place: Place) -> None:
    migration = "ALTER TABLE items ADD CONSTRAINT items_code UNIQUE (code) DEFERRABLE INITIALLY DEFERRED;"
    shown = show(place, Recipe(schema=ITEMS, migration=migration, old=ITEM_WRITES))
    with closing(PlainSession(shown.planned.url)) as session:
        session.run(("UPDATE items SET code = 'Code7' WHERE id = 5", "UPDATE items SET code = 'Code5' WHERE id = 7"))
        with pytest.raises(Exception, match="duplicate key"):
            session.run(("UPDATE items SET code = 'Code8' WHERE id = 5", "SELECT 1"))


@pytest.mark.recipe("unique-deferrable", "refused", why="it checks each row as it is written")
@pytest.mark.on("sqlite")
def test_a_check_at_the_end_of_the_transaction_is_refused(place: Place) -> None:
    database = place.fresh(ITEMS)
    before = database.structure()
    with pytest.raises(RefusedError) as refused:
        database.plan("ALTER TABLE items ADD CONSTRAINT items_code UNIQUE (code) DEFERRABLE INITIALLY DEFERRED;")
    assert refused.value.code == "DF-E657"
    assert database.structure() == before


@pytest.mark.on("sqlite")
def test_duplicates_go_before_the_table_is_rebuilt_too(place: Place) -> None:
    database, start = place.fresh(SHOP), place.fresh(SHOP)
    report = apply(database.plan(f"-- driftflow: duplicates keep=first\n{ADD}"), database)
    assert database.query("SELECT count(*) FROM users GROUP BY email HAVING count(*) > 1 AND email IS NOT NULL") == []
    refuses(database, "INSERT INTO users (id, email) VALUES (5001, 'once3')")
    assert take_back(report.run, database).state == "rolled_back"
    assert (database.structure(), database.rows()) == (start.structure(), start.rows())


def refuses(database: Database, sql: str) -> None:
    with closing(PlainSession(database.url)) as session, pytest.raises(Exception, match=r"(?i)unique|duplicate"):
        session.run((sql,))


def guarded(database: Database, migration: str, sql: str) -> int:
    """Run the plan, and try the forbidden statement after everything that happens; how often it was refused for its key."""
    refused: list[str] = []

    def attempt(event: AnyEvent) -> None:
        with (
            closing(PlainSession(database.url)) as session,
            pytest.raises(Exception, match=r"(?i)unique|duplicate|violates|lock|timeout") as said,
        ):
            session.run((sql,))
        refused.append(str(said.value).lower())

    plan = database.plan(migration)
    report = run_plan(plan, options=RunOptions(), **edge(database) | {"listener": attempt})
    assert report.state == "done"
    return sum("lock" not in text and "timeout" not in text for text in refused)


@pytest.mark.recipe("unique-replaced", "native")
@pytest.mark.on("postgresql", "sqlite")
@pytest.mark.parametrize("name", ["items_key", "items_wider"])
def test_one_unique_constraint_in_the_place_of_another(place: Place, name: str) -> None:
    lite = place.vendor == "sqlite"
    old = (
        "CREATE UNIQUE INDEX items_key ON items (code);" if lite else "ALTER TABLE items ADD CONSTRAINT items_key UNIQUE (code);"
    )
    migration = (
        f"DROP INDEX items_key; CREATE UNIQUE INDEX {name} ON items (code, shop);"
        if lite
        else f"ALTER TABLE items DROP CONSTRAINT items_key; ALTER TABLE items ADD CONSTRAINT {name} UNIQUE (code, shop);"
    )
    schema = {place.vendor: ITEMS[place.vendor] + old}
    shown = show(place, Recipe(schema=schema, migration=migration, old=ITEM_WRITES))
    assert "replace_constraint" in {step.strategy for step in shown.plan.steps}
    database = place.fresh(schema)
    assert guarded(database, migration, "INSERT INTO items VALUES (9001, 5, 'Code5', 'x', 1)") >= 3


@pytest.mark.recipe("unique-replaced", "native")
@pytest.mark.on("postgresql")
def test_one_unique_index_in_the_place_of_another(place: Place) -> None:
    schema = {"postgresql": ITEMS["postgresql"] + "CREATE UNIQUE INDEX items_key ON items (code);"}
    migration = "DROP INDEX items_key; CREATE UNIQUE INDEX items_key ON items (lower(code));".replace(
        "(lower(code))", "(code, shop)"
    )
    show(place, Recipe(schema=schema, migration=migration, old=ITEM_WRITES))
    assert guarded(place.fresh(schema), migration, "INSERT INTO items VALUES (9001, 5, 'Code5', 'x', 1)") >= 3
