"""The frame around every command: one shape of error, one exit code each, JSON alone on standard output, secrets nowhere."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from driftflow.cli.main import main
from driftflow.cli.output import Output, quoted, write_file
from driftflow.dialects.base import ErrorKind
from driftflow.engine.ports import DatabaseFault
from driftflow.errors import OutcomeUnknownError, PausedError, RefusedError, UsageError

SECRET = "hunter22"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No driftflow.toml and no variables of the machine that runs the tests."""
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith("DRIFTFLOW_"):
            monkeypatch.delenv(name)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["plna"], "DF-E100"),
        (["--nonsense"], "DF-E100"),
        (["config", "--format", "yaml"], "DF-E100"),
        (["gate", "shut", "r1", "g"], "DF-E100"),
        (["config", "--env", "nix"], "DF-E104"),
        (["show", "missing.json"], "DF-E132"),
        (["doctor"], "DF-E131"),
        (["doctor", "--url", "oracle://x"], "DF-E110"),
        (["lint", "missing"], "DF-E132"),
        (["effects", "  "], "DF-E108"),
        (["snapshot", "--url", "sqlite:///x.db", "--sample", "soon"], "DF-E109"),
        (["explain", "DF-E998"], "DF-E133"),
        (["lint", "--var", "novalue"], "DF-E100"),
        (["effects", "SELECT 1", "--dialect", "sqlite", "--server-version", "banana"], "DF-E103"),
        (["lint", ".", "--dialect", "banana"], "DF-E117"),
    ],
)
def test_what_is_wrong_with_the_command_line_exits_2_with_a_code_and_a_hint(
    words: list[str], code: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert f"error[{code}] " in said.err
    assert "\n  hint: " in said.err


@pytest.mark.parametrize("dialect", ["postgresql", "mysql", "mariadb", "sqlite"])
def test_the_url_that_is_missing_is_shown_for_the_database_that_was_named(
    dialect: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor", "--dialect", dialect]) == 2
    (hint,) = [line for line in capsys.readouterr().err.splitlines() if "hint: " in line]
    assert [one for one in ("postgresql", "mysql", "mariadb", "sqlite") if f"{one}://" in hint] == [dialect]


def test_without_a_dialect_every_kind_of_url_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 2
    said = capsys.readouterr().err
    assert all(f"{one}://" in said for one in ("postgresql", "mysql", "mariadb", "sqlite"))


def test_a_misspelt_command_is_corrected(capsys: pytest.CaptureFixture[str]) -> None:
    main(["plna"])
    assert "hint: driftflow plan" in capsys.readouterr().err


def test_json_was_asked_for_so_the_error_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "missing.json", "--format", "json"]) == 2
    said = capsys.readouterr()
    assert json.loads(said.out)["errors"][0]["code"] == "DF-E132"
    assert said.err == ""
    assert main(["show", "--format=json", "--nonsense"]) == 2
    assert json.loads(capsys.readouterr().out)["errors"][0]["code"] == "DF-E100"


def test_json_stands_alone_on_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "--format", "json", "--url", f"postgresql://anna:{SECRET}@h/d"]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["url"] == {"value": "postgresql://anna:***@h/d", "origin": "--url"}
    assert said.err.startswith("next: driftflow ")
    assert SECRET not in said.out + said.err


def test_the_password_of_a_replica_is_not_shown(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRIFTFLOW_REPLICA_URL", f"postgresql://anna:{SECRET}@r1/d postgresql://anna:{SECRET}@r2/d")
    assert main(["config", "--format", "json"]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["replica_url"]["value"] == "postgresql://anna:***@r1/d, postgresql://anna:***@r2/d"
    assert SECRET not in said.out + said.err


def test_quiet_leaves_the_result_only(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["version", "-q"]) == 0
    said = capsys.readouterr()
    assert "next:" not in said.out and said.err == ""
    assert said.out.startswith("driftflow ")


@pytest.mark.parametrize(
    ("fault", "code", "exit_code"),
    [
        (RefusedError("DF-E300", "no"), "DF-E300", 3),
        (PausedError("DF-E540", "later"), "DF-E540", 4),
        (OutcomeUnknownError("DF-E504", "who knows"), "DF-E504", 5),
        (DatabaseFault(ErrorKind.OTHER, "relation is not there", code="42P01"), "DF-E499", 6),
        (ValueError("boom"), "DF-E900", 70),
        (ExceptionGroup("two", [UsageError("DF-E100", "a"), RefusedError("DF-E300", "b")]), "DF-E300", 3),
        (KeyboardInterrupt(), "interrupted", 4),
    ],
)
def test_every_failure_has_its_exit_code_and_no_traceback(
    fault: BaseException, code: str, exit_code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(name: str) -> str:
        raise fault

    monkeypatch.setattr("driftflow.cli.version._version", fail)
    assert main(["version"]) == exit_code
    said = capsys.readouterr()
    assert code in said.err
    assert "Traceback" not in said.err + said.out


def test_a_traceback_is_there_for_those_who_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str) -> str:
        raise ValueError("boom")

    monkeypatch.setattr("driftflow.cli.version._version", fail)
    monkeypatch.setenv("DRIFTFLOW_TRACEBACK", "1")
    with pytest.raises(ValueError, match="boom"):
        main(["version"])


def test_a_secret_in_a_url_is_in_no_message(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a driver says about the URL, the password does not come through."""
    url = f"postgresql://anna:{SECRET}@127.0.0.1:1/shop?sslpassword={SECRET}"
    for words in (["doctor"], ["snapshot"], ["status"], ["config"], ["sources"]):
        for more in (["--url", url], ["--url", url, "--format", "json"]):
            main([*words, *more])
    monkeypatch.setenv("DRIFTFLOW_URL", url)
    main(["doctor"])
    said = capsys.readouterr()
    assert "DF-E" in said.err + said.out
    assert SECRET not in said.out + said.err


def test_a_reader_that_goes_away_ends_the_command_quietly() -> None:
    script = "import sys; from driftflow.cli.main import main; sys.exit(main(['explain', 'plan']))"
    reading, writing = os.pipe()
    os.close(reading)
    child = subprocess.run([sys.executable, "-c", script], stdout=writing, stderr=subprocess.PIPE, timeout=60)
    os.close(writing)
    assert (child.returncode, child.stderr) == (0, b"")


def test_a_file_is_written_as_a_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    write_file(path, "one")
    write_file(path, "two")
    assert [file.name for file in tmp_path.iterdir()] == ["plan.json"]
    assert path.read_text() == "two"
    with pytest.raises(UsageError) as caught:
        write_file(tmp_path / "missing" / "plan.json", "x")
    assert caught.value.code == "DF-E106"


def test_the_next_command_is_the_last_line(capsys: pytest.CaptureFixture[str]) -> None:
    Output().next("driftflow apply plan.json", "driftflow show plan.json")
    assert capsys.readouterr().out == "\nnext: driftflow apply plan.json\n  or: driftflow show plan.json\n"
    assert quoted("driftflow", "show", "my plan.json") == "driftflow show 'my plan.json'"


def test_without_a_command_there_is_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert "Usage: driftflow" in capsys.readouterr().out
    assert main(["gate"]) == 2


def test_without_paths_the_project_is_searched(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "db" / "migrations"
    folder.mkdir(parents=True)
    (folder / "20240101120000_a.sql").write_text("-- migrate:up\nCREATE TABLE a (id integer);\n-- migrate:down\nDROP TABLE a;\n")
    assert main(["lint", "--dialect", "sqlite"]) == 0
    said = capsys.readouterr()
    assert "found dbmate in db/migrations" in said.err
    assert "1 migration" in said.out


def test_a_password_on_the_command_line_is_warned_about(capsys: pytest.CaptureFixture[str]) -> None:
    main(["doctor", "--url", f"postgresql://anna:{SECRET}@127.0.0.1:1/shop"])
    assert "others on this machine can see a password" in capsys.readouterr().err
