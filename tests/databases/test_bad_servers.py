"""Servers that cannot be used: not there, not ours, not what they say, behind a pooler, read-only, locked, or stopped in the middle."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from refusals import ENVIRON, SECRET, Project

from driftflow.drivers import postgresql as driver
from driftflow.drivers import sqlite as sqlite_driver
from driftflow.errors import ConnectError
from driftflow.lab import account
from driftflow.lab.postgresql import free_port, start
from driftflow.lab.servers import AnyServer
from driftflow.model.names import Version

Servers = Callable[[int], AnyServer]
LARGE = {"DRIFTFLOW_SMALL_TABLE_ROWS": "0"}


@pytest.fixture
def served(either_server: Servers, tmp_path: Path) -> Iterator[Project]:
    """A project on PostgreSQL 18: for what the versions do alike."""
    server = either_server(18)
    url = server.create_database()
    try:
        yield Project(tmp_path / "project", url)
    finally:
        server.drop_database(url)


@pytest.fixture
def ordinary(served: Project, either_server: Servers) -> Iterator[Project]:
    """The same, for a role that owns nothing and may create nothing; it has a password."""
    role = f"plain_{os.getpid()}"
    served.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{SECRET}'", f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")
    base = driver.psycopg.conninfo.conninfo_to_dict(served.admin_url)
    served.url = f"postgresql://{role}:{SECRET}@127.0.0.1:{base['port']}/{base['dbname']}"
    try:
        yield served
    finally:
        served.execute(f"DROP OWNED BY {role}", f"DROP ROLE {role}")


# not there


def test_no_such_file(small: Project, tmp_path: Path) -> None:
    small.plan()
    missing = tmp_path / "none.db"
    small.refused("apply", "plan.json", code="DF-E404", exit=6, url=f"sqlite:///{missing}")
    assert not missing.exists()


def test_another_kind_of_file(small: Project, tmp_path: Path) -> None:
    small.plan()
    other = tmp_path / "other.db"
    other.write_bytes(b"PK\x03\x04" + b"x" * 5000)
    small.refused("apply", "plan.json", code="DF-E402", exit=6, url=f"sqlite:///{other}")
    assert other.read_bytes() == b"PK\x03\x04" + b"x" * 5000


def test_a_folder_instead_of_a_file(small: Project, tmp_path: Path) -> None:
    small.plan()
    small.refused("apply", "plan.json", code="DF-E401", exit=6, url=f"sqlite:///{tmp_path}")


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everything")
def test_a_file_that_cannot_be_written(small: Project) -> None:
    small.plan()
    small.file.chmod(0o444)
    small.refused("apply", "plan.json", code="DF-E405", exit=6)


def test_a_file_that_cannot_be_written_as_somebody_else(small: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root is refused nothing, so the question is put for it."""
    monkeypatch.setattr(sqlite_driver.os, "access", lambda path, mode: mode != os.W_OK)
    with pytest.raises(ConnectError) as caught:
        sqlite_driver.SqliteConnector(str(small.file)).connect()
    assert (caught.value.code, caught.value.exit_code) == ("DF-E405", 6)


@pytest.mark.postgresql
def test_no_such_database_role_or_server(served: Project, either_server: Servers) -> None:
    served.plan()
    server = either_server(18)
    served.refused("apply", "plan.json", code="DF-E410", exit=6, url=server.url("nowhere"))
    tcp = served.admin_url and driver.psycopg.conninfo.conninfo_to_dict(served.admin_url)
    for url, code in (
        (f"postgresql://nobody:{SECRET}@127.0.0.1:{tcp['port']}/{tcp['dbname']}", "DF-E409"),
        (f"postgresql://postgres:{SECRET}@127.0.0.1:{tcp['port']}/{tcp['dbname']}", "DF-E409"),
        (f"postgresql://u:{SECRET}@127.0.0.1:{free_port()}/d", "DF-E408"),
        (f"postgresql://u:{SECRET}@no-such-host.invalid/d", "DF-E408"),
        (f"postgresql:///d?host=/nowhere&password={SECRET}", "DF-E408"),
        (f"postgresql://u:{SECRET}@h/d?no_such_option=1", "DF-E408"),
    ):
        served.refused("apply", "plan.json", code=code, exit=6, url=url)


# not ours


@pytest.mark.postgresql
def test_a_role_that_may_not_keep_the_journal(ordinary: Project) -> None:
    """The hint's GRANT, run as it is, is what was missing."""
    role = driver.psycopg.conninfo.conninfo_to_dict(ordinary.url)["user"]
    ordinary.execute(f"ALTER TABLE orders OWNER TO {role}", f"GRANT CREATE ON SCHEMA public TO {role}")
    ordinary.plan()
    error = ordinary.refused("apply", "plan.json", code="DF-E414", exit=6)
    assert error["hint"].startswith("GRANT CREATE ON DATABASE")
    ordinary.execute(error["hint"])
    ordinary.ok("apply", "plan.json")


@pytest.mark.postgresql
def test_a_table_of_somebody_else(ordinary: Project) -> None:
    role = driver.psycopg.conninfo.conninfo_to_dict(ordinary.url)["user"]
    base = driver.psycopg.conninfo.conninfo_to_dict(ordinary.admin_url)
    ordinary.execute(f'GRANT CREATE ON DATABASE "{base["dbname"]}" TO {role}', f"GRANT CREATE ON SCHEMA public TO {role}")
    before = ordinary.rows("SELECT * FROM orders ORDER BY 1")
    ordinary.plan()
    error = ordinary.refused("apply", "plan.json", code="DF-E415", exit=6, unchanged=False)
    assert "owner of table orders" in error["text"]
    assert ordinary.rows("SELECT * FROM orders ORDER BY 1") == before


@pytest.mark.postgresql
def test_a_role_that_sees_no_other_sessions(ordinary: Project) -> None:
    """Fewer words about blockers, no failure."""
    lines = json.loads(ordinary.run("doctor", "--format", "json").stdout)
    (said,) = [line for line in lines if line["name"] == "statistics"]
    assert said["state"] == "warning"
    ordinary.execute(said["hint"].rstrip(";"))
    lines = json.loads(ordinary.run("doctor", "--format", "json").stdout)
    assert [line.get("state") for line in lines if line["name"] == "statistics"] == ["ok"]


# not what they say


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("CockroachDB CCL v24.1.0 (x86_64-pc-linux-gnu, built 2024/05/15)", "DF-E411"),
        ("PostgreSQL 11.2-YB-2.20.1.3-b0 on x86_64-pc-linux-gnu", "DF-E411"),
        ("PostgreSQL 8.0.2 on i686-pc-linux-gnu, compiled by GCC, Redshift 1.0.61191", "DF-E411"),
        ("PostgreSQL 9.4.26 (Greenplum Database 6.25.3 build commit:367edc6b) on x86_64", "DF-E411"),
        ("PostgreSQL 13.14.0 on x86_64-pc-linux-gnu (RisingWave 2.0.1)", "DF-E411"),
        ("Materialize v0.110.0", "DF-E411"),
        ("H2 2.2.224", "DF-E411"),
        ("PostgreSQL 11.22 on x86_64-pc-linux-gnu", "DF-E412"),
    ],
)
def test_look_alikes_and_old_servers(text: str, code: str) -> None:
    """No such server runs here: what it would answer is given to the examination itself."""

    class Answers:
        version = Version.parse("11.22")
        behind_pooler = False

        def query(self, sql: str, parameters: Any = None) -> list[tuple[str]]:
            assert sql == "SELECT pg_catalog.version()"
            return [(text,)]

    connector = driver.PostgresqlConnector("postgresql://h/d", display="postgresql://h/d")
    with pytest.raises(ConnectError) as caught:
        connector._examine(Answers())  # type: ignore[arg-type]
    assert (caught.value.code, caught.value.exit_code) == (code, 6)


def test_an_old_sqlite(small: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_driver.sqlite3, "sqlite_version", "3.34.1")
    with pytest.raises(ConnectError) as caught:
        sqlite_driver.SqliteConnector(str(small.file)).connect()
    assert caught.value.code == "DF-E406"


# publications


@pytest.mark.postgresql
@pytest.mark.parametrize("what", ["ALL TABLES", "TABLES IN SCHEMA driftflow"])
def test_a_publication_that_would_carry_our_tables(served: Project, what: str) -> None:
    if "driftflow" in what:
        served.execute("CREATE SCHEMA driftflow")
    served.execute(f"CREATE PUBLICATION everything FOR {what}")
    served.plan()
    error = served.refused("apply", "plan.json", code="DF-E309", exit=3)
    assert "everything" in error["summary"]


# a pooler


@contextmanager
def pooler(server: AnyServer, folder: Path, mode: str) -> Iterator[str]:
    """A real PgBouncer before the server; the host and port of it."""
    program = shutil.which("pgbouncer", path=os.environ.get("PATH", "") + ":/usr/sbin")
    if program is None:
        message = "no pgbouncer on this machine: apt-get install pgbouncer"
        if os.environ.get("CI", "").lower() in {"1", "true"}:
            pytest.fail(message, pytrace=False)
        pytest.skip(message)
    home = account.servers_folder() / f"pgbouncer-{os.getpid()}-{mode}"
    home.mkdir(parents=True, exist_ok=True)
    port = free_port()
    to = driver.psycopg.conninfo.conninfo_to_dict(server.url())
    (home / "users.txt").write_text('"postgres" ""\n')
    (home / "pgbouncer.ini").write_text(
        f"[databases]\n* = host={to['host']} port={to['port']}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n"
        f"unix_socket_dir =\nauth_type = any\nauth_file = {home}/users.txt\npool_mode = {mode}\ndefault_pool_size = 4\n"
        f"ignore_startup_parameters = extra_float_digits,options\nlogfile = {home}/log\n"
    )
    # `auth_type = any` sends every client to the server as the one user of the [databases] line.
    text = (home / "pgbouncer.ini").read_text().replace(f"port={to['port']}", f"port={to['port']} user={to['user']}")
    (home / "pgbouncer.ini").write_text(text)
    account.give_tree(home)
    child = subprocess.Popen(
        [program, "-q", str(home / "pgbouncer.ini")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        **account.process_arguments(),
    )
    try:
        _answers(port, home / "log")
        yield f"127.0.0.1:{port}"
    finally:
        child.terminate()
        child.wait(timeout=20)
        account.remove(home)


def _answers(port: int, log: Path) -> None:
    until = time.monotonic() + 15
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            said = log.read_text() if log.exists() else "no log"
            assert time.monotonic() < until, f"pgbouncer does not answer: {said}"
            time.sleep(0.1)
        else:
            return


@pytest.mark.postgresql
def test_a_pooler_in_transaction_mode(served: Project, either_server: Servers, tmp_path: Path) -> None:
    served.plan()
    database = driver.psycopg.conninfo.conninfo_to_dict(served.admin_url)["dbname"]
    with pooler(either_server(18), tmp_path, "transaction") as place:
        url = f"postgresql://postgres@{place}/{quote(str(database))}"
        served.refused("apply", "plan.json", code="DF-E413", exit=6, url=url)
        served.refused("doctor", code="DF-E413", exit=6, url=url)


@pytest.mark.postgresql
def test_a_pooler_in_session_mode_will_do(served: Project, either_server: Servers, tmp_path: Path) -> None:
    served.plan()
    database = driver.psycopg.conninfo.conninfo_to_dict(served.admin_url)["dbname"]
    with pooler(either_server(18), tmp_path, "session") as place:
        served.ok("apply", "plan.json", url=f"postgresql://postgres@{place}/{quote(str(database))}")


# stopped in the middle


@pytest.mark.postgresql
def test_a_server_that_stops_in_the_middle(tmp_path: Path) -> None:
    """Immediately, as a crash would. The exit code says what is known, and the run goes on when the server is back."""
    with start(18, durable=True) as server:
        project = Project(tmp_path / "project", server.create_database())
        project.execute("INSERT INTO orders (id, customer_id, total) SELECT n, 1, n FROM generate_series(10, 5000) n")
        project.write(
            {
                "001_note.sql": "-- driftflow: backfill column=note set=\"'n' || total\"\nALTER TABLE orders ADD COLUMN note text;\n"
            }
        )
        project.plan(environ={**LARGE, "DRIFTFLOW_CHUNK_TARGET_MS": "5"})
        child = subprocess.Popen(
            [sys.executable, "-m", "driftflow", "apply", "plan.json", "--url", project.url],
            cwd=project.folder, env={**ENVIRON, **LARGE, "DRIFTFLOW_CHUNK_TARGET_MS": "5", "DRIFTFLOW_REST_PERCENT": "9000"},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        try:
            _until(lambda: _chunks(project.admin_url) > 0, child)
            server.stop("immediate")
            time.sleep(2)
            assert child.poll() is None, "it waits for the server to come back"
            child.send_signal(signal.SIGINT)  # by itself it gives up after a minute and a half
            said = child.communicate(timeout=120)[0]
        finally:
            child.kill()
        assert child.returncode == 6, said
        assert "error[DF-E4" in said
        assert "Traceback" not in said
        server.restart()
        done = project.run("resume", environ=LARGE)
        assert done.returncode == 0, done.stderr
        assert project.rows("SELECT count(*) FROM orders WHERE note IS DISTINCT FROM 'n' || total") == [(0,)]


def _chunks(url: str) -> int:
    try:
        with psycopg.connect(url) as session:
            row = session.execute(b"SELECT count(*) FROM driftflow.progress").fetchone()
            return int(row[0]) if row else 0
    except psycopg.Error:
        return 0


def _until(true: Callable[[], bool], child: subprocess.Popen[str]) -> None:
    until = time.monotonic() + 60
    while not true():
        assert time.monotonic() < until, "it did not begin"
        assert child.poll() is None, child.communicate(timeout=5)[0]
        time.sleep(0.1)


@pytest.mark.postgresql
def test_a_password_is_nowhere(ordinary: Project) -> None:
    """Given in the URL, in the environment and by a command: not in outputs, files, the journal, or the session's title."""
    role = driver.psycopg.conninfo.conninfo_to_dict(ordinary.url)["user"]
    base = driver.psycopg.conninfo.conninfo_to_dict(ordinary.admin_url)
    ordinary.execute(
        f'GRANT CREATE ON DATABASE "{base["dbname"]}" TO {role}',
        f"GRANT CREATE ON SCHEMA public TO {role}",
        f"ALTER TABLE orders OWNER TO {role}",
        f"ALTER TABLE customers OWNER TO {role}",
    )
    bare = ordinary.url.replace(f":{SECRET}@", "@")
    ordinary.plan()
    ordinary.ok("apply", "plan.json")
    ordinary.write({"002.sql": "ALTER TABLE customers ADD COLUMN a text;\n"})
    ordinary.plan(url=bare, environ={"PGPASSWORD": SECRET})
    ordinary.ok("apply", "plan.json", url=bare, environ={"PGPASSWORD": SECRET})
    ordinary.ok("snapshot", "-o", "snapshot.json", url=f"{bare}?password={SECRET}")
    ordinary.ok("doctor", url=bare, environ={"DRIFTFLOW_PASSWORD_COMMAND": f"echo {SECRET}"})
    ordinary.ok("config", url=ordinary.url)
    for path in ordinary.folder.rglob("*"):
        if path.is_file():
            assert SECRET.encode() not in path.read_bytes(), path
    for (table,) in ordinary.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'driftflow'"):
        assert SECRET not in repr(ordinary.rows(f"SELECT t::text FROM driftflow.{table} t")), table
