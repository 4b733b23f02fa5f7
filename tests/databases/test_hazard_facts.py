"""What checks claim about servers and no comparison of effects shows: asked of the servers themselves."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import psycopg
import pytest

from driftflow.drivers.urls import connector_for
from driftflow.engine.ports import DatabaseFault

TWO = "CREATE INDEX CONCURRENTLY t_a ON t (a); CREATE INDEX CONCURRENTLY t_b ON t (b);"


@pytest.fixture
def db(postgresql_url: str) -> Any:
    with psycopg.connect(postgresql_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE t (id bigint PRIMARY KEY, a int, b int)")
        yield connection


def test_one_string_of_several_statements_is_a_transaction(db: Any) -> None:
    """DF304 of dbmate's transaction:false, golang-migrate, Prisma and diesel: alone it runs, beside another it is refused."""
    with pytest.raises(psycopg.errors.ActiveSqlTransaction):
        db.execute(TWO)
    with pytest.raises(psycopg.errors.ActiveSqlTransaction), db.transaction():
        db.execute(TWO.partition(";")[0])
    db.execute(TWO.partition(";")[0])
    assert db.execute("SELECT count(*) FROM pg_indexes WHERE indexname = 't_a'").fetchone() == (1,)


def test_a_published_table_without_a_key_cannot_be_updated(db: Any) -> None:
    """DF411, for a key that is dropped and for FOR ALL TABLES."""
    db.execute("INSERT INTO t VALUES (1, 1, 1); CREATE PUBLICATION everything FOR ALL TABLES")
    db.execute("UPDATE t SET a = 2")
    db.execute("ALTER TABLE t DROP CONSTRAINT t_pkey")
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState):
        db.execute("UPDATE t SET a = 3")
    db.execute("ALTER TABLE t REPLICA IDENTITY FULL")
    db.execute("UPDATE t SET a = 3")


def test_long_names_are_cut_to_63_bytes(db: Any) -> None:
    """DF006."""
    db.execute(f'CREATE INDEX "{"ä" * 40}" ON t (a); CREATE INDEX {"n" * 70} ON t (b)')
    names = {name for (name,) in db.execute("SELECT indexname FROM pg_indexes WHERE tablename = 't'")}
    assert {"ä" * 31, "n" * 63} < names


def test_if_not_exists_keeps_what_is_there(db: Any) -> None:
    """DF124."""
    db.execute("ALTER TABLE t ADD COLUMN IF NOT EXISTS a text")
    assert db.execute(
        "SELECT data_type FROM information_schema.columns WHERE table_name = 't' AND column_name = 'a'"
    ).fetchone() == ("integer",)


def test_a_view_made_anew_has_no_triggers_and_grants(db: Any) -> None:
    """DF602; OR REPLACE keeps both."""
    db.execute("CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'")
    kept = (
        "SELECT count(*) FROM pg_trigger WHERE tgrelid = 'v'::regclass",
        "SELECT relacl IS NULL FROM pg_class WHERE relname = 'v'",
    )
    db.execute("CREATE VIEW v AS SELECT id FROM t; GRANT SELECT ON v TO PUBLIC")
    db.execute("CREATE TRIGGER i INSTEAD OF INSERT ON v FOR EACH ROW EXECUTE FUNCTION f()")
    db.execute("CREATE OR REPLACE VIEW v AS SELECT id, a FROM t")
    assert [db.execute(query).fetchone() for query in kept] == [(1,), (False,)]
    db.execute("DROP VIEW v; CREATE VIEW v AS SELECT id, a FROM t")
    assert [db.execute(query).fetchone() for query in kept] == [(0,), (True,)]


def test_an_index_of_a_function_goes_stale(db: Any) -> None:
    """DF413: a row is in the table, and the index does not find it."""
    body = "CREATE OR REPLACE FUNCTION twice(x int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN x * {0}; END'"
    db.execute(body.format(2))
    db.execute("INSERT INTO t VALUES (1, 10, 1); CREATE INDEX t_twice ON t (twice(a))")
    db.execute(body.format(3))
    db.execute("SET enable_seqscan = off")
    assert db.execute("SELECT count(*) FROM t WHERE twice(a) = 30").fetchone() == (0,)
    db.execute("SET enable_seqscan = on; SET enable_indexscan = off; SET enable_bitmapscan = off")
    assert db.execute("SELECT count(*) FROM t WHERE twice(a) = 30").fetchone() == (1,)


def test_generated_without_a_kind(postgresql_server: Any, db: Any) -> None:
    """DF121: VIRTUAL since 18, a syntax error before."""
    sql = "ALTER TABLE t ADD COLUMN c int GENERATED ALWAYS AS (a * 2)"
    if postgresql_server.version < 18:
        with pytest.raises(psycopg.errors.SyntaxError):
            db.execute(sql)
        return
    db.execute(sql)
    assert db.execute("SELECT attgenerated FROM pg_attribute WHERE attrelid = 't'::regclass AND attname = 'c'").fetchone() == (
        "v",
    )


@pytest.fixture
def shop(mysql_url: str) -> Any:
    with closing(connector_for(mysql_url).connect("test")) as connection:
        connection.execute("CREATE TABLE t (id bigint NOT NULL PRIMARY KEY, a int) ENGINE=InnoDB")
        connection.execute("INSERT INTO t VALUES (1, 1)")
        connection.execute("CREATE TABLE archive (id bigint NOT NULL PRIMARY KEY, a int) ENGINE=InnoDB")
        yield connection


def test_ddl_ends_the_transaction_that_changed_rows(shop: Any) -> None:
    """DF667, and the walk: what follows a DDL can not be rolled back with what stood before it."""
    shop.execute("START TRANSACTION")
    shop.execute("UPDATE t SET a = 2")
    shop.execute("ALTER TABLE t ADD COLUMN b int")
    shop.execute("UPDATE t SET a = 3")
    shop.execute("ROLLBACK")
    assert shop.query("SELECT a FROM t")[0][0] == 3


def test_names_of_more_than_64_characters_are_refused(shop: Any) -> None:
    """DF006."""
    shop.execute(f"ALTER TABLE t ADD COLUMN {'n' * 64} int")
    with pytest.raises(DatabaseFault, match="too long"):
        shop.execute(f"ALTER TABLE t ADD COLUMN {'n' * 65} int")


def test_insert_select_keeps_writers_from_what_it_reads(shop: Any, mysql_url: str) -> None:
    """DF713: under REPEATABLE READ the rows that are read stay locked until the commit."""
    shop.execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    shop.execute("START TRANSACTION")
    shop.execute("INSERT INTO archive (id, a) SELECT id, a FROM t")
    with closing(connector_for(mysql_url).connect("test")) as other:
        other.execute("SET SESSION innodb_lock_wait_timeout = 1")
        with pytest.raises(DatabaseFault, match="Lock wait timeout"):
            other.execute("UPDATE t SET a = 5 WHERE id = 1")
    shop.execute("ROLLBACK")


def test_a_dropped_column_shortens_an_index(shop: Any) -> None:
    """DF112: silently, and on MySQL with an error where the rest is no longer unique."""
    shop.execute("ALTER TABLE archive ADD COLUMN b int, ADD INDEX ab (a, b)")
    shop.execute("ALTER TABLE archive DROP COLUMN b")
    left = shop.query(
        "SELECT column_name FROM information_schema.statistics WHERE table_schema = database() AND index_name = 'ab'"
    )
    assert [row[0] for row in left] == ["a"]


def test_a_column_of_a_unique_index_is_dropped(shop: Any, mysql_family: str) -> None:
    """MySQL shortens the index and may find duplicates; MariaDB refuses it, whatever the rows."""
    shop.execute("ALTER TABLE t ADD COLUMN b int, ADD UNIQUE INDEX ab (a, b)")
    if mysql_family.startswith("mariadb"):
        with pytest.raises(DatabaseFault, match="Key column 'b' doesn't exist"):
            shop.execute("ALTER TABLE t DROP COLUMN b")
        shop.execute("ALTER TABLE t DROP COLUMN b, DROP INDEX ab")
        return
    shop.execute("INSERT INTO t VALUES (2, 1, 2), (3, 1, 3)")
    with pytest.raises(DatabaseFault, match="Duplicate entry"):
        shop.execute("ALTER TABLE t DROP COLUMN b")


@pytest.mark.parametrize(
    "sql",
    [
        "ALTER TABLE t ADD COLUMN IF NOT EXISTS x int",
        "ALTER TABLE t DROP COLUMN IF EXISTS x",
        "ALTER TABLE t MODIFY COLUMN IF EXISTS a bigint",
        "ALTER TABLE t DROP INDEX IF EXISTS x",
        "ALTER TABLE IF EXISTS t ADD COLUMN x int",
        "CREATE INDEX IF NOT EXISTS x ON t (a)",
        "CREATE OR REPLACE INDEX x ON t (a)",
        "DROP INDEX IF EXISTS x ON t",
        "ALTER IGNORE TABLE t ADD UNIQUE (a)",
        "DELETE FROM t WHERE id = 9 RETURNING id",
    ],
)
def test_what_only_mariadb_has(shop: Any, mysql_family: str, sql: str) -> None:
    """DF005: a syntax error on MySQL."""
    if mysql_family.startswith("mariadb"):
        shop.execute(sql)
        return
    with pytest.raises(DatabaseFault, match="You have an error in your SQL syntax"):
        shop.execute(sql)


def test_a_type_that_only_mariadb_has(shop: Any, mysql_family: str) -> None:
    """DF005."""
    if mysql_family.startswith("mysql"):
        with pytest.raises(DatabaseFault, match="You have an error in your SQL syntax"):
            shop.execute("ALTER TABLE t ADD COLUMN x uuid")


def test_both_sides_of_a_foreign_key_in_create_table(shop: Any) -> None:
    """DF001: the referenced column is a bigint."""
    with pytest.raises(DatabaseFault):
        shop.execute("CREATE TABLE z (id int NOT NULL PRIMARY KEY, u int, FOREIGN KEY (u) REFERENCES t (id)) ENGINE=InnoDB")
    shop.execute("CREATE TABLE z (id int NOT NULL PRIMARY KEY, u bigint, FOREIGN KEY (u) REFERENCES t (id)) ENGINE=InnoDB")


def test_digits_and_fractions_go_without_an_error(shop: Any) -> None:
    """DF109, in the strict mode that both servers begin with; what is out of range is refused (DF002)."""
    shop.execute("CREATE TABLE v (id int NOT NULL PRIMARY KEY, price decimal(10,2), at datetime(6)) ENGINE=InnoDB")
    shop.execute("INSERT INTO v VALUES (1, 123.45, '2020-01-01 10:11:12.654321')")
    with pytest.raises(DatabaseFault, match="Out of range"):
        shop.execute("ALTER TABLE v MODIFY price decimal(4,2)")
    shop.execute("ALTER TABLE v MODIFY price decimal(10,1)")
    shop.execute("ALTER TABLE v MODIFY at date")
    assert [str(one) for one in shop.query("SELECT price, at FROM v")[0]] == ["123.5", "2020-01-01"]


def test_a_date_without_a_default_for_old_rows(shop: Any, mysql_family: str) -> None:
    """DF002 on MySQL, DF665 on MariaDB."""
    if mysql_family.startswith("mysql"):
        with pytest.raises(DatabaseFault, match="Incorrect date value"):
            shop.execute("ALTER TABLE t ADD COLUMN x date NOT NULL")
        return
    shop.execute("ALTER TABLE t ADD COLUMN x date NOT NULL")


def test_what_postgresql_refuses_of_a_table_and_its_functions(db: Any) -> None:
    """DF001 of SET UNLOGGED and DROP FUNCTION, DF102 of a domain."""
    db.execute("CREATE TABLE child (id bigint PRIMARY KEY, t bigint REFERENCES t (id))")
    with pytest.raises(psycopg.errors.InvalidTableDefinition):
        db.execute("ALTER TABLE t SET UNLOGGED")
    db.execute("CREATE FUNCTION twice(x int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT x * 2'")
    db.execute("CREATE INDEX by_twice ON t (twice(a))")
    with pytest.raises(psycopg.errors.DependentObjectsStillExist):
        db.execute("DROP FUNCTION twice(int)")
    db.execute("CREATE DOMAIN given AS integer NOT NULL; INSERT INTO t VALUES (1, 1, 1)")
    with pytest.raises(psycopg.errors.NotNullViolation):
        db.execute("ALTER TABLE t ADD COLUMN x given")
