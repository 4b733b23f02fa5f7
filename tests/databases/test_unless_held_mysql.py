"""The driver of MySQL and MariaDB: a statement that waits for nobody. While it does not wait, nobody waits behind it, and nobody is ended for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from driftflow.dialects.base import ErrorKind
from driftflow.drivers.urls import connector_for
from driftflow.engine.ports import DatabaseFault, Held
from driftflow.lab.mysql import Server, database_of
from driftflow.model.effects import LockClaim
from driftflow.model.names import Name

ALTER = "ALTER TABLE t ALTER COLUMN n SET DEFAULT {}"
ALONE = LockClaim(relation=Name(name="t"), mode="EXCLUSIVE", blocks=("reads", "writes", "ddl"))
READING = LockClaim(relation=Name(name="t"), mode="SHARED_READ_ONLY", blocks=("writes", "ddl"))


@pytest.fixture
def sessions(mysql_url: str) -> Iterator[tuple[Any, Any]]:
    """Ours, and the application's; a table with a row."""
    connector = connector_for(mysql_url)
    with closing(connector.connect()) as ours, closing(connector.connect("application")) as application:
        ours.execute("CREATE TABLE t (id INT PRIMARY KEY, n INT)")
        ours.execute("INSERT INTO t VALUES (1, 1)")
        ours.set_timeouts(lock_ms=3_000)
        yield ours, application


def default(connection: Any) -> object:
    query = "SELECT COLUMN_DEFAULT FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND COLUMN_NAME = 'n'"
    return connection.query(query)[0][0]


def test_a_table_that_somebody_has_read_is_left_to_him(sessions: tuple[Any, Any]) -> None:
    ours, application = sessions
    application.begin()
    application.query("SELECT n FROM t")
    with ours.unless_held((ALONE,)):
        for _ in range(3):
            with pytest.raises(Held) as held:
                ours.execute(ALTER.format(7))
        assert held.value.kind is ErrorKind.LOCK_TIMEOUT
        assert application.execute("UPDATE t SET n = 2 WHERE id = 1") == 1
        with pytest.raises(Held):
            ours.execute(ALTER.format(7))
        application.commit()
        ours.execute(ALTER.format(7))
    assert default(application) == "7"


def test_who_reads_is_not_in_the_way_of_a_lock_that_lets_him(sessions: tuple[Any, Any]) -> None:
    ours, application = sessions
    application.begin()
    application.query("SELECT n FROM t")
    with ours.unless_held((READING,)):
        ours.execute("LOCK TABLES t READ")
        ours.execute("UNLOCK TABLES")
        application.execute("UPDATE t SET n = 2 WHERE id = 1")
        with pytest.raises(Held):
            ours.execute("LOCK TABLES t READ")
    application.rollback()


def test_what_the_server_says_of_the_statement_itself(sessions: tuple[Any, Any]) -> None:
    ours, _ = sessions
    with ours.unless_held((ALONE,)):
        for sql, kind in (("ALTER TABLE t ADD COLUMN id INT", ErrorKind.DUPLICATE), ("ALTER TABEL t", ErrorKind.SYNTAX)):
            with pytest.raises(DatabaseFault) as fault:
                ours.execute(sql)
            assert fault.value.kind is kind and not isinstance(fault.value, Held)
        assert "line 1" in str(fault.value)
        assert ours.execute("UPDATE t SET n = 5") == 1
        ours.execute("DROP TRIGGER IF EXISTS no_such_trigger")
    assert any("no_such_trigger" in notice or "Trigger does not exist" in notice for notice in ours.notices())
    assert ours.query("SELECT n FROM t") == [(5,)]


def test_the_session_is_afterwards_what_it_was(sessions: tuple[Any, Any]) -> None:
    """One statement in each message, and the limit that was asked for."""
    ours, application = sessions
    with ours.unless_held((ALONE,)):
        ours.execute(ALTER.format(3))
    with pytest.raises(DatabaseFault) as fault:
        ours.execute("DELETE FROM t; DELETE FROM t")
    assert fault.value.kind is ErrorKind.SYNTAX
    assert [int(value) for value in ours.query("SELECT @@SESSION.lock_wait_timeout, @@SESSION.innodb_lock_wait_timeout")[0]] == [
        3,
        3,
    ]
    application.begin()
    application.query("SELECT n FROM t")
    with pytest.raises(DatabaseFault) as fault:
        ours.execute(ALTER.format(4))
    assert fault.value.kind is ErrorKind.LOCK_TIMEOUT and not isinstance(fault.value, Held)
    application.rollback()


def test_who_may_not_look_waits_as_ever(sessions: tuple[Any, Any], mysql_url: str, mysql_server: Server) -> None:
    """MySQL; MariaDB needs no right for it."""
    database, user = database_of(mysql_url), "'may_not_look'@'localhost'"
    with mysql_server.administration() as execute:
        execute(f"CREATE USER {user}")
        execute(f"GRANT ALL PRIVILEGES ON `{database}`.* TO {user}")
    url = f"{mysql_server.flavour}://may_not_look@localhost/{database}?unix_socket={mysql_server.socket}"
    _, application = sessions
    try:
        with closing(connector_for(url).connect()) as blind:
            blind.set_timeouts(lock_ms=1_000)
            with blind.unless_held((ALONE,)):
                blind.execute(ALTER.format(3))
                application.begin()
                application.query("SELECT n FROM t")
                with pytest.raises(DatabaseFault) as fault:
                    blind.execute(ALTER.format(4))
                application.rollback()
                assert fault.value.kind is ErrorKind.LOCK_TIMEOUT
                assert isinstance(fault.value, Held) == (mysql_server.flavour == "mariadb")
    finally:
        with mysql_server.administration() as execute:
            execute(f"DROP USER {user}")
    assert default(application) == "3"
