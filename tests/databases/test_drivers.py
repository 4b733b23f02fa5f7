"""Drivers on real servers and files: what they refuse, and how a server's error reaches the engine."""

from __future__ import annotations

import os
import socket
import sqlite3
import threading
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest

from driftflow.dialects.base import ErrorKind
from driftflow.drivers import sqlite as sqlite_driver
from driftflow.drivers.urls import connector_for
from driftflow.engine.ports import DatabaseFault
from driftflow.errors import ConnectError


def fault_of(connection: Any, sql: str) -> DatabaseFault:
    with pytest.raises(DatabaseFault) as caught:
        connection.execute(sql)
    connection.rollback()
    return caught.value


@pytest.mark.postgresql
def test_postgresql_errors(postgresql_url: str) -> None:
    connection = connector_for(postgresql_url).connect()
    connection.execute("CREATE TABLE t (id integer PRIMARY KEY CHECK (id > 0))")
    connection.execute("INSERT INTO t VALUES (1)")
    assert fault_of(connection, "INSERT INTO t VALUES (1)").kind is ErrorKind.DUPLICATE
    assert fault_of(connection, "INSERT INTO t VALUES (0)").kind is ErrorKind.CONSTRAINT
    assert fault_of(connection, "SELEC 1").kind is ErrorKind.SYNTAX
    assert fault_of(connection, "SELECT 1; SELECT 2").kind is ErrorKind.SYNTAX, "one statement per message"
    connection.begin()
    connection.set_timeouts(statement_ms=50)
    assert fault_of(connection, "SELECT pg_sleep(5)").kind is ErrorKind.STATEMENT_TIMEOUT
    connection.begin(write=False)
    assert fault_of(connection, "INSERT INTO t VALUES (5)").kind is ErrorKind.READ_ONLY
    threading.Timer(0.1, connection.cancel).start()
    assert fault_of(connection, "SELECT pg_sleep(5)").kind is ErrorKind.CANCELLED
    assert connection.query("SHOW transaction_isolation") == [("read committed",)]
    assert connection.query("SHOW application_name") == [("driftflow apply",)]
    connection.begin()
    with pytest.raises(DatabaseFault):
        connection.execute("SELECT 1/0")
    with pytest.raises(DatabaseFault, match="rolled the transaction back"):
        connection.commit()
    connection.execute("DO $$ BEGIN RAISE NOTICE 'look at %', 5; END $$")
    assert connection.notices() == ("NOTICE: look at 5",)
    connection.execute(
        "DO $$ BEGIN RAISE WARNING USING ERRCODE = '22P02', MESSAGE = 'invalid input syntax for type integer: \"secret\"'; END $$"
    )
    assert connection.notices() == ("WARNING: invalid input syntax for type integer",)
    assert connection.notices() == ()
    with psycopg.connect(postgresql_url, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s)", (connection.session.id,))
    assert fault_of(connection, "SELECT 1").kind is ErrorKind.CONNECTION_LOST
    assert fault_of(connection, "SELECT 1").kind is ErrorKind.CONNECTION_LOST
    connection.close()


@pytest.mark.postgresql
def test_read_committed_whatever_the_servers_default(postgresql_url: str) -> None:
    name = psycopg.conninfo.conninfo_to_dict(postgresql_url)["dbname"]
    with psycopg.connect(postgresql_url, autocommit=True) as db:
        db.execute(f"ALTER DATABASE {name} SET default_transaction_isolation = 'serializable'")  # type: ignore[arg-type]
        db.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")  # type: ignore[arg-type]
    connection = connector_for(postgresql_url).connect()
    connection.begin()
    assert connection.query("SHOW transaction_isolation") == [("read committed",)]
    connection.execute("CREATE TABLE t (id integer)")
    connection.commit()
    connection.close()
    reader = connector_for(postgresql_url, read_only=True).connect()
    assert fault_of(reader, "DROP TABLE t").kind is ErrorKind.READ_ONLY
    reader.close()


@pytest.mark.postgresql
def test_loading_streaming_and_values(postgresql_url: str) -> None:
    connection = connector_for(postgresql_url).connect()
    connection.execute('CREATE TABLE "T %s" (id integer, "text" text)')
    rows = [(1, "a\tb\\n"), (2, None), (3, "ünïcode 'quoted'")]
    assert connection.load('"T %s"', ["id", '"text"'], rows) == 3
    assert list(connection.stream('SELECT * FROM "T %s" ORDER BY 1', batch=2)) == rows
    assert connection.query_dicts('SELECT id FROM "T %%s" WHERE id = %s', (2,)) == [{"id": 2}]
    assert connection.execute_many('UPDATE "T %%s" SET id = %s WHERE id = %s', [(10, 1), (20, 2)]) == 2
    connection.close()


@pytest.mark.postgresql
def test_who_cannot_connect_is_told_why(postgresql_server: Any, postgresql_url: str) -> None:
    cases = {
        postgresql_server.url("no_such_database"): "DF-E410",
        postgresql_server.url("postgres", user="no_such_role"): "DF-E409",
        "postgresql://127.0.0.1:1/x": "DF-E408",
    }
    if hasattr(postgresql_server, "tcp_url"):
        cases[postgresql_server.tcp_url("postgres", password="wrong-secret")] = "DF-E409"
    for url, code in cases.items():
        with pytest.raises(ConnectError) as caught:
            connector_for(url).connect()
        assert caught.value.code == code, str(caught.value)
        assert caught.value.hint and "wrong-secret" not in str(caught.value)


@pytest.mark.postgresql
def test_the_password_comes_from_a_command_and_stays_hidden(postgresql_server: Any) -> None:
    if not hasattr(postgresql_server, "tcp_url"):
        pytest.skip("the given server's password is in its URL")
    url = postgresql_server.tcp_url("postgres")
    secret = psycopg.conninfo.conninfo_to_dict(url)["password"]
    bare = url.replace(f":{secret}@", "@")
    connector = connector_for(bare, password_command=f"echo {secret}")
    connection = connector.connect()
    assert connection.query("SELECT 1") == [(1,)]
    assert str(secret) not in repr(connector) + connector.display + Path("/proc/self/cmdline").read_text()
    connection.close()


class TransactionPooler:
    """The least that a pooler in transaction mode does: one server session, given to whoever begins a transaction next."""

    def __init__(self, server: tuple[str, int] | str) -> None:
        self._server = socket.socket(socket.AF_UNIX if isinstance(server, str) else socket.AF_INET)
        self._server.connect(server)
        self._turn = threading.Lock()
        self._greeting = b""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]

    def serve(self, startup: bytes) -> None:
        self._server.sendall(startup)
        self._greeting = self._until_ready()[0]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._client, args=(client,), daemon=True).start()

    def _client(self, client: socket.socket) -> None:
        holds = False
        try:
            client.recv(4096)  # SSLRequest is off by sslmode=disable: this is the startup packet
            client.sendall(self._disguised())
            while data := client.recv(1 << 16):
                if data[:1] == b"X":
                    break
                if not holds:
                    self._turn.acquire()
                    holds = True
                self._server.sendall(data)
                answer, status = self._until_ready()
                if status == b"I":
                    self._turn.release()
                    holds = False
                client.sendall(answer)
        except OSError:
            pass
        finally:
            if holds:
                self._turn.release()
            client.close()

    def _disguised(self) -> bytes:
        """BackendKeyData with a made-up process id, as PgBouncer sends it."""
        at = self._greeting.index(b"K\x00\x00\x00\x0c")
        return self._greeting[: at + 5] + b"\x7f\x00\x00\x01" + self._greeting[at + 9 :]

    def _until_ready(self) -> tuple[bytes, bytes]:
        answer = b""
        while True:
            answer += self._server.recv(1 << 16)
            at = 0
            while at + 5 <= len(answer):
                length = int.from_bytes(answer[at + 1 : at + 5], "big")
                if answer[at : at + 1] == b"Z" and at + 6 <= len(answer):
                    return answer, answer[at + 5 : at + 6]
                at += 1 + length

    def close(self) -> None:
        self._listener.close()
        self._server.close()


@pytest.mark.postgresql
def test_a_pooler_in_transaction_mode_is_refused(postgresql_server: Any, postgresql_url: str) -> None:
    parts = psycopg.conninfo.conninfo_to_dict(postgresql_url)
    if not str(parts.get("host", "")).startswith("/"):
        pytest.skip("needs the server's socket")
    pooler = TransactionPooler(f"{parts['host']}/.s.PGSQL.{parts['port']}")
    body = b"\x00\x03\x00\x00" + b"".join(
        key.encode() + b"\0" + str(value).encode() + b"\0" for key, value in (("user", parts["user"]), ("database", parts["dbname"]))
    ) + b"\0"  # fmt: skip
    pooler.serve((len(body) + 4).to_bytes(4, "big") + body)
    url = f"postgresql://{parts['user']}@127.0.0.1:{pooler.port}/{parts['dbname']}?sslmode=disable&gssencmode=disable"
    try:
        with pytest.raises(ConnectError) as caught:
            connector_for(url).connect()
        assert caught.value.code == "DF-E413" and "session mode" in caught.value.hint
        connection = connector_for(url, pooler_check=False).connect()
        assert connection.behind_pooler  # type: ignore[attr-defined]
        connection.close()
    finally:
        pooler.close()


@pytest.mark.sqlite
def test_sqlite_files_that_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def code_of(path: Path) -> str:
        with pytest.raises(ConnectError) as caught:
            connector_for(f"sqlite:///{path}").connect()
        assert caught.value.hint
        return caught.value.code

    assert code_of(tmp_path / "missing.db") == "DF-E404"
    other = tmp_path / "other.db"
    other.write_bytes(b"this is not a database, whatever its name says" * 100)
    assert code_of(other) == "DF-E402"
    path = tmp_path / "a.db"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE t (id)")
    db.close()
    monkeypatch.setattr(os, "access", lambda place, mode: False)
    assert code_of(path) == "DF-E405"
    monkeypatch.undo()
    monkeypatch.setattr(sqlite_driver, "file_system", lambda file: "nfs4")
    assert code_of(path) == "DF-E407"
    monkeypatch.undo()
    monkeypatch.setattr(sqlite_driver, "BUSY_MS", 50)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    assert code_of(path) == "DF-E403"
    holder.close()
    reader = connector_for(f"sqlite:///{path}", read_only=True).connect()
    assert fault_of(reader, "DROP TABLE t").kind is ErrorKind.READ_ONLY
    reader.close()


@pytest.mark.sqlite
def test_the_file_system_of_a_file(tmp_path: Path) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(
        "22 1 254:1 / / rw - ext4 /dev/vda rw\n"
        f"30 22 0:40 / {tmp_path} rw - nfs4 server:/x rw\n"
        "31 22 0:41 / /mnt/with\\040space rw - cifs //server/y rw\n"
    )
    assert sqlite_driver.file_system(tmp_path / "a.db", mounts) == "nfs4"
    assert sqlite_driver.file_system(Path("/etc/a.db"), mounts) == "ext4"
    assert sqlite_driver.file_system(Path("/mnt/with space/a.db"), mounts) == "cifs"
    assert sqlite_driver.file_system(tmp_path, tmp_path / "missing") == ""


@pytest.mark.sqlite
def test_sqlite_errors_and_cancel(sqlite_file: Path) -> None:
    connection = connector_for(f"sqlite:///{sqlite_file}").connect()
    connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER NOT NULL)")
    assert fault_of(connection, "INSERT INTO t VALUES (1, NULL)").kind is ErrorKind.CONSTRAINT
    assert fault_of(connection, "SELEC").kind is ErrorKind.SYNTAX
    other = sqlite3.connect(sqlite_file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    connection.set_timeouts(lock_ms=20)
    begun = time.monotonic()
    with pytest.raises(DatabaseFault) as caught:
        connection.begin()
    assert caught.value.kind is ErrorKind.LOCK_TIMEOUT and time.monotonic() - begun < 2
    other.close()
    threading.Timer(0.1, connection.cancel).start()
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    assert fault_of(connection, endless).kind is ErrorKind.CANCELLED
    connection.close()
    assert fault_of(connection, "SELECT 1").kind is ErrorKind.CONNECTION_LOST
