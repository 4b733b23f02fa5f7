"""What doctor finds on MySQL and MariaDB: each examination sees what is wrong, and says nothing where all is well."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest
from click.testing import CliRunner

from driftflow.cli.main import cli
from driftflow.doctor import Examined, examine, mysql
from driftflow.drivers.urls import connector_for
from driftflow.lab.mysql import Server, database_of

LIMITED = "limited"


def look(url: str) -> dict[str, Examined]:
    connection = connector_for(url).connect("doctor")
    try:
        found = examine(connection)
    finally:
        connection.close()
    worst = {"ok": 0, "warning": 1, "problem": 2}
    return {one.name: one for one in sorted(found, key=lambda one: worst[one.state])}


@pytest.fixture
def limited_url(mysql_server: Server, mysql_url: str) -> Iterator[str]:
    """The database, as a user who may only read it."""
    database = database_of(mysql_url)
    with mysql_server.administration() as execute:
        execute(f"CREATE USER '{LIMITED}'@'localhost'")
        execute(f"GRANT SELECT ON `{database}`.* TO '{LIMITED}'@'localhost'")
    try:
        yield f"{mysql_server.flavour}://{LIMITED}@localhost/{database}?unix_socket={mysql_server.socket}"
    finally:
        with mysql_server.administration() as execute:
            execute(f"DROP USER '{LIMITED}'@'localhost'")


def test_a_sound_server(mysql_url: str, mysql_server: Server) -> None:
    found = look(mysql_url)
    assert {name: one.state for name, one in found.items() if one.state != "ok"} == {}, found
    assert found["server"].found.startswith(f"{mysql_server.flavour} {mysql_server.version}")
    assert {"rights", "sessions", "metadata locks", "timeouts", "long transactions", "engines", "leftovers"} <= set(found)
    assert ("row versions" in found) == (mysql_server.flavour == "mysql")


def test_missing_rights_come_with_their_grant(limited_url: str, mysql_url: str, mysql_server: Server) -> None:
    found = look(limited_url)
    assert found["rights"].state == "problem" and "ALTER" in found["rights"].found
    assert found["sessions"].state == "warning"
    with mysql_server.administration() as execute:
        execute(found["rights"].hint.rstrip(";"))
        execute(found["sessions"].hint.rstrip(";"))
    again = look(limited_url)
    assert (again["rights"].state, again["sessions"].state) == ("ok", "ok")


def test_what_stands_in_the_way(mysql_url: str, mysql_server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mysql, "LONG_TRANSACTION_SECONDS", 0)
    holder = connector_for(mysql_url).connect("holder")
    holder.execute("CREATE TABLE old (id INT PRIMARY KEY) ENGINE=MyISAM")
    holder.execute("CREATE TABLE t (id INT PRIMARY KEY)")
    holder.begin()
    holder.execute("INSERT INTO t VALUES (1)")
    time.sleep(0.3)  # INNODB_TRX is a picture that the server renews at most ten times a second
    with mysql_server.administration() as execute:
        execute("SET GLOBAL read_only = ON")
        execute("UPDATE performance_schema.setup_instruments SET ENABLED = 'NO' WHERE NAME = 'wait/lock/metadata/sql/mdl'")
    try:
        found = look(mysql_url)
    finally:
        with mysql_server.administration() as execute:
            execute("SET GLOBAL read_only = OFF")
            execute("UPDATE performance_schema.setup_instruments SET ENABLED = 'YES' WHERE NAME = 'wait/lock/metadata/sql/mdl'")
        holder.close()
    assert found["server"].state == "problem" and "read-only" in found["server"].found
    assert found["long transactions"].state == "warning" and str(holder.session.id) in found["long transactions"].found
    assert found["engines"].state == "warning" and "old" in found["engines"].found
    assert found["metadata locks"].state == "warning"


def test_used_row_versions(mysql_url: str, mysql_server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    if mysql_server.flavour != "mysql":
        assert "row versions" not in look(mysql_url), "MariaDB keeps no such count"
        return
    monkeypatch.setattr(mysql, "row_version_limit", lambda version: 64)
    connection = connector_for(mysql_url).connect()
    connection.execute("CREATE TABLE worn (id INT PRIMARY KEY)")
    for number in range(50):
        connection.execute(f"ALTER TABLE worn ADD COLUMN c{number} INT, ALGORITHM=INSTANT")
    connection.close()
    found = look(mysql_url)["row versions"]
    assert found.state == "warning" and "worn has used 50 of 64" in found.found


def test_the_command(mysql_url: str, mysql_server: Server) -> None:
    done = CliRunner().invoke(cli, ["doctor", "--url", mysql_url, "--format", "json"])
    assert done.exit_code == 0, done.output
    assert mysql_server.flavour in done.stdout and json.loads(done.stdout)
    secret = mysql_url.partition("@")[0].rpartition(":")[2]
    assert secret not in done.output
