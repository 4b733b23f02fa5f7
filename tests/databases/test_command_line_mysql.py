"""The command line on MySQL and MariaDB, as a person meets it."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from driftflow.cli.main import cli
from driftflow.drivers.urls import connector_for
from driftflow.errors import JournalError, RefusedError
from driftflow.lab.mysql import Server


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(cli, arguments)
    return done.exit_code, done.output


def make(url: str) -> None:
    connection = connector_for(url).connect()
    connection.execute("CREATE TABLE p (id INT PRIMARY KEY)")
    connection.execute("CREATE TABLE c (id INT PRIMARY KEY, pid INT, CONSTRAINT cfk FOREIGN KEY (pid) REFERENCES p (id))")
    connection.close()


def test_effects_know_the_tables_and_the_server(mysql_url: str, mysql_server: Server) -> None:
    make(mysql_url)
    code, said = run("effects", "ALTER TABLE c DROP FOREIGN KEY cfk", "--url", mysql_url)
    assert code == 0, said
    assert "EXCLUSIVE" in said and ("referenced by cfk" in said) == (mysql_server.flavour == "mysql")


def test_the_dialect_is_the_servers_whatever_the_url_says(mysql_url: str, mysql_server: Server) -> None:
    make(mysql_url)
    other = "mysql" if mysql_server.flavour == "mariadb" else "mariadb"
    url = mysql_url.replace(mysql_server.flavour, other, 1)
    code, said = run("effects", "ALTER TABLE c DROP FOREIGN KEY cfk", "--url", url)
    assert code == 0 and f"the server is {mysql_server.flavour}" in said, said
    assert ("referenced by cfk" in said) == (mysql_server.flavour == "mysql")


def test_a_plan_is_refused_and_says_what_there_is_instead(mysql_url: str, mysql_server: Server, tmp_path: Path) -> None:
    make(mysql_url)
    (tmp_path / "1.sql").write_text("ALTER TABLE p ADD COLUMN v INT;\n")
    plan = tmp_path / "plan.json"
    done = CliRunner().invoke(cli, ["plan", str(tmp_path / "1.sql"), "--url", mysql_url, "-o", str(plan)], standalone_mode=False)
    assert isinstance(done.exception, RefusedError) and done.exception.code == "DF-E323"
    assert mysql_server.flavour in done.exception.summary and "driftflow assess" in done.exception.hint
    assert not plan.exists()


def test_a_snapshot_stands_in_for_the_server(mysql_url: str, mysql_server: Server, tmp_path: Path) -> None:
    make(mysql_url)
    file = tmp_path / "snapshot.json"
    code, said = run("snapshot", "--url", mysql_url, "-o", str(file))
    assert code == 0, said
    assert json.loads(file.read_text())["catalog"]["vendor"] == mysql_server.flavour
    secret = mysql_url.partition("@")[0].rpartition(":")[2]
    assert secret not in file.read_text() + said
    code, said = run("effects", "ALTER TABLE nothing ADD COLUMN x INT", "--snapshot", str(file))
    assert code == 0 and "does not exist" in said


def test_lint_contacts_nobody(tmp_path: Path) -> None:
    (tmp_path / "1.sql").write_text("ALTER TABLE t MODIFY v BIGINT NOT NULL;\n")
    code, said = run("lint", str(tmp_path / "1.sql"), "--url", "mysql://u@127.0.0.1:1/d")
    assert code in {0, 1} and "DF-E408" not in said, said


def test_assess_and_sources_ask_the_server(mysql_url: str, tmp_path: Path) -> None:
    make(mysql_url)
    (tmp_path / "1.sql").write_text("ALTER TABLE c MODIFY pid INT NOT NULL;\n")
    code, said = run("sources", str(tmp_path), "--url", mysql_url)
    assert code == 0 and "1" in said, said
    assert "driftflow assess" in said and "driftflow plan" not in said, said  # no plan can be made of them
    code, said = run("assess", str(tmp_path), "--url", mysql_url)
    assert code in {0, 1} and "error[" not in said, said
    assert "driftflow plan" not in said, said


def test_no_plan_is_run_without_a_journal(mysql_url: str) -> None:
    for command in ("status", "clean"):
        done = CliRunner().invoke(cli, [command, "--url", mysql_url])
        assert isinstance(done.exception, JournalError) and done.exception.code == "DF-E608"
