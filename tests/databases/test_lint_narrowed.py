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
    assert "match nothing any more" in result.said
    assert "DF111" in result.said


@pytest.mark.parametrize(
    ("text", "code"),
    [(None, "DF-E140"), ("{", "DF-E141"), ('{"findings": 5}', "DF-E141"), ('{"format": 7, "findings": []}', "DF-E142")],
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
