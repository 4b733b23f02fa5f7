"""The second `lint` over the same files is answered from the first one; over anything else it is not."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO

import pytest

from driftflow import __main__ as entry
from driftflow.cli import answers
from driftflow.cli import main as frame

RISKY = "CREATE INDEX i ON orders (total);\n"
QUIET = "CREATE TABLE orders (id bigint);\n"

Again = Callable[..., tuple[int, str, str, bool]]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "migrations").mkdir()
    (tmp_path / "migrations" / "001.sql").write_text(RISKY)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DRIFTFLOW_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(answers, "WORTH_KEEPING_SECONDS", 0)
    monkeypatch.setattr(answers, "SETTLED_NS", -(10**15))
    monkeypatch.setattr(answers, "asked", None)
    return tmp_path


@pytest.fixture
def lint(project: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Again:
    """`driftflow lint` as a process of its own would run it: (exit code, output, notes, whether the files were read)."""

    def run(*words: str, paths: tuple[str, ...] = ("migrations",)) -> tuple[int, str, str, bool]:
        read = []
        plain = frame.main

        def watched(*given: object) -> int:
            read.append(True)
            return plain(*given)  # type: ignore[arg-type]

        monkeypatch.setattr(sys, "argv", ["driftflow", "lint", *paths, *words])
        monkeypatch.setattr(frame, "main", watched)
        code = entry.main()
        monkeypatch.setattr(frame, "main", plain)
        said = capfd.readouterr()
        return code, said.out, said.err, bool(read)

    return run


@pytest.mark.parametrize("words", [("--dialect", "postgresql"), ("--format", "json"), ("--format", "sarif", "-q")])
def test_the_same_is_said_without_reading(words: tuple[str, ...], lint: Again) -> None:
    code, out, notes, read = lint(*words)
    assert (code, read) == (1, True)
    assert "DF301" in out
    assert lint(*words) == (code, out, notes, False)


CHANGES: dict[str, Callable[[Path], object]] = {
    "another content of the same size": lambda root: (root / "migrations/001.sql").write_text(RISKY.replace("i ON", "j ON")),
    "a new file": lambda root: (root / "migrations/002.sql").write_text(QUIET),
    "a new file below": lambda root: [(root / "migrations/more").mkdir(), (root / "migrations/more/002.sql").write_text(QUIET)],
    "no file any more": lambda root: (root / "migrations/001.sql").rename(root / "elsewhere/001.sql"),
    "another file under the name": lambda root: [
        (root / "elsewhere/001.sql").write_text(RISKY),
        (root / "elsewhere/001.sql").replace(root / "migrations/001.sql"),
    ],
    "a configuration": lambda root: (root / "driftflow.toml").write_text('[rules.DF301]\nseverity = "info"\nreason = "small"\n'),
    "what is installed": lambda root: (root / "path/extra-2.0.dist-info").mkdir(parents=True),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_decides_about_the_answer_is_looked_at(
    change: str, lint: Again, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(project / "path"))
    (project / "migrations" / "000.sql").write_text(QUIET)
    assert lint()[3]
    assert not lint()[3]
    CHANGES[change](project)
    assert lint()[3]
    assert not lint()[3]


def test_a_changed_baseline_or_configuration_counts(lint: Again, project: Path) -> None:
    assert lint("--write-baseline", "known.json")[:1] == (0,)
    (project / "other.toml").write_text("")
    words = ("--baseline", "known.json", "--config", "other.toml")
    assert [lint(*words)[3], lint(*words)[3]] == [True, False]
    (project / "other.toml").write_text('[rules.DF301]\nseverity = "warning"\nreason = "x"\n')
    assert [lint(*words)[3], lint(*words)[3]] == [True, False]
    known = project / "known.json"
    known.write_text(known.read_text() + "\n")
    assert [lint(*words)[3], lint(*words)[3]] == [True, False]


@pytest.mark.parametrize("words", [("--fail-on", "never"), ("--select", "DF301"), ("--server-version", "16")])
def test_another_question_has_another_answer(words: tuple[str, ...], lint: Again) -> None:
    lint()
    assert lint(*words)[3]
    assert not lint()[3]


def test_the_environment_is_part_of_the_question(lint: Again, monkeypatch: pytest.MonkeyPatch) -> None:
    lint()
    monkeypatch.setenv("DRIFTFLOW_DIALECT", "mysql")
    assert lint()[3]


UNTOLD: dict[str, Callable[[Path], tuple[str, ...]]] = {
    "a single file": lambda root: ("migrations/001.sql",),
    "a folder behind a link": lambda root: [(root / "migrations/link").symlink_to(root / "elsewhere")] and ("migrations",),
    "a file that a directive names": lambda root: (
        [
            (root / "elsewhere/x.csv").write_text("id,v\n1,2\n"),
            (root / "migrations/001.sql").write_text(f"-- driftflow: backfill csv=../elsewhere/x.csv\n{RISKY}"),
        ]
        and ("migrations",)
    ),
    "paths of a rule": lambda root: (
        (
            (root / "driftflow.toml").write_text('[rules.DF301]\nexclude = ["elsewhere/*"]\nreason = "x"\n')
            and (root / "elsewhere/y").write_text("")
        )
        or ("migrations",)
    ),
}


@pytest.mark.parametrize("case", UNTOLD)
def test_what_files_alone_do_not_decide_is_read_each_time(case: str, lint: Again, project: Path) -> None:
    paths = UNTOLD[case](project)
    assert [lint(paths=paths)[3], lint(paths=paths)[3]] == [True, True]


def test_what_may_change_within_the_same_moment_is_not_kept(lint: Again, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "SETTLED_NS", 2_000_000_000)
    assert [lint()[3], lint()[3]] == [True, True]


def test_it_can_be_switched_off(lint: Again, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [lint("--no-cache")[3], lint("--no-cache")[3]] == [True, True]
    monkeypatch.setenv("DRIFTFLOW_CACHE", "off")
    assert [lint()[3], lint()[3]] == [True, True]
    assert not (project / "cache").exists()


@pytest.mark.parametrize("harm", ["cut", "garbled", "gone"])
def test_a_damaged_answer_is_none(harm: str, lint: Again, project: Path) -> None:
    first = lint()
    folder = project / "cache" / "lint"
    text, head = next(folder.glob("*.text")), next(folder.glob("*.json"))
    {"cut": lambda: os.truncate(text, 5), "garbled": lambda: head.write_text("{"), "gone": text.unlink}[harm]()
    assert lint() == first


def test_only_the_owner_reads_them_and_the_oldest_go(lint: Again, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "KEPT_MAX", 2)
    monkeypatch.setattr(answers, "ABANDONED_SECONDS", -10)
    for code in ("DF301", "DF302", "DF303", "DF304"):
        lint("--select", code)
    folder = project / "cache" / "lint"
    assert len(list(folder.glob("*.json"))) == 2
    assert len(list(folder.glob("*.text"))) == 2
    assert {file.stat().st_mode & 0o77 for file in (folder, *folder.iterdir())} == {0}


def test_an_answer_that_began_too_early_is_not_kept_from_its_middle(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recording = answers.Recording(["lint", "migrations"])
    monkeypatch.setattr(answers, "WORTH_KEEPING_SECONDS", 60)
    recording.wrote("the first half, ")
    monkeypatch.setattr(answers, "WORTH_KEEPING_SECONDS", 0)
    recording.wrote("and the second")
    recording.keep(0, trees=[project / "migrations"])
    assert not list(project.glob("cache/lint/*"))


def test_an_answer_that_could_not_be_written_whole_is_not_kept(project: Path) -> None:
    recording = answers.Recording(["lint", "migrations"])
    recording.wrote("the first half, ")
    stream = recording._text
    assert stream is not None
    recording._text = _Full(stream)  # type: ignore[assignment]  # all that is asked of it
    recording.wrote("and the second")
    recording.wrote(", and a third")
    recording.keep(0, trees=[project / "migrations"])
    assert not list(project.glob("cache/lint/*"))


class _Full:
    """A stream on a full disk."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def write(self, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    def close(self) -> None:
        self._stream.close()


def test_a_folder_that_cannot_be_written_is_no_fault(lint: Again, project: Path) -> None:
    (project / "cache").write_text("a file")
    code, out, _, read = lint()
    assert (code, read) == (1, True)
    assert "DF301" in out
