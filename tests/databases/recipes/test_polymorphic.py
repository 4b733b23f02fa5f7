"""A pair of type and id that points at a row of one of two tables: kept on both sides, also between two transactions that do not see each other."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing

import pytest
from recipes.rig import POLICY, Database, Place, PlainSession, Recipe, apply, gates, go_on_back, show, take_back

import planning
from driftflow.errors import RefusedError, StepFailedError
from driftflow.planner.enhancements import offers

TEN = "(0), (1), (2), (3), (4), (5), (6), (7), (8), (9)"
SCHEMA = f"""
CREATE TABLE posts (id integer PRIMARY KEY, title varchar(20));
CREATE TABLE photos (id integer PRIMARY KEY, title varchar(20));
CREATE TABLE remarks (id integer PRIMARY KEY, kind varchar(10), about integer, body varchar(20));
INSERT INTO posts (id) VALUES {TEN};
INSERT INTO photos (id) VALUES {TEN};
INSERT INTO remarks VALUES (1, 'post', 1, 'x'), (2, 'photo', 2, 'x'), (3, 'photo', 3, 'x'), (4, NULL, NULL, 'x');
"""
WRITES = (
    "INSERT INTO remarks VALUES (1000 + {n}, 'post', {n} % 10, 'new')",
    "UPDATE remarks SET body = 'w{n}' WHERE id = {n} % 4 + 1",
    "INSERT INTO photos (id) VALUES (1000 + {n})",
    "DELETE FROM photos WHERE id = 1000 + {n} - 1",
)
CHECK = "ALTER TABLE remarks ADD CONSTRAINT remarks_about CHECK (kind IN ('post', 'photo'));"


def said(more: str = "") -> str:
    return f'-- driftflow: polymorphic type=kind id=about targets="post=posts(id), photo=photos(id)"{more}\n{CHECK}'


def refuses(database: Database, sql: str) -> None:
    with (
        closing(PlainSession(database.url)) as session,
        pytest.raises(Exception, match=r"(?i)violates foreign key|check constraint|CONSTRAINT .* failed"),
    ):
        session.run((sql,))


@pytest.mark.on("postgresql-18", "mariadb")
@pytest.mark.parametrize("named", ['\\"Post\\"(\\"Id\\")', "`Post`(`Id`)", "Post(Id)"])
def test_a_target_is_called_as_the_catalog_has_it(place: Place, named: str) -> None:
    """Prisma, Sequelize and others make names with capitals: whoever quotes them, as in SQL, means the same."""
    q = place.dialect.quote
    database = place.fresh(
        f"CREATE TABLE {q('Post')} ({q('Id')} integer PRIMARY KEY); INSERT INTO {q('Post')} VALUES (1);"
        "CREATE TABLE remarks (id integer PRIMARY KEY, kind varchar(10), about integer);"
    )
    text = f'-- driftflow: polymorphic type=kind id=about targets="post={named}"'
    check = "ALTER TABLE remarks ADD CONSTRAINT remarks_about CHECK (kind IN ('post'));"
    plan = database.plan(f"{text}\n{check}")
    assert apply(plan, database, open_gates=gates(plan)).state == "done"
    database.run("INSERT INTO remarks VALUES (1, 'post', 1)")
    refuses(database, "INSERT INTO remarks VALUES (2, 'post', 2)")


@pytest.mark.recipe("fk-polymorphic", "emulated", why="triggers on both sides, which lock the row that is pointed at")
def test_a_pair_points_at_rows_that_are_there(place: Place) -> None:
    recipe = Recipe(schema=SCHEMA, migration=said(), naive="SELECT 1;", old=WRITES, expected=lambda database: database.rows())
    database = show(place, recipe).planned
    for sql in (
        "INSERT INTO remarks VALUES (9001, 'post', 77, '')",
        "INSERT INTO remarks VALUES (9001, 'thing', 1, '')",
        "UPDATE remarks SET about = 77 WHERE id = 2",
        "DELETE FROM photos WHERE id = 2",
        "UPDATE photos SET id = 500 WHERE id = 2",
    ):
        refuses(database, sql)
    database.run(
        "UPDATE remarks SET kind = 'post' WHERE id = 2; DELETE FROM photos WHERE id = 2; UPDATE photos SET title = 'x' WHERE id = 3"
    )


@pytest.mark.on("postgresql-18", "sqlite", "mysql", "mariadb")
def test_rows_go_along_where_that_was_said(place: Place) -> None:
    database = place.fresh(SCHEMA)
    assert apply(database.plan(said(" on-delete=cascade")), database).state == "done"
    database.run("DELETE FROM photos WHERE id = 2; DELETE FROM photos WHERE id = 1")
    assert database.query("SELECT id FROM remarks ORDER BY id") == [(1,), (3,), (4,)]


KEYED = """
CREATE TABLE posts (id integer PRIMARY KEY, slug text UNIQUE);
CREATE TABLE photos (id integer PRIMARY KEY, slug text COLLATE NOCASE UNIQUE, shop int, number int, code text, UNIQUE (shop, number));
CREATE UNIQUE INDEX photos_code ON photos (code COLLATE NOCASE) WHERE shop > 1;
CREATE TABLE remarks (id integer PRIMARY KEY, kind varchar(10), about integer, body varchar(20));
INSERT INTO photos VALUES (1, 'a', 1, 1, 'x'), (2, 'b', 2, 2, 'y'), (3, 'c', 3, 3, 'z'), (4, 'd', 4, 4, 'v');
INSERT INTO remarks VALUES (1, 'photo', 1, 'x'), (2, 'photo', 2, 'x'), (3, 'post', NULL, 'x');
"""
REPLACED = (
    ("REPLACE INTO photos VALUES (9, 'A', 9, 9, '')", [2]),
    ("REPLACE INTO photos VALUES (9, 'n', 1, 1, '')", [2]),
    ("REPLACE INTO photos VALUES (9, 'n', 9, 9, 'Y')", [1]),
    ("UPDATE OR REPLACE photos SET slug = 'b' WHERE id = 3", [1]),
    ("INSERT OR REPLACE INTO photos SELECT 9, 'n', 1, 1, 'm' UNION ALL SELECT 10, 'm', 10, 10, 'n'", [2]),
)
NOT_REPLACED = (
    "REPLACE INTO photos VALUES (1, 'a', 1, 5, 'n')",
    "REPLACE INTO photos VALUES (9, 'C', 9, 9, '')",
    "REPLACE INTO photos VALUES (9, 'n', 9, 9, 'X')",
    "INSERT OR IGNORE INTO photos VALUES (9, 'a', 2, 2, 'y')",
    "INSERT INTO photos VALUES (9, 'b', 9, 9, '') ON CONFLICT (slug) DO UPDATE SET code = 'new'",
    "UPDATE OR REPLACE photos SET slug = 'd' WHERE id = 3",
    "UPDATE photos SET slug = 'A' WHERE id = 1",
    "INSERT INTO photos VALUES (9, 'n', 9, 9, '')",
)


@pytest.mark.on("sqlite")
@pytest.mark.parametrize("recursive", [False, True])
@pytest.mark.parametrize("cascade", [False, True])
def test_a_row_that_another_one_replaces(place: Place, cascade: bool, recursive: bool) -> None:
    """It goes without a DELETE trigger, by whichever unique key. The rows that a statement does not replace are nobody's business."""
    database = place.fresh(KEYED)
    start = database.structure()
    report = apply(database.plan(said(" on-delete=cascade" if cascade else "")), database)
    with closing(sqlite3.connect(database.url.removeprefix("sqlite:///"), isolation_level=None)) as session:
        session.execute(f"PRAGMA recursive_triggers = {recursive:d}")
        for sql, left in REPLACED:
            session.execute("BEGIN")
            if cascade:
                session.execute(sql)
                assert session.execute("SELECT about FROM remarks WHERE about IS NOT NULL").fetchall() == [
                    (one,) for one in left
                ], sql
            else:
                with pytest.raises(sqlite3.IntegrityError, match="violates foreign key"):
                    session.execute(sql)
                assert session.execute("SELECT count(*) FROM photos WHERE id < 5").fetchall() == [(4,)]
            session.execute("ROLLBACK")
        # Where a DELETE trigger fires, a row that comes back under its own key goes first all the same.
        for sql in NOT_REPLACED[recursive:]:
            session.execute("BEGIN")
            session.execute(sql)
            assert session.execute("SELECT about FROM remarks WHERE about IS NOT NULL").fetchall() == [(1,), (2,)], sql
            session.execute("ROLLBACK")
    assert take_back(report.run, database).state == "rolled_back"
    assert database.structure() == start


@pytest.mark.on("postgresql-18", "sqlite", "mysql", "mariadb")
def test_rows_that_point_at_nothing_stop_it(place: Place) -> None:
    database = place.fresh(SCHEMA)
    database.run("INSERT INTO remarks VALUES (5, 'post', 77, 'x')")
    with pytest.raises(RefusedError, match="1 rows of remarks point at nothing") as refused:
        apply(database.plan(said()), database)
    assert "the keys 5" in refused.value.why


@pytest.mark.on("postgresql")
def test_an_insert_and_a_delete_at_the_same_time(place: Place) -> None:
    """As a role that may not even read the tables that are pointed at."""
    import psycopg

    database = place.fresh(SCHEMA)
    database.run(
        "DO $$ BEGIN CREATE ROLE keys_app; EXCEPTION WHEN duplicate_object THEN NULL; END $$;"
        "GRANT SELECT, INSERT ON remarks TO keys_app; ALTER TABLE photos ENABLE ROW LEVEL SECURITY;"
    )
    apply(database.plan(said()), database)
    with psycopg.connect(database.url) as writer, psycopg.connect(database.url) as deleter:
        writer.execute("SET ROLE keys_app")
        writer.commit()
        writer.execute("INSERT INTO remarks VALUES (9001, 'photo', 7, '')")
        deleter.execute("SET lock_timeout = '200ms'")
        deleter.commit()
        with pytest.raises(psycopg.errors.LockNotAvailable):
            deleter.execute("DELETE FROM photos WHERE id = 7")
        deleter.rollback()
        writer.commit()
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            deleter.execute("DELETE FROM photos WHERE id = 7")
        deleter.rollback()
        deleter.execute("DELETE FROM photos WHERE id = 8")
        writer.execute("SET lock_timeout = '200ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            writer.execute("INSERT INTO remarks VALUES (9002, 'photo', 8, '')")
        writer.rollback()
        deleter.commit()
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            writer.execute("INSERT INTO remarks VALUES (9002, 'photo', 8, '')")
        writer.rollback()
        for forbidden, level in (("DELETE FROM photos WHERE id = 9", "REPEATABLE READ"), ("TRUNCATE photos", "READ COMMITTED")):
            with pytest.raises((psycopg.errors.FeatureNotSupported, psycopg.errors.ForeignKeyViolation)):
                deleter.execute(f"SET TRANSACTION ISOLATION LEVEL {level}")
                deleter.execute(forbidden)
            deleter.rollback()


@pytest.mark.on("mysql", "mariadb")
@pytest.mark.parametrize("isolation", ["READ COMMITTED", "REPEATABLE READ"])
def test_an_insert_and_a_delete_at_the_same_time_on_mysql(place: Place, isolation: str) -> None:
    """Each session has looked at both tables before, so that under REPEATABLE READ its snapshot is older than what the other writes."""
    database = place.fresh(SCHEMA)
    assert apply(database.plan(said()), database).state == "done"
    look = "SELECT (SELECT COUNT(*) FROM photos) + (SELECT COUNT(*) FROM remarks)"
    with closing(PlainSession(database.url)) as writer, closing(PlainSession(database.url)) as deleter:
        for session in (writer, deleter):
            session.run((f"SET SESSION TRANSACTION ISOLATION LEVEL {isolation}",))

        def begin() -> None:
            for session in (writer, deleter):
                session.run(("ROLLBACK",))
                session.run(("BEGIN",))
                session.run((look,))

        begin()
        writer.run(("INSERT INTO remarks VALUES (9001, 'photo', 7, '')",))
        with pytest.raises(Exception, match="Lock wait timeout"):
            deleter.run(("DELETE FROM photos WHERE id = 7",))
        writer.run(("COMMIT",))
        # MariaDB 11.8 refuses a snapshot that is too old (1020), before anybody looks.
        with pytest.raises(Exception, match=r"violates foreign key|has changed since last read"):
            deleter.run(("DELETE FROM photos WHERE id = 7",))
        begin()
        deleter.run(("DELETE FROM photos WHERE id = 8",))
        with pytest.raises(Exception, match="Lock wait timeout"):
            writer.run(("INSERT INTO remarks VALUES (9002, 'photo', 8, '')",))
        deleter.run(("COMMIT",))
        with pytest.raises(Exception, match=r"violates foreign key|has changed since last read"):
            writer.run(("INSERT INTO remarks VALUES (9002, 'photo', 8, '')",))
    assert database.query("SELECT COUNT(*) FROM remarks WHERE kind = 'photo' AND about NOT IN (SELECT id FROM photos)") == [(0,)]


@pytest.mark.on("mysql", "mariadb")
@pytest.mark.parametrize(
    ("more", "why"),
    [
        ("ALTER TABLE photos DROP PRIMARY KEY;", "has no index"),
        (
            "ALTER TABLE photos ADD COLUMN post integer; ALTER TABLE photos ADD CONSTRAINT gone FOREIGN KEY (post) REFERENCES posts (id) ON DELETE CASCADE;",
            "fires no trigger",
        ),
    ],
)
def test_where_a_trigger_would_not_see_it_is_refused(place: Place, more: str, why: str) -> None:
    with pytest.raises(RefusedError) as refused:
        place.fresh(SCHEMA + more).plan(said())
    assert refused.value.code == "DF-E711"
    assert why in refused.value.why


SPLIT_NEW = (
    "INSERT INTO remarks (id, post_id, body) VALUES (5000 + {n}, {n} % 10, 'new')",
    "UPDATE remarks SET post_id = NULL, photo_id = {n} % 10 WHERE id = 5000 + {n} - 1",
    "UPDATE remarks SET body = 'v{n}' WHERE id = {n} % 4 + 1",
)
SPLIT_OLD = (
    "INSERT INTO remarks (id, kind, about, body) VALUES (1000 + {n}, 'post', {n} % 10, 'new')",
    "UPDATE remarks SET kind = 'photo', about = {n} % 10 WHERE id = 1000 + {n} - 1",
    "UPDATE remarks SET body = 'w{n}' WHERE id = {n} % 4 + 1",
    "INSERT INTO photos (id) VALUES (1000 + {n})",
    "DELETE FROM photos WHERE id = 1000 + {n} - 1",
)


def split_of(place: Place, schema: str = SCHEMA) -> str:
    """What `driftflow enhance` writes in the place of the statement."""
    (offer,) = [
        one
        for one in offers(
            [planning.migration_of(said(), place.dialect)],
            catalog=place.fresh(schema).catalog(),
            dialect=place.dialect,
            policy=POLICY,
        )
        if one.name == "split_polymorphic"
    ]
    assert offer.take is not None
    return re.sub(r"\b(public|main|db\d+_\d+)\.", "", offer.take.text)


def by_hand(split: str, place: Place) -> str:
    """The same end, with the application stopped. SQLite has no ADD CONSTRAINT and no ALTER COLUMN: rows are compared there."""
    lines = [one for one in split.splitlines() if not one.startswith("--")]
    lines = [one for one in lines if place.vendor != "sqlite" or not re.search("ADD CONSTRAINT|ALTER COLUMN", one)]
    adds, rest = [one for one in lines if "ADD COLUMN" in one], [one for one in lines if "ADD COLUMN" not in one]
    fill = (
        "UPDATE remarks SET post_id = CASE WHEN kind = 'post' THEN about END, photo_id = CASE WHEN kind = 'photo' THEN about END;"
    )
    return "\n".join([*adds, fill, *rest])


@pytest.mark.recipe(
    "fk-polymorphic", "native", why="or split into one column per type, each with a foreign key, which enhance writes"
)
def test_a_pair_is_split_into_real_keys(place: Place) -> None:
    into_real_keys(
        place,
        SCHEMA,
        "INSERT INTO remarks (id, post_id) VALUES (9001, 77)",
        "INSERT INTO remarks (id, post_id, photo_id) VALUES (9001, 1, 1)",
    )


def into_real_keys(place: Place, schema: str, *refused: str) -> None:
    """The pair is split under the application, as by hand; then the server refuses each of these."""
    split = split_of(place, schema)
    recipe = Recipe(
        schema=schema,
        migration=split,
        naive=by_hand(split, place),
        old=SPLIT_OLD,
        new=SPLIT_NEW,
        expected=(lambda database: database.rows()) if place.vendor == "sqlite" else None,
    )
    database = show(place, recipe).planned
    for sql in refused:
        with closing(PlainSession(database.url)) as session, pytest.raises(Exception, match=r"(?i)foreign key|constraint"):
            session.run((sql,))


HELD = SCHEMA.replace("kind varchar(10), about integer,", "kind varchar(10) NOT NULL, about integer NOT NULL,").replace(
    "(4, NULL, NULL, 'x')", "(4, 'post', 4, 'x')"
)


def test_a_pair_that_every_row_has_becomes_exactly_one_key(place: Place) -> None:
    into_real_keys(
        place,
        HELD,
        "INSERT INTO remarks (id, post_id) VALUES (9001, 77)",
        "INSERT INTO remarks (id, post_id, photo_id) VALUES (9001, 1, 1)",
        "INSERT INTO remarks (id) VALUES (9001)",
        "UPDATE remarks SET post_id = NULL WHERE id = 1",
    )


@pytest.mark.on("postgresql-18", "sqlite", "mysql", "mariadb-10")
def test_the_way_back_from_exactly_one_key_wants_the_pair_of_new_rows(place: Place) -> None:
    """The new application wrote no pair: somebody who knows says what it is, and the way back goes on."""
    database = place.fresh(HELD)
    plan = database.plan(split_of(place, HELD))
    run = apply(plan, database, open_gates=gates(plan)).run
    database.run("INSERT INTO remarks (id, photo_id, body) VALUES (5000, 3, 'new')")
    with pytest.raises(StepFailedError):
        take_back(run, database, open_gates=gates(plan))
    database.run("UPDATE remarks SET kind = 'photo', about = 3 WHERE id = 5000")
    assert go_on_back(run, database, open_gates=gates(plan)).state == "rolled_back"
    assert database.structure() == place.fresh(HELD).structure()
    assert database.query("SELECT kind, about FROM remarks WHERE id = 5000") == [("photo", 3)]
