"""MySQL: what the catalog says is locked together with a table is what LOCK TABLES takes, whether it is named or not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from driftflow.dialects.mysql.tied import lock_tables, locked_with
from driftflow.drivers.catalogs import catalog_of
from driftflow.drivers.urls import connector_for
from driftflow.lab.mysql_locks import STRENGTH
from driftflow.model.catalog import Catalog
from driftflow.model.names import Name

pytestmark = pytest.mark.parametrize("mysql_family", [pytest.param("mysql-9", marks=pytest.mark.mysql)], indirect=True)
SCHEMA = (
    "CREATE TABLE top (id int PRIMARY KEY)",
    "CREATE TABLE above (id int PRIMARY KEY, top int, FOREIGN KEY (top) REFERENCES top (id))",
    "CREATE TABLE beside (id int PRIMARY KEY)",
    "CREATE TABLE t (id int PRIMARY KEY, above int, t int, FOREIGN KEY (above) REFERENCES above (id), FOREIGN KEY (t) REFERENCES t (id))",
    "CREATE TABLE refuses (id int PRIMARY KEY, t int, FOREIGN KEY (t) REFERENCES t (id))",
    "CREATE TABLE follows (id int PRIMARY KEY, t int, b int, FOREIGN KEY (t) REFERENCES t (id) ON DELETE CASCADE, FOREIGN KEY (b) REFERENCES beside (id))",
    "CREATE TABLE last (id int PRIMARY KEY, f int, FOREIGN KEY (f) REFERENCES follows (id) ON DELETE SET NULL)",
    "CREATE TABLE audit (id int PRIMARY KEY)",
    "CREATE TABLE audit2 (id int PRIMARY KEY)",
    "CREATE TABLE allowed (id int PRIMARY KEY)",
    "CREATE TABLE counted (id int PRIMARY KEY)",
    "CREATE TABLE viewed (id int PRIMARY KEY)",
    "CREATE VIEW seen AS SELECT id FROM viewed",
    "CREATE TABLE stranger (id int PRIMARY KEY)",
    "CREATE TRIGGER a AFTER INSERT ON t FOR EACH ROW INSERT INTO audit VALUES (NEW.id)",
    "CREATE TRIGGER b AFTER INSERT ON audit FOR EACH ROW INSERT INTO audit2 VALUES (NEW.id)",
    """CREATE TRIGGER c BEFORE UPDATE ON stranger FOR EACH ROW BEGIN DECLARE n int;
    IF EXISTS (SELECT 1 FROM allowed WHERE id = NEW.id) THEN SET n = (SELECT count(*) FROM counted, seen); END IF; END""",
)
HARMLESS = ("SHARED_READ", "SHARED_WRITE")
HELD = """
SELECT OBJECT_NAME, LOCK_TYPE FROM performance_schema.metadata_locks
WHERE OBJECT_TYPE = 'TABLE' AND OBJECT_SCHEMA = %s AND OWNER_THREAD_ID = (SELECT THREAD_ID FROM performance_schema.threads WHERE PROCESSLIST_ID = %s)
"""


@pytest.fixture
def sessions(mysql_url: str) -> Iterator[tuple[Any, Any, Catalog]]:
    """One that locks, one that looks, and the catalog."""
    with closing(connector_for(mysql_url).connect()) as ours, closing(connector_for(mysql_url).connect()) as other:
        for statement in SCHEMA:
            ours.execute(statement)
        yield ours, other, catalog_of(ours)


def held(ours: Any, other: Any, lock: str) -> set[tuple[str, str]]:
    """(table, mode) of what LOCK TABLES takes and somebody may notice."""
    database = ours.query("SELECT DATABASE()")[0][0]
    ours.execute(lock)
    try:
        return {(name, mode) for name, mode in other.query(HELD, (database, ours.session.id)) if mode not in HARMLESS}
    finally:
        ours.execute("UNLOCK TABLES")


@pytest.mark.parametrize("table", ["t", "above", "follows", "audit", "stranger", "beside", "last"])
def test_it_is_what_the_server_takes(sessions: tuple[Any, Any, Catalog], table: str) -> None:
    ours, other, catalog = sessions
    claims = locked_with([Name(schema=catalog.database, name=table)], catalog)
    claimed = {claim.relation.name: claim.mode for claim in claims}
    by_itself = held(ours, other, f"LOCK TABLES {table} WRITE")
    assert [one for one in by_itself if STRENGTH.index(one[1]) > STRENGTH.index(claimed.get(one[0], "SHARED"))] == []
    assert held(ours, other, lock_tables(claims)) == set(claimed.items())


@pytest.mark.parametrize(
    "statement", ["CREATE TRIGGER more AFTER UPDATE ON t FOR EACH ROW INSERT INTO stranger VALUES (NEW.id)", "DROP TRIGGER a"]
)
def test_nothing_more_is_locked_while_a_trigger_is_made_or_dropped(sessions: tuple[Any, Any, Catalog], statement: str) -> None:
    ours, other, catalog = sessions
    claims = locked_with([Name(schema=catalog.database, name="t")], catalog)
    ours.execute(lock_tables(claims))
    ours.execute(statement)
    found = other.query(HELD, (catalog.database, ours.session.id))
    ours.execute("UNLOCK TABLES")
    assert {name for name, mode in found if mode not in HARMLESS} <= {claim.relation.name for claim in claims}


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("CALL p()", id="a routine, which may name anything"),
        pytest.param("SET @n = f()", id="a function of the database"),
        pytest.param("INSERT INTO elsewhere.audit VALUES (NEW.id)", id="a table of another database"),
    ],
)
def test_what_is_not_known_is_not_guessed(sessions: tuple[Any, Any, Catalog], body: str) -> None:
    ours, _, _ = sessions
    ours.execute("CREATE PROCEDURE p() DELETE FROM audit")
    ours.execute("CREATE FUNCTION f() RETURNS int READS SQL DATA RETURN (SELECT count(*) FROM audit)")
    assert locked_with([Name(schema=catalog_of(ours).database, name="beside")], catalog_of(ours)) != ()
    ours.execute(f"CREATE TRIGGER d AFTER INSERT ON beside FOR EACH ROW {body}")
    assert locked_with([Name(schema=catalog_of(ours).database, name="beside")], catalog_of(ours)) == ()
