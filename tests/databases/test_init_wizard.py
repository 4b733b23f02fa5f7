"""`driftflow init` on a terminal asks and tests the connection; without one it asks nothing."""

from __future__ import annotations

import importlib.util
import sqlite3
import subprocess
import sys
import tomllib
from contextlib import closing
from pathlib import Path

from driftflow.config import load

spec = importlib.util.spec_from_file_location("terminal", Path(__file__).with_name("terminal.py"))
assert spec and spec.loader
terminal = importlib.util.module_from_spec(spec)
spec.loader.exec_module(terminal)

SECRET = "geheim17"


def project(folder: Path) -> Path:
    """A dbmate project whose .env holds a secret and whose folder holds a SQLite file."""
    migrations = folder / "db" / "migrations"
    migrations.mkdir(parents=True)
    (migrations / "20240101120000_users.sql").write_text(
        "-- migrate:up\nCREATE TABLE users (id integer);\n\n-- migrate:down\nDROP TABLE users;\n"
    )
    (folder / ".env").write_text(f'PROD_DATABASE_URL="postgresql://anna:{SECRET}@127.0.0.1:1/shop"\n')
    with closing(sqlite3.connect(folder / "shop.db")) as connection:
        connection.execute("CREATE TABLE t (x)")
    return folder


def driftflow(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "driftflow", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
    )


def test_the_wizard_asks_tests_and_writes(tmp_path: Path) -> None:
    folder = project(tmp_path)
    with terminal.Terminal(["init"], folder=folder) as asked:
        for question, answer in (
            (r"dbmate in db/migrations: use them\? \[Y/n\]: ", "\n"),
            (r"PROD_DATABASE_URL \(in \.env\).*\[Y/n\]: ", "y\n"),
            (r"its name \[production\]: ", "live\n"),
            (r"protected.*\[Y/n\]: ", "\n"),
            (r"shop\.db \(in shop\.db\).*\[Y/n\]: ", "y\n"),
            (r"its name \[development\]: ", "\n"),
            (r"development[^?]*\n.*protected.*\[y/N\]: |protected.*\[y/N\]: ", "\n"),
        ):
            asked.wait_for(question, seconds=20)
            asked.type(answer)
        assert asked.end() == 0, asked.text
    assert "development: answers, sqlite 3." in asked.text
    assert "live: does not answer" in asked.text
    assert SECRET not in asked.text
    written = (folder / "driftflow.toml").read_text()
    assert SECRET not in written
    document = tomllib.loads(written)
    assert document["sources"] == {"dbmate": {"tool": "dbmate", "path": "db/migrations"}}
    assert document["environments"]["live"] == {"url_env": "PROD_DATABASE_URL", "dialect": "postgresql", "protected": True}
    assert document["environments"]["development"] == {"url": "sqlite:///shop.db", "dialect": "sqlite"}
    assert load(start=folder).target.name == "live", "what was written can be read"


def test_without_a_terminal_nothing_is_asked(tmp_path: Path) -> None:
    folder = project(tmp_path)
    done = driftflow("init", folder=folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert "error[DF-E135]" in done.stderr and "driftflow init --yes" in done.stderr
    assert not (folder / "driftflow.toml").exists()


def test_yes_takes_what_is_found_and_never_overwrites(tmp_path: Path) -> None:
    folder = project(tmp_path)
    done = driftflow("init", "--yes", folder=folder)
    assert done.returncode == 0, done.stderr
    assert SECRET not in done.stdout + done.stderr + (folder / "driftflow.toml").read_text()
    again = driftflow("init", "--yes", folder=folder)
    assert again.returncode == 2 and "DF-E134" in again.stderr
    assert driftflow("init", "--yes", "--force", folder=folder).returncode == 0


def test_flags_name_everything(tmp_path: Path) -> None:
    folder = project(tmp_path)
    done = driftflow("init", "--source", "dbmate:db/migrations", "--url-env", "staging=STAGING_URL", folder=folder)
    assert done.returncode == 0, done.stderr
    document = tomllib.loads((folder / "driftflow.toml").read_text())
    assert document["environments"] == {"staging": {"url_env": "STAGING_URL"}}
    assert "staging: not tested, STAGING_URL is not set here" in done.stdout
    wrong = driftflow("init", "--source", "nowhere", "--url-env", "X", "--force", folder=folder)
    assert wrong.returncode == 2 and "DF-E132" in wrong.stderr


def test_an_empty_project_is_no_error(tmp_path: Path) -> None:
    done = driftflow("init", "--yes", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "no migrations were found" in done.stdout


def test_a_half_answered_wizard_writes_nothing(tmp_path: Path) -> None:
    folder = project(tmp_path)
    with terminal.Terminal(["init"], folder=folder) as asked:
        asked.wait_for(r"use them\?")
        asked.interrupt()
        assert asked.end(insisting=True) == 4
    assert not (folder / "driftflow.toml").exists()
