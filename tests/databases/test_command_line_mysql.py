"""The command line on MySQL and MariaDB, as a person meets it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from driftflow.cli.main import cli
from driftflow.drivers.urls import connector_for
from driftflow.errors import ParseError, RefusedError
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
    assert "driftflow plan" in said, said
    code, said = run("assess", str(tmp_path), "--url", mysql_url)
    assert code in {0, 1} and "error[" not in said, said
    assert "driftflow plan" in said, said


@pytest.mark.parametrize(
    "said", ['backfill column=b set="coalesce("', 'dual-write column=b set="NEW.pid *"', 'maintained column=b set="(NEW.pid"']
)
def test_an_expression_that_the_server_cannot_read_is_refused_at_planning(mysql_url: str, tmp_path: Path, said: str) -> None:
    make(mysql_url)
    (tmp_path / "1.sql").write_text(f"-- driftflow: {said}\nALTER TABLE c ADD COLUMN b INT;\n")
    plan = ("plan", str(tmp_path), "--url", mysql_url, "-o", str(tmp_path / "plan.json"))
    refused = CliRunner().invoke(cli, plan).exception
    assert isinstance(refused, ParseError) and refused.code == "DF-E213" and "1.sql:1:1" in refused.where
    good = said.replace('coalesce("', 'pid + 1"').replace(' *"', ' * 2"').replace("(NEW", "NEW")
    (tmp_path / "1.sql").write_text(f"-- driftflow: {good}\nALTER TABLE c ADD COLUMN b INT;\n")
    code, output = run(*plan)
    assert code == 0, output


def test_a_plan_is_made_run_shown_and_taken_back(mysql_url: str, mysql_server: Server, tmp_path: Path) -> None:
    """Under the other scheme too: which of the two it is, the server says."""
    make(mysql_url)
    other = "mysql" if mysql_server.flavour == "mariadb" else "mariadb"
    (tmp_path / "migrations").mkdir()
    (tmp_path / "migrations" / "1.sql").write_text("ALTER TABLE p ADD COLUMN v INT;\nCREATE INDEX p_v ON p (v);\n")
    plan = str(tmp_path / "plan.json")
    for url in (mysql_url, mysql_url.replace(mysql_server.flavour, other, 1)):
        code, said = run("status", "--url", url)
        assert code == 0, said
        code, said = run("plan", str(tmp_path / "migrations"), "--url", url, "-o", plan)
        assert code == 0 and "driftflow apply" in said, said
        code, said = run("apply", plan, "--url", url)
        assert code == 0 and "done" in said, said
        code, said = run("status", "--url", url)
        assert code == 0 and "done" in said, said
        name = said.split("run ")[1].partition(":")[0]
        code, said = run("watch", name, "--url", url)
        assert code == 0, said
        code, said = run("rollback", name, "--url", url, "--yes")
        assert code == 0 and "rolled back" in said, said
        code, said = run("clean", "--url", url)
        assert code == 0, said
    connection = connector_for(mysql_url).connect()
    connection.execute("DROP DATABASE driftflow")
    assert [row[0] for row in connection.query("SHOW COLUMNS FROM p")] == ["id"]
    connection.close()


def test_a_tool_whose_version_table_is_not_known_here_is_refused(mysql_url: str, tmp_path: Path) -> None:
    (tmp_path / "meta").mkdir()
    entry = {"idx": 0, "version": "5", "when": 1767225600000, "tag": "0000_a", "breakpoints": True}
    (tmp_path / "meta" / "_journal.json").write_text(json.dumps({"version": "5", "dialect": "mysql", "entries": [entry]}))
    (tmp_path / "0000_a.sql").write_text("CREATE TABLE t (id INT PRIMARY KEY);\n")
    done = CliRunner().invoke(cli, ["plan", str(tmp_path), "--url", mysql_url], standalone_mode=False)
    assert isinstance(done.exception, RefusedError) and done.exception.code == "DF-E611"
