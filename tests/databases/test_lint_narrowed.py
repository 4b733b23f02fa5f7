"""`--baseline` and `--changed-since`: which findings count, in folders and repositories as they are."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

DROP = "ALTER TABLE users DROP COLUMN email;\n"
BIG = "UPDATE users SET age = 5;\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "migrations").mkdir()

    monkeypatch.chdir(tmp_path)
    write(tmp_path, "001_drop.sql", DROP)
    return tmp_path


def write(project: Path, name: str, sql: str) -> None:
    (project / "migrations" / name).write_text(sql)


class Result(NamedTuple):
    exit_code: int
    stdout: str
    stderr: str

    @property
    def said(self) -> str:
        """Errors are in the JSON, notes beside it."""
        return self.stdout + self.stderr


def lint(*words: str) -> Result:
    """As a process, in the current folder."""
    command = [sys.executable, "-m", "driftflow", "lint", "migrations", "--dialect", "postgresql", "--format", "json", *words]
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("DRIFTFLOW_", "GIT_"))}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environ, timeout=60)
    return Result(done.returncode, done.stdout, done.stderr)


def codes(result: Result) -> list[str]:
    return [finding["code"] for finding in json.loads(result.stdout)["findings"]]


def git(project: Path, *words: str) -> None:
    name = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.org", "-c", "init.defaultBranch=main")
    subprocess.run(["git", "-C", str(project), *name, *words], check=True, capture_output=True)


def test_what_the_baseline_knows_does_not_count(project: Path) -> None:
    assert lint().exit_code == 1
    written = lint("--write-baseline", "known.json")
    assert written.exit_code == 0
    again = lint("--baseline", "known.json")
    assert (again.exit_code, codes(again)) == (0, [])


def test_a_new_finding_counts_and_moved_lines_change_nothing(project: Path) -> None:
    lint("--write-baseline", "known.json")
    write(project, "001_drop.sql", f"-- a comment\n\n{DROP.replace(' DROP', chr(10) + '  DROP')}{BIG}")
    result = lint("--baseline", "known.json")
    assert result.exit_code == 1
    assert set(codes(result)) >= {"DF704"}
    assert "DF111" not in codes(result)


def test_the_same_statement_a_second_time_is_new(project: Path) -> None:
    write(project, "001_drop.sql", BIG)
    lint("--write-baseline", "known.json")
    write(project, "001_drop.sql", BIG * 2)
    assert codes(lint("--baseline", "known.json")).count("DF704") == 1


def test_entries_that_nothing_matches_are_named(project: Path) -> None:
    lint("--write-baseline", "known.json")
    write(project, "001_drop.sql", "ALTER TABLE users ADD COLUMN note text;\n")
    result = lint("--baseline", "known.json")
    assert result.exit_code == 0
    (stale,) = [one for one in json.loads(result.stdout)["findings"] if one["code"] == "DF906"]
    assert stale["span"]["file"] == "known.json" and stale["span"]["line"] > 1
    assert "DF111 of users.email" in stale["summary"]
    assert lint("--baseline", "known.json", "--fail-on", "warning").exit_code == 1


def test_entries_of_files_that_were_not_read_are_only_counted(project: Path) -> None:
    lint("--write-baseline", "known.json")
    (project / "migrations" / "001_drop.sql").unlink()
    write(project, "002_add.sql", "ALTER TABLE users ADD COLUMN note text;\n")
    result = lint("--baseline", "known.json")
    assert "DF906" not in codes(result)
    assert "1 entries of known.json are of migrations that were not read (DF111 in 001_drop)" in result.said


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (None, "DF-E140"),
        ("{", "DF-E141"),
        ('{"findings": 5}', "DF-E141"),
        ('{"format": 7, "findings": []}', "DF-E142"),
        ('{"format": 7, "findings": {}}', "DF-E142"),
    ],
)
def test_a_bad_baseline_is_an_error(project: Path, text: str | None, code: str) -> None:
    if text is not None:
        (project / "known.json").write_text(text)
    result = lint("--baseline", "known.json")
    assert result.exit_code == 2
    assert code in result.said


def test_a_baseline_is_read_or_written(project: Path) -> None:
    result = lint("--baseline", "a.json", "--write-baseline", "b.json")
    assert (result.exit_code, "DF-E144" in result.said) == (2, True)


def test_only_changed_files_count(project: Path) -> None:
    git(project, "init")
    git(project, "add", ".")
    git(project, "commit", "-m", "first")
    assert codes(lint("--changed-since", "HEAD")) == []
    write(project, "002_fill.sql", BIG)  # git does not track it
    assert "DF111" not in codes(lint("--changed-since", "HEAD"))
    assert "DF704" in codes(lint("--changed-since", "HEAD"))


def test_changes_are_counted_from_where_the_branches_parted(project: Path) -> None:
    git(project, "init")
    git(project, "add", ".")
    git(project, "commit", "-m", "first")
    git(project, "checkout", "-b", "work")
    write(project, "002_fill.sql", BIG)
    git(project, "add", ".")
    git(project, "commit", "-m", "mine")
    git(project, "checkout", "main")
    write(project, "001_drop.sql", DROP + "-- theirs\n")
    git(project, "commit", "-am", "theirs")
    git(project, "checkout", "work")
    assert set(codes(lint("--changed-since", "main"))) == {"DF704"}


def test_a_file_that_is_left_out_still_counts_for_the_others(project: Path) -> None:
    """A table that an unchanged file creates is new for the changed one: no lock on it hurts anybody."""
    write(project, "001_drop.sql", "CREATE TABLE made (id bigint PRIMARY KEY, note text);\n")
    git(project, "init")
    git(project, "add", ".")
    git(project, "commit", "-m", "first")
    write(project, "002_index.sql", "CREATE INDEX made_note ON made (note);\n")
    assert "DF301" not in codes(lint("--changed-since", "HEAD"))


def test_git_that_does_not_answer_is_an_error(project: Path) -> None:
    assert "DF-E260" in lint("--changed-since", "HEAD").said
    git(project, "init")
    git(project, "add", ".")
    git(project, "commit", "-m", "first")
    for ref in ("nowhere", "--output=x"):
        result = lint("--changed-since", ref)
        assert (result.exit_code, "DF-E261" in result.said) == (2, True)


def test_histories_without_a_common_commit(project: Path) -> None:
    git(project, "init")
    git(project, "add", ".")
    git(project, "commit", "-m", "first")
    git(project, "checkout", "--orphan", "other")
    git(project, "commit", "-m", "other")
    result = lint("--changed-since", "main")
    assert (result.exit_code, "DF-E262" in result.said) == (2, True)


def configure(project: Path, text: str) -> None:
    (project / "driftflow.toml").write_text(text)


def test_only_some_checks(project: Path) -> None:
    write(project, "002_fill.sql", BIG)
    everything = set(codes(lint()))
    assert {"DF111", "DF704"} <= everything
    assert set(codes(lint("--select", "df111"))) == {"DF111"}
    assert set(codes(lint("--ignore", "DF111,DF704"))) == everything - {"DF111", "DF704"}


@pytest.mark.parametrize("flag", ["--select", "--ignore"])
def test_a_check_that_is_not_there_is_refused(project: Path, flag: str) -> None:
    result = lint(flag, "DF11I")
    assert (result.exit_code, "DF-E145" in result.said, "did you mean DF11" in result.said) == (2, True, True)


def test_a_rule_of_the_file_counts_and_an_environment_has_its_own(project: Path) -> None:
    configure(
        project,
        """
        [rules.DF111]
        severity = "warning"
        reason = "columns go with their release here"
        [environments.staging]
        [environments.production.rules.DF111]
        severity = "error"
        reason = "an archive first"
        """,
    )
    assert (lint("--env", "staging").exit_code, lint("--env", "production").exit_code) == (0, 1)
    assert lint("--env", "staging", "--fail-on", "warning").exit_code == 1
    assert "DF-E104" in lint("--env", "prodution").said


def test_a_path_that_a_rule_does_not_concern(project: Path) -> None:
    configure(project, '[rules.DF111]\nexclude = ["migrations/001*"]\nreason = "before our time"\n')
    write(project, "002_drop.sql", "ALTER TABLE users DROP COLUMN age;\n")
    found = [one["span"]["file"] for one in json.loads(lint().stdout)["findings"] if one["code"] == "DF111"]
    assert found == ["migrations/002_drop.sql"]


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ('[rules.DF11I]\nseverity = "off"\nreason = "x"', "DF-E145", "did you mean DF11"),
        ('[environments.a.rules.DF11I]\nseverity = "off"\nreason = "x"', "DF-E145", "driftflow.toml:1"),
        ('[rules.DF111]\nexclude = ["migration/**"]\nreason = "x"', "DF-E146", "migration/** matches no file"),
        ('[rules.DF901]\nseverity = "off"\nreason = "x"', "DF-E147", "DF901"),
        ('[rules.DF111]\nseverity = "off"', "DF-E103", "says no reason"),
        ('[rules.DF111]\nreason = "x"', "DF-E103", "changes nothing"),
        ('[rules.DF111]\nseverity = "loud"\nreason = "x"', "DF-E103", "rules.DF111.severity"),
        ('[rules.DF111]\nseverty = "off"\nreason = "x"', "DF-E102", "did you mean severity"),
        ('[rules]\nDF111 = "off"', "DF-E103", "a table was expected"),
    ],
)
def test_a_rule_that_cannot_be_is_refused(project: Path, text: str, code: str, said: str) -> None:
    configure(project, text)
    result = lint()
    assert (result.exit_code, code in result.said, said in result.said) == (2, True, True), result.said


def test_config_shows_the_rules_and_where_they_stand(project: Path) -> None:
    configure(project, '[rules.DF111]\nseverity = "warning"\nreason = "columns go with their release"\n')
    command = [sys.executable, "-m", "driftflow", "config"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert "rules.DF111            warning: columns go with their release" in done.stdout
    assert "driftflow.toml:1" in done.stdout


def test_a_renamed_file_counts_under_its_new_name_and_a_removed_one_not_at_all(project: Path) -> None:
    write(project, "002_fill.sql", BIG)
    git(project, "init")
    git(project, "add", ".")
    git(project, "commit", "-m", "first")
    git(project, "mv", "migrations/002_fill.sql", "migrations/003_fill.sql")
    git(project, "rm", "-q", "migrations/001_drop.sql")
    git(project, "commit", "-m", "second")
    assert set(codes(lint("--changed-since", "HEAD~1"))) == {"DF704"}


def test_a_shallow_clone_says_what_is_missing(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git(project, "init")
    for number in range(3):
        write(project, f"00{number + 2}.sql", "SELECT 1;\n")
        git(project, "add", ".")
        git(project, "commit", "-m", str(number))
    git(project, "tag", "old", "HEAD~2")
    git(project, "checkout", "-q", "-b", "work")
    shallow = tmp_path / "shallow"
    git(project, "clone", "-q", "--depth", "1", f"file://{project}", str(shallow))
    monkeypatch.chdir(shallow)
    result = lint("--changed-since", "old")
    assert (result.exit_code, "DF-E261" in result.said) == (2, True)
    git(shallow, "fetch", "-q", "--depth", "1", "origin", "tag", "old")
    result = lint("--changed-since", "old")
    assert (result.exit_code, "DF-E262" in result.said, "unshallow" in result.said) == (2, True, True)
