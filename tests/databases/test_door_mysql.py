"""MySQL: several tables locked in one go while writers come by: nobody is ended for it, and who is in the way keeps his tables."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from typing import Any

import pytest

from driftflow.drivers import mysql_door
from driftflow.drivers.mysql_free import execute_behind
from driftflow.drivers.urls import connector_for
from driftflow.engine.ports import Held
from driftflow.errors import ConnectError
from driftflow.model.effects import LockClaim
from driftflow.model.names import Name

pytestmark = pytest.mark.parametrize("mysql_family", [pytest.param("mysql-9", marks=pytest.mark.mysql)], indirect=True)
ALONE = ("reads", "writes", "ddl")
CLAIMS = tuple(LockClaim(relation=Name(name=name), mode="SHARED_NO_READ_WRITE", blocks=ALONE) for name in ("audit", "orders"))  # fmt: skip
DOOR = Name(name="orders")
LOCK = "LOCK TABLES audit WRITE, orders WRITE"


@pytest.fixture
def url(mysql_url: str) -> str:
    with closing(connector_for(mysql_url).connect()) as connection:
        connection.execute("CREATE TABLE orders (id INT PRIMARY KEY, n INT)")
        connection.execute("CREATE TABLE audit (id INT AUTO_INCREMENT PRIMARY KEY, n INT)")
        connection.execute("INSERT INTO orders VALUES (1, 1)")
        connection.execute("CREATE TRIGGER noted AFTER UPDATE ON orders FOR EACH ROW INSERT INTO audit (n) VALUES (NEW.n)")
    return mysql_url


@pytest.fixture
def sessions(url: str) -> Iterator[tuple[Any, Any]]:
    connector = connector_for(url)
    with closing(connector.connect()) as ours, closing(connector.connect("application")) as application:
        ours.set_timeouts(lock_ms=3_000)
        yield ours, application


def locked(connection: Any) -> set[tuple[str, str]]:
    """By whoever it is."""
    query = "SELECT OBJECT_NAME, LOCK_TYPE FROM performance_schema.metadata_locks WHERE OBJECT_SCHEMA = DATABASE() AND OBJECT_TYPE = 'TABLE'"
    return {(str(name), str(kind)) for name, kind in connection.query(query)}


def sessions_beside(connection: Any) -> int:
    query = "SELECT COUNT(*) FROM performance_schema.session_connect_attrs WHERE ATTR_NAME = 'program_name' AND ATTR_VALUE = 'driftflow beside'"
    return int(connection.query(query)[0][0])


def soon(connection: Any) -> None:
    """The server's own threads use a table now and then."""
    for _ in range(50):
        with suppress(Held):
            connection.execute(LOCK)
            return
        time.sleep(0.02)
    raise AssertionError("no moment was free")


def test_all_are_locked_and_the_door_is_open_again(sessions: tuple[Any, Any]) -> None:
    ours, application = sessions
    with ours.unless_held(CLAIMS, door=DOOR):
        soon(ours)
        assert locked(application) == {("audit", "SHARED_NO_READ_WRITE"), ("orders", "SHARED_NO_READ_WRITE")}
    ours.execute("ALTER TABLE orders ADD COLUMN m INT")
    ours.execute("UNLOCK TABLES")
    assert locked(application) == set()
    limit = ours.query("SELECT @@SESSION.lock_wait_timeout")
    assert limit == [(3,)]
    for _ in range(100):
        if not sessions_beside(application):
            return
        time.sleep(0.02)
    raise AssertionError("a session beside ours is still there")


@pytest.mark.parametrize(
    "use", ["UPDATE orders SET n = 2", "SELECT n FROM orders", "SELECT n FROM audit", "INSERT INTO audit (n) VALUES (1)"]
)
def test_who_uses_one_of_them_is_left_to_it(sessions: tuple[Any, Any], use: str) -> None:
    ours, application = sessions
    application.begin()
    application.query(use) if use.startswith("SELECT") else application.execute(use)
    with ours.unless_held(CLAIMS, door=DOOR):
        for _ in range(2):
            with pytest.raises(Held):
                ours.execute(LOCK)
        assert application.execute("UPDATE orders SET n = 3") == 1
        application.commit()
        soon(ours)
    ours.execute("UNLOCK TABLES")


def test_who_comes_in_between_waits_and_is_not_ended(
    url: str, sessions: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a pause where it is narrow: between the look and the request."""
    ours, application = sessions
    updated: list[int] = []

    def update() -> None:
        with closing(connector_for(url).connect("application")) as writer:
            updated.append(writer.execute("UPDATE orders SET n = n + 1"))

    writers = [threading.Thread(target=update) for _ in range(3)]

    def slowly(look: str, sql: str, cursor: Any) -> None:
        execute_behind(look, sql, cursor)
        if sql != LOCK:
            for writer in writers:
                writer.start()
            time.sleep(0.03)

    monkeypatch.setattr(mysql_door, "execute_behind", slowly)
    with ours.unless_held(CLAIMS, door=DOOR):
        ours.execute(LOCK)
        assert updated == []
    ours.execute("UNLOCK TABLES")
    for writer in writers:
        writer.join(10)
    assert updated == [1, 1, 1]
    assert application.query("SELECT n FROM orders") == [(4,)]


def test_a_request_that_waits_elsewhere_is_given_up(url: str, sessions: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody has the other table, and then writes by the door: both go on."""
    ours, application = sessions

    def late(look: str, sql: str, cursor: Any) -> None:
        if sql == LOCK:
            application.begin()
            application.execute("INSERT INTO audit (n) VALUES (7)")
            cursor.execute(sql)
        else:
            execute_behind(look, sql, cursor)

    monkeypatch.setattr(mysql_door, "execute_behind", late)
    with ours.unless_held(CLAIMS, door=DOOR):
        with pytest.raises(Held, match="somebody uses"):
            ours.execute(LOCK)
        assert application.execute("UPDATE orders SET n = 5") == 1
        application.commit()
        monkeypatch.undo()
        soon(ours)
        assert ours.query("SELECT n FROM orders") == [(5,)]
    ours.execute("UNLOCK TABLES")


def test_the_session_beside_is_lost(sessions: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """While it keeps the door, and before it does: the tables are locked all the same."""
    ours, application = sessions
    lost_at = [LOCK]

    def lossy(look: str, sql: str, cursor: Any) -> None:
        if sql in lost_at:
            query = "SELECT PROCESSLIST_ID FROM performance_schema.session_connect_attrs WHERE ATTR_NAME = 'program_name' AND ATTR_VALUE = 'driftflow beside'"
            for (number,) in application.query(query):
                application.execute(f"KILL {number}")
            time.sleep(0.1)
        execute_behind(look, sql, cursor)

    monkeypatch.setattr(mysql_door, "execute_behind", lossy)
    for lost_at[:] in ([LOCK], ["LOCK TABLES orders READ"]):
        with ours.unless_held(CLAIMS, door=DOOR):
            soon(ours)
            assert locked(application) == {("audit", "SHARED_NO_READ_WRITE"), ("orders", "SHARED_NO_READ_WRITE")}
        ours.execute("UNLOCK TABLES")


def test_without_a_session_more_it_is_tried_as_ever(sessions: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    ours, application = sessions
    asked: list[str] = []

    def refused(purpose: str) -> Any:
        asked.append(purpose)
        raise ConnectError("DF-E408", "too many connections")

    monkeypatch.setattr(ours._connector, "raw", refused)
    with ours.unless_held(CLAIMS, door=DOOR):
        application.begin()
        application.execute("UPDATE orders SET n = 2")
        for _ in range(3):
            with pytest.raises(Held):
                ours.execute(LOCK)
        application.commit()
        soon(ours)
    ours.execute("UNLOCK TABLES")
    assert len(asked) == 1
