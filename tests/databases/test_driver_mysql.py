"""The driver of MySQL and MariaDB on real servers: what it refuses, and how a server's error reaches the engine."""

from __future__ import annotations

import os
import threading
import time
from typing import Any

import pytest

from driftflow.dialects.base import ErrorKind
from driftflow.dialects.mysql.engine_kind import engine_kind
from driftflow.drivers.urls import connector_for
from driftflow.engine.ports import DatabaseFault
from driftflow.errors import ConnectError
from driftflow.lab.mysql import Server, database_of


def fault_of(connection: Any, sql: str) -> DatabaseFault:
    with pytest.raises(DatabaseFault) as caught:
        connection.execute(sql)
    connection.rollback()
    return caught.value


def slow(connection: Any, seconds: int = 20) -> str:
    """A SELECT that takes long; MySQL's own limit does not reach SLEEP alone, but a query that sleeps for each row."""
    return f"SELECT SLEEP({seconds}) FROM t"


def test_errors(mysql_url: str, mysql_server: Server) -> None:
    connection = connector_for(mysql_url).connect()
    assert connection.dialect == mysql_server.flavour and str(connection.version) == str(mysql_server.version)
    connection.execute("CREATE TABLE t (id INT PRIMARY KEY, CHECK (id > 0))")
    assert connection.execute("INSERT INTO t VALUES (1)") == 1
    assert fault_of(connection, "INSERT INTO t VALUES (1)").kind is ErrorKind.DUPLICATE
    assert fault_of(connection, "INSERT INTO t VALUES (0)").kind is ErrorKind.CONSTRAINT
    assert fault_of(connection, "CREATE TABLE t (id INT)").kind is ErrorKind.DUPLICATE
    assert fault_of(connection, "SELEC 1").kind is ErrorKind.SYNTAX
    assert fault_of(connection, "SELECT 1; SELECT 2").kind is ErrorKind.SYNTAX, "one statement per message"
    # MariaDB's number for it is the one with which MySQL ends an idle session.
    behind_nobody = "CREATE TRIGGER a BEFORE INSERT ON t FOR EACH ROW FOLLOWS nobody SET @a = 1"
    assert fault_of(connection, behind_nobody).kind is ErrorKind.OTHER
    assert connection.execute("UPDATE t SET id = 1 WHERE id = 1") == 1, "rows that matched count, changed or not"
    connection.begin(write=False)
    assert fault_of(connection, "INSERT INTO t VALUES (5)").kind is ErrorKind.READ_ONLY
    connection.set_timeouts(statement_ms=200)
    if mysql_server.flavour == "mariadb":
        assert fault_of(connection, slow(connection)).kind is ErrorKind.STATEMENT_TIMEOUT
    else:
        assert fault_of(connection, "SELECT COUNT(*) FROM information_schema.COLUMNS a, information_schema.COLUMNS b").kind is (
            ErrorKind.STATEMENT_TIMEOUT
        )
    connection.set_timeouts(statement_ms=0)
    threading.Timer(0.3, connection.cancel).start()
    begun = time.monotonic()
    fault = fault_of(connection, "UPDATE t SET id = id + SLEEP(20)")
    assert fault.kind is ErrorKind.CANCELLED and time.monotonic() - begun < 10
    assert connection.query("SELECT @@transaction_isolation" if mysql_server.flavour == "mysql" else "SELECT @@tx_isolation") == [
        ("READ-COMMITTED",)
    ]
    connection.execute("DROP TABLE IF EXISTS none")
    assert any("none" in notice for notice in connection.notices())
    assert connection.notices() == ()
    connection.execute("CREATE TABLE warned AS SELECT 'secret' AS word")
    connection.execute("SELECT MAX(CAST(word AS SIGNED)) FROM warned")
    (said,) = connection.notices()
    assert said.startswith("Warning: Truncated incorrect INTEGER value") and "secret" not in said
    connection.close()


def test_transactions_and_locks(mysql_url: str, mysql_server: Server) -> None:
    connector = connector_for(mysql_url)
    first, second = connector.connect(), connector.connect()
    first.execute("CREATE TABLE t (id INT PRIMARY KEY, n INT)")
    first.begin()
    first.execute("INSERT INTO t VALUES (1, 1)")
    assert first.in_transaction and not second.in_transaction
    second.set_timeouts(lock_ms=1_000)
    assert second.query("SELECT COUNT(*) FROM t") == [(0,)]
    blocked: list[DatabaseFault] = []
    waiting = threading.Thread(target=lambda: blocked.append(fault_of(second, "ALTER TABLE t ADD COLUMN x INT")))
    waiting.start()
    time.sleep(0.4)
    admin = connector.connect()
    holders = admin.blockers(second.session)
    assert [one.session.id for one in holders] == [first.session.id] and holders[0].state == "idle"
    assert admin.session_state(second.session) == "active" and admin.session_state(first.session) == "idle"
    waiting.join()
    assert blocked[0].kind is ErrorKind.LOCK_TIMEOUT
    first.commit()
    assert second.query("SELECT n FROM t") == [(1,)]
    first.begin()
    first.execute("UPDATE t SET n = 2")
    rows = threading.Thread(target=lambda: blocked.append(fault_of(second, "UPDATE t SET n = 3")))
    rows.start()
    time.sleep(0.4)
    assert [one.session.id for one in admin.blockers(second.session)] == [first.session.id]
    rows.join()
    assert blocked[1].kind is ErrorKind.LOCK_TIMEOUT
    admin.end_session(first.session, force=True)
    ends = time.monotonic() + 10
    while admin.session_state(first.session) != "gone" and time.monotonic() < ends:
        time.sleep(0.05)
    assert admin.session_state(first.session) == "gone"
    assert fault_of(first, "SELECT 1").kind is ErrorKind.CONNECTION_LOST
    assert fault_of(first, "SELECT 1").kind is ErrorKind.CONNECTION_LOST
    first.rollback()
    assert second.query("SELECT n FROM t") == [(1,)]
    admin.end_session(first.session, force=False)
    for connection in (first, second, admin):
        connection.close()


def test_loading_streaming_and_values(mysql_url: str) -> None:
    connection = connector_for(mysql_url).connect()
    connection.execute("CREATE TABLE `T %s` (id INT, `text` TEXT)")
    rows = [(1, "a\tb\\n"), (2, None), (3, "ünïcode 'quoted' \N{PILE OF POO}")]
    assert connection.load("`T %%s`", ["id", "`text`"], rows) == 3
    assert list(connection.stream("SELECT * FROM `T %s` ORDER BY 1", batch=2)) == rows
    assert connection.query_dicts("SELECT id FROM `T %%s` WHERE id = %s", (2,)) == [{"id": 2}]
    assert connection.execute_many("UPDATE `T %%s` SET id = %s WHERE id = %s", [(10, 1), (20, 2)]) == 2
    assert connection.server_now().endswith("Z") and len(connection.server_now()) == 27
    assert connection.identity().system and connection.identity().database == database_of(mysql_url)
    connection.close()
    reader = connector_for(mysql_url, read_only=True).connect()
    assert fault_of(reader, "INSERT INTO `T %s` VALUES (9, 'x')").kind is ErrorKind.READ_ONLY
    reader.close()


def test_who_cannot_connect_is_told_why(mysql_server: Server) -> None:
    cases = {
        mysql_server.tcp_url("no_such_database", user="driftflow"): "DF-E410",
        mysql_server.tcp_url("mysql", password="wrong-secret"): "DF-E409",
        f"{mysql_server.flavour}://u:wrong-secret@127.0.0.1:1/x": "DF-E408",
        f"{mysql_server.flavour}://u:wrong-secret@localhost/x?unix_socket=/nowhere": "DF-E408",
    }
    for url, code in cases.items():
        with pytest.raises(ConnectError) as caught:
            connector_for(url).connect()
        assert caught.value.code == code, str(caught.value)
        assert caught.value.hint and "wrong-secret" not in str(caught.value)


def test_the_password_comes_over_the_port_and_from_a_command(mysql_server: Server) -> None:
    """Over TLS where the server offers it, as MySQL 9 and MariaDB 11 do by themselves."""
    url = mysql_server.tcp_url()
    secret = url.partition("@")[0].rpartition(":")[2]
    bare = url.replace(f":{secret}", "")
    connector = connector_for(bare, password_command=f"echo {secret}", environment={})
    connection = connector.connect("secret")
    assert secret not in repr(connector) + connector.display
    if mysql_server.flavour == "mysql":
        assert connection.query("SHOW SESSION STATUS LIKE 'Ssl_cipher'")[0][1]
    connection.close()
    connector_for(bare, environment={**os.environ, "MYSQL_PWD": secret}).connect().close()


def test_a_url_that_names_the_other_server_uses_the_dialect_of_the_one_that_answers(mysql_server: Server) -> None:
    other = "mysql" if mysql_server.flavour == "mariadb" else "mariadb"
    connector = connector_for(mysql_server.url().replace(mysql_server.flavour, other, 1))
    assert connector.dialect == other
    connection = connector.connect()
    assert connection.dialect == connector.dialect == mysql_server.flavour
    connection.close()


@pytest.mark.parametrize(
    ("version", "comment", "kind"),
    [
        ("9.7.4-2", "(Debian)", "mysql"),
        ("8.0.36-28", "Percona Server (GPL), Release 28", "mysql"),
        ("8.0.35-google", "(Google)", "mysql"),
        ("10.11.19-MariaDB-0+deb12u1", "Debian 12", "mariadb"),
        ("8.0.mysql_aurora.3.05.2", "Source distribution", "Amazon Aurora"),
        ("8.0.11-TiDB-v7.5.0", "TiDB Server", "TiDB"),
        ("8.0.30-Vitess", "", "Vitess (PlanetScale)"),
        ("5.7.32", "SingleStoreDB source distribution", "SingleStore"),
    ],
)
def test_look_alikes(version: str, comment: str, kind: str) -> None:
    assert engine_kind(version, comment) == kind
