"""What a rollback makes again on MySQL and MariaDB is what was there, to the letter: whose rights it has, under which modes, with which arguments."""

from __future__ import annotations

from contextlib import closing
from urllib.parse import urlsplit

import pytest
from recipes.rig import Database, Place, apply, changed_and_back, gates, go_on_back, take_back, there_and_back

from driftflow.errors import RefusedError
from driftflow.lab.plain_driver import plain_connection
from driftflow.model.plan import Irreversible

SCHEMA = "CREATE TABLE items (id int PRIMARY KEY, v int, name varchar(40), legacy int);"
CODE = (
    "SET SESSION sql_mode = 'ANSI,NO_BACKSLASH_ESCAPES'",
    "CREATE DEFINER=keeper@localhost FUNCTION plus(a int, b varchar(20)) RETURNS int DETERMINISTIC COMMENT 'of mine' /* why */ RETURN a + 1",
    "CREATE DEFINER=keeper@localhost PROCEDURE put(IN a int, OUT c int) SQL SECURITY INVOKER BEGIN SET c = a + 1 || 'it''s'; END",
    "CREATE DEFINER=keeper@localhost TRIGGER watch BEFORE INSERT ON items FOR EACH ROW BEGIN /* héé */ SET NEW.name = \"v\" || 'a\\'; END",
    "CREATE DEFINER=keeper@localhost TRIGGER next BEFORE INSERT ON items FOR EACH ROW SET NEW.v = length(NEW.name)",
    "CREATE DEFINER=keeper@localhost TRIGGER of_legacy BEFORE UPDATE ON items FOR EACH ROW SET NEW.legacy = 1",
    "CREATE ALGORITHM=MERGE DEFINER=keeper@localhost SQL SECURITY INVOKER VIEW seen AS SELECT id, v FROM items WHERE v > 1 WITH CASCADED CHECK OPTION",
    "CREATE DEFINER=keeper@localhost VIEW whole AS SELECT id, legacy FROM items",
)
KINDS = {
    "plus": "FUNCTION",
    "put": "PROCEDURE",
    "watch": "TRIGGER",
    "next": "TRIGGER",
    "of_legacy": "TRIGGER",
    "seen": "VIEW",
    "whole": "VIEW",
    "items": "TABLE",
}
SAID = {"VIEW": 4, "TABLE": 2}
"""So many columns of SHOW CREATE, else 6: without the moment of its making."""


def as_root(database: Database, *statements: str) -> list[list[tuple[object, ...]]]:
    parts = urlsplit(database.url)
    url = parts._replace(netloc="root@localhost").geturl()
    with closing(plain_connection(url, application="root", lock_timeout_ms=1000)) as raw, raw.cursor() as cursor:
        found = []
        for statement in statements:
            cursor.execute(statement)
            found.append(list(cursor.fetchall()))
        return found


def texts(database: Database) -> dict[str, tuple[object, ...]]:
    found: dict[str, tuple[object, ...]] = {}
    for name, kind in KINDS.items():
        ((row,),) = as_root(database, f"SHOW CREATE {kind} {name}")
        found[name] = row[: SAID.get(kind, 6)]
    (order,) = as_root(
        database,
        "SELECT trigger_name, action_order FROM information_schema.triggers WHERE trigger_schema = DATABASE() ORDER BY 1",
    )
    found["order"] = tuple(order)
    return found


def made(place: Place, *, named: bool) -> Database:
    """With code that runs as another account, and with the right to say so or without it."""
    database = place.fresh(SCHEMA)
    name = urlsplit(database.url).path.lstrip("/")
    user = urlsplit(database.url).username
    as_root(
        database, "CREATE USER IF NOT EXISTS keeper@localhost ACCOUNT LOCK", f"GRANT ALL ON {name}.* TO keeper@localhost", *CODE
    )
    as_root(database, f"{'GRANT' if named else 'REVOKE'} {right(place)} ON *.* {'TO' if named else 'FROM'} {user}@localhost")
    return database


def right(place: Place) -> str:
    return "SET USER" if place.vendor == "mariadb" else "SET_ANY_DEFINER, SYSTEM_USER"


def comes_back(place: Place, migration: str) -> None:
    database = made(place, named=True)
    before = texts(database)
    there_and_back(database, migration)
    assert texts(database) == before


@pytest.mark.on("mysql", "mariadb-10")
@pytest.mark.parametrize(
    "migration",
    [
        "DROP FUNCTION plus;",
        "DROP PROCEDURE put;",
        "DROP TRIGGER watch;",
        "DROP VIEW seen;",
        "ALTER VIEW seen AS SELECT id FROM items;",
        "ALTER TABLE items DEFAULT CHARSET latin1;",
        "CREATE OR REPLACE VIEW seen AS SELECT v, id, name FROM items;",
        "-- driftflow: cascade\nALTER TABLE items DROP COLUMN legacy;",
    ],
)
def test_it_comes_back_to_the_letter(place: Place, migration: str) -> None:
    comes_back(place, migration)


@pytest.mark.on("mariadb-10")
@pytest.mark.parametrize(
    "migration",
    [
        "CREATE OR REPLACE FUNCTION plus(a bigint) RETURNS bigint RETURN a + 2;",
        "CREATE OR REPLACE PROCEDURE put() BEGIN SET @a = 1; END;",
        "CREATE OR REPLACE TRIGGER watch BEFORE INSERT ON items FOR EACH ROW SET NEW.v = 1;",
    ],
)
def test_what_is_replaced_comes_back(place: Place, migration: str) -> None:
    comes_back(place, migration)


@pytest.mark.on("mysql", "mariadb-10")
def test_a_routine_that_is_there_already_is_not_dropped_on_the_way_back(place: Place) -> None:
    comes_back(place, "CREATE FUNCTION IF NOT EXISTS plus(a int, b varchar(20)) RETURNS int DETERMINISTIC RETURN 7;")


@pytest.mark.on("mysql", "mariadb-10")
def test_who_may_not_name_the_account_is_told_on_the_way_back(place: Place) -> None:
    """Before anything is made, and the rest of the way stays open to somebody who may."""
    database = made(place, named=False)
    before = texts(database)
    plan = database.plan("DROP TRIGGER watch;")
    report = apply(plan, database, open_gates=gates(plan))
    with pytest.raises(RefusedError, match="watch runs as keeper@localhost"):
        take_back(report.run, database, open_gates=gates(plan))
    as_root(database, f"GRANT {right(place)} ON *.* TO {urlsplit(database.url).username}@localhost")
    assert go_on_back(report.run, database).state == "rolled_back"
    assert texts(database) == before


@pytest.mark.on("mysql", "mariadb-10")
def test_a_trigger_of_a_table_that_is_renamed_in_the_same_release(place: Place) -> None:
    database = made(place, named=True)
    before = texts(database)
    there_and_back(database, "RENAME TABLE items TO things;\nDROP TRIGGER watch;")
    after = texts(database)
    # MariaDB rewrites what triggers say when their table is renamed.
    assert [after[name] for name in ("plus", "put", "seen", "whole")] == [
        before[name] for name in ("plus", "put", "seen", "whole")
    ]
    assert "keeper" in str(after["watch"]) and after["watch"][1] == before["watch"][1]


@pytest.mark.on("mysql", "mariadb-10")
def test_a_routine_that_may_not_be_read_cannot_be_taken_back(place: Place) -> None:
    database = made(place, named=True)
    name, host = urlsplit(database.url).path.lstrip("/"), "reader@localhost"
    as_root(
        database,
        f"CREATE USER IF NOT EXISTS {host} IDENTIFIED BY 'x'",
        f"GRANT SELECT ON {name}.* TO {host}",
        f"GRANT EXECUTE ON {name}.* TO {host}",
    )
    reader = Database(urlsplit(database.url)._replace(netloc="reader:x@localhost").geturl(), database.dialect)
    plan = reader.plan("DROP FUNCTION plus;")
    assert [step.undo.name for step in plan.steps if isinstance(step.undo, Irreversible)] == [f"drop_function {name}.plus"]


ONE_NAME = (
    "CREATE DEFINER=keeper@localhost FUNCTION one(a int) RETURNS int DETERMINISTIC COMMENT 'fn' RETURN a * 2",
    "CREATE DEFINER=keeper@localhost PROCEDURE one(IN a int) COMMENT 'pr' SELECT a * 2",
)


@pytest.mark.on("mysql", "mariadb-10")
@pytest.mark.parametrize("migration", ["DROP FUNCTION one;", "DROP PROCEDURE one;", "DROP FUNCTION one; DROP PROCEDURE one;"])
def test_a_function_and_a_procedure_of_one_name(place: Place, migration: str) -> None:
    database = made(place, named=True)
    as_root(database, *ONE_NAME)

    def both() -> list[tuple[object, ...]]:
        return [as_root(database, f"SHOW CREATE {kind} one")[0][0][:4] for kind in ("FUNCTION", "PROCEDURE")]

    before = both()
    there_and_back(database, migration)
    assert both() == before


STORED = """
CREATE TABLE parts (id int PRIMARY KEY, v int, note text, changed timestamp NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
                    half int AS (v div 2) VIRTUAL, KEY beginnings (note(10)), KEY halves (half))
    ROW_FORMAT=DYNAMIC STATS_PERSISTENT=1 STATS_SAMPLE_PAGES=33 COMMENT='of things';
INSERT INTO parts (id, v, note, changed) VALUES (1, 1, 'a', '2026-01-01'), (2, 2, 'b', '2026-01-01');
"""


@pytest.mark.on("mysql", "mariadb-10")
@pytest.mark.parametrize(
    "change",
    [
        "ROW_FORMAT=COMPACT",
        "ROW_FORMAT=COMPRESSED",
        "STATS_PERSISTENT=0, STATS_SAMPLE_PAGES=DEFAULT",
        "STATS_AUTO_RECALC=0",
        "MAX_ROWS=100",
        "ALTER COLUMN changed SET DEFAULT '2020-01-01 00:00:00'",
        "ALTER COLUMN changed DROP DEFAULT",
        "DROP COLUMN half",
        "MODIFY note varchar(6)",
        "MODIFY note varchar(20)",
        "CHANGE note remark varchar(10)",
        "-- driftflow: too-long policy=archive\nALTER TABLE parts MODIFY note varchar(6)",
        "-- driftflow: archive\nALTER TABLE parts DROP COLUMN changed",
    ],
)
def test_a_table_is_as_it_was_to_the_letter(place: Place, change: str) -> None:
    """But for the order of its indexes and columns."""
    database = place.fresh(STORED)

    def look() -> tuple[object, ...]:
        ((_, text),) = database.query("SHOW CREATE TABLE parts")
        return (sorted(line.rstrip(",") for line in text.splitlines()), database.rows())

    changed_and_back(database, f"{change if change.startswith('--') else f'ALTER TABLE parts {change}'};", look)


@pytest.mark.on("mariadb-10", "mariadb-11")
@pytest.mark.parametrize("divided", ["", "ALTER TABLE parts PARTITION BY HASH (id) PARTITIONS 2;"], ids=["whole", "divided"])
def test_a_history_that_is_kept_from_now_on_is_not_kept_afterwards(place: Place, divided: str) -> None:
    """A table with partitions is copied where another one is changed in place."""
    database = place.fresh(f"{STORED} {divided}")
    changed_and_back(database, "ALTER TABLE parts ADD SYSTEM VERSIONING;", lambda: database.query("SHOW CREATE TABLE parts"))


@pytest.mark.on("mariadb-10")
def test_a_history_that_goes_has_to_be_accepted(place: Place) -> None:
    database = place.fresh(f"{STORED} ALTER TABLE parts ADD SYSTEM VERSIONING;")
    plan = database.plan("ALTER TABLE parts DROP SYSTEM VERSIONING;")
    names = [step.undo.name for step in plan.steps if isinstance(step.undo, Irreversible)]
    assert names == [f"drop_system_versioning {database.catalog().database}.parts"]


SEQUENCE = "CREATE SEQUENCE numbers START WITH 100 INCREMENT BY 5 MAXVALUE 9000 CACHE 10 CYCLE;"


@pytest.mark.on("mariadb-10")
@pytest.mark.parametrize(
    "change", ["INCREMENT BY 7 NOCYCLE", "MAXVALUE 99999 CACHE 20", "MINVALUE 50", "START WITH 200", "INCREMENT 2 RESTART 700"]
)
def test_a_sequence_counts_as_it_did(place: Place, change: str) -> None:
    database = place.fresh(SEQUENCE)
    changed_and_back(database, f"ALTER SEQUENCE numbers {change};", lambda: database.query("SHOW CREATE SEQUENCE numbers"))


@pytest.mark.on("mariadb-10")
def test_where_a_sequence_goes_on_from_is_not_set_back(place: Place) -> None:
    database = place.fresh(SEQUENCE)
    there_and_back(database, "ALTER SEQUENCE numbers RESTART WITH 500;")
    assert database.query("SELECT NEXT VALUE FOR numbers") == [(500,)]


HISTORY = """
CREATE TABLE lived (id int PRIMARY KEY, v int, name varchar(20) CHARACTER SET latin1) WITH SYSTEM VERSIONING;
INSERT INTO lived VALUES (1, 1, 'a'); UPDATE lived SET v = 2;
"""
KEEP = "SET SESSION system_versioning_alter_history = KEEP;"


@pytest.mark.on("mariadb-10")
@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE lived ADD COLUMN more int;",
        "ALTER TABLE lived DROP COLUMN v;",
        "-- driftflow: archive\nALTER TABLE lived DROP COLUMN v;",
        "-- driftflow: soft-drop until=2026-01-02\nALTER TABLE lived DROP COLUMN v;",
        '-- driftflow: backfill column=more set="v + 1"\nALTER TABLE lived ADD COLUMN more int;',
    ],
)
def test_a_history_is_not_touched_without_leave(place: Place, change: str) -> None:
    """Said before anything runs, and not by the server in the middle."""
    database = place.fresh(HISTORY)
    with pytest.raises(RefusedError, match="system_versioning_alter_history = KEEP"):
        database.plan(change)
    assert database.plan(f"{KEEP}\n{change}").steps


@pytest.mark.on("mariadb-10")
@pytest.mark.parametrize(
    "change",
    [
        f"{KEEP} ALTER TABLE lived ADD COLUMN more int;",
        f"{KEEP} ALTER TABLE lived MODIFY v bigint;",
        "ALTER TABLE lived CONVERT TO CHARACTER SET utf8mb4;",
        "ALTER TABLE lived RENAME COLUMN v TO w;",
    ],
)
def test_with_leave_the_history_goes_there_and_back(place: Place, change: str) -> None:
    database = place.fresh(HISTORY)
    look = "SELECT id, name FROM lived FOR SYSTEM_TIME ALL"
    changed_and_back(database, change, lambda: (database.query("SHOW CREATE TABLE lived"), database.query(look)))


@pytest.mark.on("mariadb-10")
def test_the_history_of_rows_is_deleted_where_that_is_accepted(place: Place) -> None:
    """It was read as a DELETE of a table called history."""
    database = place.fresh(HISTORY)
    rights = (
        f"GRANT DELETE HISTORY ON {urlsplit(database.url).path.lstrip('/')}.lived TO {urlsplit(database.url).username}@localhost"
    )
    as_root(database, rights)
    plan = database.plan("DELETE HISTORY FROM lived;")
    assert len([step for step in plan.steps if isinstance(step.undo, Irreversible)]) == 1
    assert apply(plan, database).state == "done"
    assert database.query("SELECT v FROM lived FOR SYSTEM_TIME ALL") == [(2,)]


@pytest.mark.on("mysql")
def test_an_index_over_an_expression_goes_before_the_column_that_it_reads(place: Place) -> None:
    database = place.fresh(
        "CREATE TABLE t (id int PRIMARY KEY, v int, name varchar(20), KEY low ((lower(name)))); INSERT INTO t VALUES (1, 1, 'A');"
    )
    change = "-- driftflow: archive\nALTER TABLE t DROP COLUMN name;"
    with pytest.raises(RefusedError, match="DF-E643"):
        database.plan(change)
    changed_and_back(
        database, f"-- driftflow: cascade\n{change}", lambda: (database.structure(), database.query("SELECT * FROM t"))
    )
