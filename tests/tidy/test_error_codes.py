"""One code, one meaning, one page: every DF-Ennn of the code is collected from its syntax tree and held against docs/errors.md."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

import driftflow
from driftflow import errors
from driftflow.cli.explain import error_page

SOURCE = Path(driftflow.__file__).parent
PAGE = SOURCE.parents[1] / "docs" / "errors.md"
CODE = re.compile(r"DF-E\d{3}")
ROOMS = {"1": {2}, "2": {2}, "3": {2, 3}, "4": {2, 6}, "5": {3, 5, 6}, "6": {3, 6}, "7": {2, 3, 4, 6}, "9": {2, 70}}
"""The exit codes that a first digit may have (design: usage and sources 2, refusals 3, outcome unknown 5, the database 6, ours 70)."""

ONE_MEANING = {
    "DF-E100": "click's own words about the command line",
    "DF-E101": "driftflow.toml cannot be read: by the system, or as TOML",
    "DF-E102": "a key that is not known: in the file, or as a variable",
    "DF-E103": "a value that cannot be",
    "DF-E110": "the scheme says whether there is one at all",
    "DF-E139": "not on offer: the name is unknown, or two exclude each other",
    "DF-E201": "the grammar's own words",
    "DF-E203": "a NUL in SQL",
    "DF-E204": "a command of the vendor's shell",
    "DF-E205": "the token",
    "DF-E213": "a directive is incomplete or contradicts itself",
    "DF-E214": "an input file is not there, or cannot be read",
    "DF-E215": "an isolation test speaks of nothing",
    "DF-E221": "nothing to run",
    "DF-E222": "a file that is not to be read",
    "DF-E227": "a name says no version that can be used",
    "DF-E228": "an option of a reader",
    "DF-E230": "a settings file of the tool",
    "DF-E231": "annotations that the tool refuses; its name differs",
    "DF-E232": "a file of a pair is missing",
    "DF-E233": "the tool would cut the file elsewhere",
    "DF-E243": "an applied migration whose file is gone",
    "DF-E305": "the guard's own summary",
    "DF-E308": "the run is over: finished, or rolled back",
    "DF-E312": "an input cannot be read: looked at before the run, and before the step",
    "DF-E394": "not approved: another digest, or none",
    "DF-E400": "the driver of the vendor",
    "DF-E408": "which server cannot be reached",
    "DF-E411": "whose protocol it speaks",
    "DF-E412": "which server it is",
    "DF-E401": "the SQLite file cannot be opened, or not read",
    "DF-E409": "the server refuses the user, by password or because there is none",
    "DF-E414": "too few rights to create the journal; PostgreSQL says where",
    "DF-E539": "rows without their parent, after a rebuild",
    "DF-E653": "a column that a directive names is not there: of the table, or of the one pointed at",
    "DF-E658": "orphans that cannot be looked after: a circle, or a column that cannot be NULL",
    "DF-E659": "a rule that cannot be kept: by the clock, over other rows, by what the server does not know, by triggers over tables like these",
    "DF-E741": "a column that no trigger sees",
    "DF-E742": "a rule in Python that the database cannot hold, or cannot look at",
    "DF-E752": "a key, an operation or a mode that a file of requests does not know",
    "DF-E903": "the grammar's package is missing or damaged",
}
"""Codes whose summaries differ, and the one meaning that all of them have."""


@dataclass(frozen=True)
class Raised:
    code: str
    kind: str
    """The class, where it stands at the same place."""
    summary: str
    """With `{}` for what is filled in; empty where it comes from elsewhere."""
    hint: bool
    where: str


def skeleton(node: ast.expr | None) -> str:
    match node:
        case ast.Constant(value=str() as text):
            return text
        case ast.JoinedStr(values=values):
            return "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in values)
        case ast.IfExp(body=body, orelse=orelse):
            return f"{skeleton(body)} | {skeleton(orelse)}"
        case _:
            return ""


@cache
def raised() -> tuple[Raised, ...]:
    return tuple(one for path in sorted(SOURCE.rglob("*.py")) for one in _in_file(path))


def _in_file(path: Path) -> Iterator[Raised]:
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call):
            continue
        for index, argument in enumerate(node.args):
            for code in _codes(argument):
                following = node.args[index + 1] if len(node.args) > index + 1 else None
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                hint = any(keyword.arg == "hint" for keyword in node.keywords)
                yield Raised(code, name, skeleton(following), hint, f"{path.relative_to(SOURCE)}:{node.lineno}")


def _codes(node: ast.expr) -> list[str]:
    parts = [node.body, node.orelse] if isinstance(node, ast.IfExp) else [node]
    return [
        part.value
        for part in parts
        if isinstance(part, ast.Constant) and isinstance(part.value, str) and CODE.fullmatch(part.value)
    ]


def in_text() -> set[str]:
    """Every code that stands in the source as a string, however it gets into an error."""
    return {code for path in SOURCE.rglob("*.py") for code in re.findall(r"\"(DF-E\d{3})\"", path.read_text())}


def chapters() -> dict[str, str]:
    parts = re.split(r"(?m)^### (DF-E\d{3}): ", PAGE.read_text())[1:]
    return {code: re.split(r"(?m)^## ", text)[0] for code, text in zip(parts[::2], parts[1::2], strict=True)}


def exit_code(kind: str) -> int | None:
    found = getattr(errors, kind, None)
    return found.exit_code if isinstance(found, type) and issubclass(found, errors.DriftflowError) else None


def test_the_collection_sees_the_code() -> None:
    """If this misses what is raised, the others hold of nothing."""
    assert len(raised()) > 150
    assert {one.code for one in raised()} <= in_text()
    assert len(in_text() - {one.code for one in raised()}) < 30


def test_one_code_has_one_meaning() -> None:
    found: dict[str, set[str]] = {}
    for one in raised():
        if one.summary and exit_code(one.kind) is not None:
            found.setdefault(one.code, set()).add(one.summary)
    several = {code: sorted(summaries) for code, summaries in found.items() if len(summaries) > 1}
    assert {code: summaries for code, summaries in several.items() if code not in ONE_MEANING} == {}


def test_one_code_has_one_exit_code() -> None:
    found: dict[str, set[int]] = {}
    for one in raised():
        if (status := exit_code(one.kind)) is not None:
            found.setdefault(one.code, set()).add(status)
    assert {code: sorted(statuses) for code, statuses in found.items() if len(statuses) > 1} == {}
    assert {code: sorted(statuses) for code, statuses in found.items() if not statuses <= ROOMS[code[4]]} == {}


def test_every_error_has_a_hint() -> None:
    assert [one.where for one in raised() if exit_code(one.kind) is not None and not one.hint] == []


def test_the_page_knows_every_code_and_no_other() -> None:
    assert in_text() == set(chapters())


def test_the_codes_of_a_section_ascend() -> None:
    sections = [re.findall(r"(?m)^### (DF-E\d{3})", text) for text in re.split(r"(?m)^## ", PAGE.read_text())[1:]]
    assert sum(map(len, sections)) == len(chapters())
    assert [codes for codes in sections if codes != sorted(codes)] == []


def test_the_page_says_the_exit_code() -> None:
    wrong = []
    for one in raised():
        status = exit_code(one.kind)
        said = re.search(r"(?m)^Exit code (\d+)\.", chapters()[one.code])
        if status is not None and (said is None or int(said[1]) != status):
            wrong.append(f"{one.code}: the page says {said[1] if said else 'nothing'}, the class {status}")
    assert sorted(set(wrong)) == []


def test_every_chapter_says_what_it_means_and_what_to_do() -> None:
    short = [code for code, text in chapters().items() if not re.search(r"(?m)^Exit code \d+\.", text) or "\nDo: " not in text]
    assert short == []


@pytest.mark.parametrize("code", ["DF-E404", "DF-E607"])
def test_explain_prints_the_chapter(code: str) -> None:
    page = error_page(code)
    assert page.startswith(f"### {code}: ")
    assert len(re.findall(r"(?m)^### ", page)) == 1
    assert "Exit code" in page
