"""The lab's promise for MySQL and MariaDB: a server starts, survives a restart with its data, and leaves nothing behind, whatever ends its owner."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pymysql
import pytest

from driftflow.errors import ConfigError, DatabaseError
from driftflow.lab import account, mariadb, mysql, mysql_programs, mysql_template
from driftflow.lab.mysql import Server
from driftflow.lab.mysql_settings import DISPOSABLE


@pytest.fixture
def server(mysql_family: str) -> Iterator[Server]:
    flavour, _, major = mysql_family.partition("-")
    start = mysql.start if flavour == "mysql" else mariadb.start
    with start(int(major)) as running:
        yield running


def ask(server: Server, sql: str, **place: Any) -> Any:
    where = place or {"unix_socket": str(server.socket), "user": "root"}
    connection = pymysql.connect(**where, connect_timeout=5, autocommit=True)
    try:
        with connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall()
    finally:
        connection.close()


def test_a_server_has_the_settings_that_tests_need(server: Server):
    names = ("report_host", "log_bin", "binlog_format", "performance_schema", "local_infile", "bind_address")
    shown = ask(server, f"SELECT {', '.join(f'@@GLOBAL.{name}' for name in names)}")[0]
    assert shown == (DISPOSABLE, 1, "ROW", 1, 1, "127.0.0.1")
    assert ask(server, "SELECT ENABLED FROM performance_schema.setup_instruments WHERE NAME = 'wait/lock/metadata/sql/mdl'") == (
        ("YES",),
    )


def test_temporary_files_of_a_new_data_directory_are_its_own(mysql_family: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Whoever starts the lab may have a TMPDIR that the account of the servers may not write to."""
    account.lab_folder()  # before the variable says otherwise
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(mysql_template, "FORMAT", f"tried-{os.getpid()}")
    flavour, _, major = mysql_family.partition("-")
    programs = next(one for one in mysql_programs.installed() if one.flavour == flavour and one.version.major == int(major))
    made = mysql_template.template(programs)
    try:
        assert (made / "mysql").is_dir()
    finally:
        account.remove(made.parent)


def test_data_survives_an_immediate_stop(server: Server):
    server.create_database("kept")
    ask(server, "CREATE TABLE kept.kept (n INT PRIMARY KEY)")
    ask(server, "INSERT INTO kept.kept VALUES (1)")
    port, first = server.port, server.pid
    server.restart("immediate")
    assert server.port == port and server.pid != first
    assert ask(server, "SELECT n FROM kept.kept") == ((1,),)


def test_the_loopback_port_asks_for_the_password_and_knows_no_root(server: Server):
    for user in (mysql.USER, "root"):
        with pytest.raises(pymysql.OperationalError, match="Access denied"):
            ask(server, "SELECT 1", host="127.0.0.1", port=server.port, user=user, password="wrong")


def test_the_labs_own_user_has_no_rights_over_the_server(server: Server, tmp_path: Path):
    password = server.url().partition("@")[0].rpartition(":")[2]
    place = {"unix_socket": str(server.socket), "user": mysql.USER, "password": password}
    assert ask(server, "SELECT 1", **place) == ((1,),)
    for forbidden in ("SET GLOBAL max_connections = 5", "SHUTDOWN", f"SELECT 1 INTO OUTFILE '{tmp_path / 'written'}'"):
        with pytest.raises(pymysql.Error, match=r"(?i)access denied"):
            ask(server, forbidden, **place)


def test_a_databases_owner_gives_rights_in_it_and_has_none_elsewhere(server: Server):
    server.create_database("given")
    server.create_database("given_not")
    server.give_database("given")
    server.give_database("given_also")
    owner = {"unix_socket": str(server.socket), "user": mysql.OWNER, "password": server._password}
    ask(server, "CREATE USER app@localhost ACCOUNT LOCK")
    ask(server, "CREATE TABLE given.t (id int)", **owner)
    ask(server, "CREATE DATABASE given_also", **owner)
    ask(server, "GRANT SELECT ON given.t TO app@localhost", **owner)
    refused = (
        "CREATE TABLE given_not.t (id int)",
        "CREATE DATABASE givenXalso",
        "CREATE USER more@localhost",
        "GRANT SELECT ON *.* TO app@localhost",
        "GRANT SELECT ON mysql.user TO app@localhost",
        "GRANT ALL ON given_not.* TO driftflow_owner@localhost",
        "SET GLOBAL max_connections = 10",
        "UPDATE mysql.db SET Db = 'x'",
    )
    for sql in refused:
        with pytest.raises(pymysql.Error) as caught:
            ask(server, sql, **owner)
        assert caught.value.args[0] in {1044, 1142, 1227, 1045, 1410}, (sql, caught.value)


def test_nothing_is_left_behind(server: Server):
    home, pid = server.home, server.pid
    assert home.exists()
    server.remove()
    assert not home.exists() and not Path(f"/proc/{pid}").exists()
    with pytest.raises(ConfigError):
        server.pid  # noqa: B018


def test_a_server_ends_with_a_process_that_was_killed(mysql_family: str):
    flavour, _, major = mysql_family.partition("-")
    code = f"from driftflow.lab import {flavour} as lab; s = lab.start({major}); print(s.pid, s.home, flush=True); input()"
    owner = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None and owner.stdin is not None
    pid, home = owner.stdout.readline().split()
    owner.kill()
    owner.wait()
    ends = time.monotonic() + 20
    while (Path(home).exists() or Path(f"/proc/{pid}").exists()) and time.monotonic() < ends:
        time.sleep(0.05)
    owner.stdout.close()
    owner.stdin.close()
    assert not Path(home).exists() and not Path(f"/proc/{pid}").exists()


def test_a_folder_that_is_given_keeps_its_data(mysql_family: str):
    flavour, _, major = mysql_family.partition("-")
    start = mysql.start if flavour == "mysql" else mariadb.start
    from driftflow.lab import account

    folder = account.servers_folder() / f"kept-{mysql_family}"
    try:
        with start(int(major), folder=folder) as first:
            first.create_database("kept")
        with start(int(major), folder=folder) as second:
            assert ask(second, "SHOW DATABASES LIKE 'kept'") == (("kept",),)
            assert second.url().partition("@")[0] != first.url().partition("@")[0]
    finally:
        account.remove(folder)


@pytest.mark.mariadb
def test_a_server_that_cannot_start_says_why(mysql_family: str):
    flavour, _, major = mysql_family.partition("-")
    start = mysql.start if flavour == "mysql" else mariadb.start
    with pytest.raises(DatabaseError, match="did not start") as raised:
        start(int(major), settings={"no-such-setting": "1"})
    assert "no-such-setting" in raised.value.why


def test_a_major_version_that_is_not_here_is_named():
    with pytest.raises(ConfigError) as raised:
        mysql_programs.find("mysql", 3)
    assert raised.value.code == "DF-E462" and "MySQL 3" in raised.value.summary
