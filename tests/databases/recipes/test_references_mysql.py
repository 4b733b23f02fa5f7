"""Foreign keys from and to partitioned tables of MySQL and MariaDB, which have none: kept by triggers, also between two transactions."""

from __future__ import annotations

from contextlib import closing

import pytest
from recipes.rig import Database, Place, PlainSession, Recipe, apply, show

from driftflow.errors import RefusedError, StepFailedError
from driftflow.model.plan import ChunkPolicy, Verify
from driftflow.model.record import replace

ON_MYSQL = pytest.mark.on("mysql", "mariadb")
NUMBERS = "(WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 100) SELECT n FROM s) AS x"
LOG = f"""
CREATE TABLE kinds (id bigint PRIMARY KEY, word varchar(20));
CREATE TABLE log (id bigint, kind bigint, day date, PRIMARY KEY (id, day)) PARTITION BY RANGE COLUMNS (day)
    (PARTITION early VALUES LESS THAN ('2031-01-01'), PARTITION late VALUES LESS THAN (MAXVALUE));
INSERT INTO kinds SELECT n, 'k' FROM {NUMBERS} WHERE n < 20;
INSERT INTO log SELECT n, n % 9 + 1, date_add('2030-01-01', INTERVAL n * 7 DAY) FROM {NUMBERS};
"""
WRITES = (
    "INSERT INTO log VALUES (1000 + {n}, {n} % 9 + 1, '2030-05-05')",
    "UPDATE log SET kind = 2 WHERE id = {n} % 100 + 1",
    "UPDATE kinds SET word = 'w{n}' WHERE id = {n} % 19 + 1",
    "INSERT INTO kinds VALUES (1000 + {n}, 'new')",
    "DELETE FROM kinds WHERE id = 1000 + {n} - 4",
)
ADD = "ALTER TABLE log ADD CONSTRAINT log_kind FOREIGN KEY (kind) REFERENCES kinds (id){more};"


def refuses(database: Database, sql: str) -> None:
    with closing(PlainSession(database.url)) as session, pytest.raises(Exception, match="foreign key kept by triggers"):
        session.run((sql,))


@ON_MYSQL
@pytest.mark.recipe(
    "fk-partitioned",
    "emulated",
    on=("mysql", "mariadb"),
    why="triggers on both sides, which lock the other row; without the directive it is refused",
)
def test_from_a_partitioned_table(place: Place) -> None:
    migration = "-- driftflow: by-trigger\n" + ADD.format(more="")
    shown = show(
        place, Recipe(schema=LOG, migration=migration, naive="SELECT 1;", old=WRITES, expected=lambda database: database.rows())
    )
    for sql in (
        "INSERT INTO log VALUES (9001, 77, '2030-05-05')",
        "UPDATE log SET kind = 77 WHERE id = 5",
        "DELETE FROM kinds WHERE id = 2",
        "UPDATE kinds SET id = 77 WHERE id = 2",
    ):
        refuses(shown.planned, sql)
    shown.planned.run("INSERT INTO log VALUES (9001, NULL, '2030-05-05'); DELETE FROM kinds WHERE id = 19")
    with pytest.raises(RefusedError) as refused:
        place.fresh(LOG).plan(ADD.format(more=""))
    assert refused.value.code == "DF-E713"
    assert "by-trigger" in refused.value.hint


@ON_MYSQL
def test_rows_go_along_and_follow_where_that_was_said(place: Place) -> None:
    database = place.fresh(LOG)
    plan = database.plan("-- driftflow: by-trigger\n" + ADD.format(more=" ON DELETE SET NULL ON UPDATE CASCADE"))
    assert apply(plan, database).state == "done"
    before = database.query("SELECT count(*) FROM log WHERE kind = 2")
    database.run("UPDATE kinds SET id = 77 WHERE id = 2; DELETE FROM kinds WHERE id = 3")
    assert database.query("SELECT count(*) FROM log WHERE kind = 77") == before
    assert database.query("SELECT count(*) FROM log WHERE kind = 3 OR kind = 2") == [(0,)]
    other = place.fresh(LOG)
    assert apply(other.plan("-- driftflow: by-trigger\n" + ADD.format(more=" ON DELETE CASCADE")), other).state == "done"
    other.run("DELETE FROM kinds WHERE id = 3")
    assert other.query("SELECT count(*) FROM log WHERE kind = 3 OR kind IS NULL") == [(0,)]


@ON_MYSQL
def test_to_a_partitioned_table_between_two_transactions(place: Place) -> None:
    database = place.fresh(
        "CREATE TABLE kinds (id bigint PRIMARY KEY) PARTITION BY HASH (id) PARTITIONS 3; INSERT INTO kinds VALUES (1), (2), (3);"
        "CREATE TABLE log (id bigint PRIMARY KEY, kind bigint);"
    )
    assert apply(database.plan("-- driftflow: by-trigger\n" + ADD.format(more="")), database).state == "done"
    with closing(PlainSession(database.url)) as writer, closing(PlainSession(database.url)) as deleter:
        writer.run(("BEGIN",))
        writer.run(("INSERT INTO log VALUES (1, 2)",))
        with pytest.raises(Exception, match="Lock wait timeout"):
            deleter.run(("DELETE FROM kinds WHERE id = 2",))
        writer.run(("COMMIT",))
        with pytest.raises(Exception, match="foreign key kept by triggers"):
            deleter.run(("DELETE FROM kinds WHERE id = 2",))
        deleter.run(("BEGIN",))
        deleter.run(("DELETE FROM kinds WHERE id = 3",))
        with pytest.raises(Exception, match="Lock wait timeout"):
            writer.run(("INSERT INTO log VALUES (2, 3)",))
        deleter.run(("COMMIT",))
        with pytest.raises(Exception, match="foreign key kept by triggers"):
            writer.run(("INSERT INTO log VALUES (2, 3)",))


@ON_MYSQL
@pytest.mark.parametrize("lost", [(), (1,), (10, 11), (37, 100)])
def test_the_proof_of_a_foreign_key_adds_up_its_chunks(place: Place, lost: tuple[int, ...]) -> None:
    """Along a key of two columns, ten rows at a time; what a session left that asks for no checks is found in whichever chunk it lies."""
    schema = f"""
    CREATE TABLE kinds (id bigint PRIMARY KEY); INSERT INTO kinds VALUES (1), (2);
    CREATE TABLE log (day date, id bigint, kind bigint, PRIMARY KEY (day, id));
    INSERT INTO log SELECT date_add('2030-01-01', INTERVAL n DIV 7 DAY), n, n % 2 + 1 FROM {NUMBERS};
    """
    database = place.fresh(schema)
    database.run("".join(f"UPDATE log SET kind = 9 WHERE id = {number};" for number in lost) or "SELECT 1")
    plan = database.plan(ADD.format(more=""))
    (proof,) = [step for step in plan.steps if isinstance(step, Verify)]
    (expectation,) = proof.expectations
    assert expectation.walk is not None and expectation.walk.key == ("day", "id")
    small = replace(expectation.walk, chunk=ChunkPolicy(rows_first=10, rows_max=10, rest_percent=0))
    alone = replace(plan, steps=(replace(proof, expectations=(replace(expectation, walk=small),)),))
    if not lost:
        assert apply(alone, database).state == "done"
        return
    with pytest.raises(StepFailedError) as failed:
        apply(alone, database)
    assert failed.value.why == f"expected 0, found {len(lost)}"


@pytest.mark.on("sqlite")
@pytest.mark.recipe("fk-partitioned", "refused", on=("sqlite",), why="SQLite has no partitioned tables")
def test_sqlite_has_no_partitions(place: Place) -> None:
    with pytest.raises(RefusedError) as refused:
        place.fresh("").plan("CREATE TABLE log (id integer PRIMARY KEY, day text) PARTITION BY RANGE (day);")
    assert refused.value.code == "DF-E714"


@pytest.mark.on("sqlite")
@pytest.mark.recipe("fk-cross", "refused", on=("sqlite",), why="tables of attached databases cannot reference each other")
@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE log ADD CONSTRAINT log_kind FOREIGN KEY (kind) REFERENCES other.kinds (id);",
        "CREATE TABLE notes (id integer PRIMARY KEY, kind integer REFERENCES other.kinds (id));",
    ],
)
def test_sqlite_references_no_other_database(place: Place, statement: str) -> None:
    with pytest.raises(RefusedError) as refused:
        place.fresh("CREATE TABLE log (id integer PRIMARY KEY, kind integer);").plan(statement)
    assert refused.value.code == "DF-E714"
