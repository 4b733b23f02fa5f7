"""docs/recipes.md is made from the tests that prove it: what no test shows, the table does not claim. And every strategy has a golden plan.

A proving test carries `@pytest.mark.recipe(item, how, why=..., on=(...))`; without `on` it speaks for the databases of its `@pytest.mark.on`, and
without that for all four. `--update-golden` writes the page, and the plans of the examples on the strategies' pages.
"""

from __future__ import annotations

import ast
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
import planning
from driftflow.plugins import discover

ROOT = Path(__file__).parents[2]
TESTS = ROOT / "tests" / "databases" / "recipes"
PAGE = ROOT / "docs" / "recipes.md"
DATABASES = {"postgresql": "PostgreSQL", "mysql": "MySQL", "mariadb": "MariaDB", "sqlite": "SQLite"}
HOW = {"native": "native", "emulated": "emulated", "refused": "refused"}


@dataclass(frozen=True)
class Proof:
    """One mark on one test."""

    item: str
    how: str
    why: str
    databases: tuple[str, ...]
    test: str


def items() -> dict[str, dict[str, str]]:
    """Title of the group to (id to title)."""
    groups = tomllib.loads((TESTS / "items.toml").read_text(encoding="utf-8"))["groups"]
    return {group["title"]: group["items"] for group in groups.values()}


def proofs() -> list[Proof]:
    return [proof for path in sorted(TESTS.glob("test_*.py")) for proof in _in_file(path)]


def _in_file(path: Path) -> Iterator[Proof]:
    body = ast.parse(path.read_text(encoding="utf-8")).body
    named = {ast.unparse(one.targets[0]): one.value for one in body if isinstance(one, ast.Assign)}
    constants = {name: value.value for name, value in named.items() if isinstance(value, ast.Constant)}
    of_the_file = [named["pytestmark"]] if "pytestmark" in named else []
    for node in body:
        if not isinstance(node, ast.FunctionDef) or not node.name.startswith("test_"):
            continue
        # `@MYSQL` stands for what the file calls so; one that another file gave its name is unknown here, and a KeyError.
        given = [*(named[one.id] if isinstance(one, ast.Name) else one for one in node.decorator_list), *of_the_file]
        marks = [one for one in given if isinstance(one, ast.Call)]
        on = next((_words(mark.args) for mark in marks if ast.unparse(mark.func) == "pytest.mark.on"), ())
        for mark in marks:
            if ast.unparse(mark.func) == "pytest.mark.recipe":
                said_of = {
                    word.arg: constants[word.value.id] if isinstance(word.value, ast.Name) else ast.literal_eval(word.value)
                    for word in mark.keywords
                }
                item, how = _words(mark.args)
                said = said_of.get("on", on) or tuple(DATABASES)
                where = tuple(dict.fromkeys(one.partition("-")[0] for one in ((said,) if isinstance(said, str) else said)))
                assert not on or set(where) <= {one.partition("-")[0] for one in on}, f"{node.name} does not run on {where}"
                yield Proof(item, how, said_of.get("why", ""), where, f"{path.name}::{node.name}")


def _words(nodes: list[ast.expr]) -> tuple[str, ...]:
    return tuple(ast.literal_eval(node) for node in nodes)


def page(found: list[Proof]) -> str:
    lines = [
        "# What is changed how, on which database",
        "",
        (
            "One row for every change, one column for every database: **native** where the server has it, **emulated** where the nearest equivalent is built"
            " (the note says which), **refused** where nothing is safe. Every cell is shown on real servers by the test that is named under the table:"
            " the naive migration on one database, the plan on another under an application that writes all the time, then compared, and taken back."
            " The tests are in `tests/databases/recipes/`; this page is made from their marks. An empty cell is not shown by any test."
        ),
        "",
    ]
    for title, rows in items().items():
        lines += [f"## {title}", "", "| change | " + " | ".join(DATABASES.values()) + " |", "|---" * (len(DATABASES) + 1) + "|"]
        notes: list[str] = []
        for item, what in rows.items():
            of = [proof for proof in found if proof.item == item]
            lines.append(f"| {what} | " + " | ".join(_cell(of, database) for database in DATABASES) + " |")
            whys = dict.fromkeys(f"{_names(proof.databases)}: {proof.why}" for proof in of if proof.why)
            tests = ", ".join(f"`{test}`" for test in dict.fromkeys(proof.test for proof in of))
            if tests:
                notes.append(f"- {what}: {'; '.join((*whys, tests))}")
        lines += ["", *notes, *([""] if notes else [])]
    return "\n".join(lines).rstrip() + "\n"


def _cell(of: list[Proof], database: str) -> str:
    return ", ".join(dict.fromkeys(HOW[proof.how] for proof in of if database in proof.databases))


def _names(databases: tuple[str, ...]) -> str:
    return ", ".join(DATABASES[one] for one in databases)


def test_every_mark_says_what_the_page_knows() -> None:
    known = {item for rows in items().values() for item in rows}
    for proof in proofs():
        assert proof.item in known, f"{proof.test}: {proof.item} is not in items.toml"
        assert proof.how in HOW, f"{proof.test}: {proof.how}"
        assert set(proof.databases) <= set(DATABASES), f"{proof.test}: {proof.databases}"
        assert proof.how == "native" or proof.why, f"{proof.test}: {proof.how} wants a `why`"


def test_every_cell_is_shown_by_a_test() -> None:
    found = proofs()
    shown = {(proof.item, database) for proof in found for database in proof.databases}
    every = {(item, database) for rows in items().values() for item in rows for database in DATABASES}
    assert sorted(every - shown) == []


def test_the_page_is_what_the_tests_show(update_golden: bool) -> None:
    made = page(proofs())
    if update_golden:
        PAGE.write_text(made, encoding="utf-8")
    if not PAGE.is_file() or PAGE.read_text(encoding="utf-8") != made:
        pytest.fail("docs/recipes.md is not what the tests show: pytest tests/tidy/test_recipes.py --update-golden")


PLANS = ROOT / "tests" / "golden" / "strategies.txt"


def test_the_plan_of_every_strategy(update_golden: bool) -> None:
    """As a person reads it, and as SQL: the examples of its page on the shop. The review reads the difference."""
    report = {name: discover("report").get("report", name) for name in ("plan", "sql")}
    planned = {entry.info["page"]: planning.page_examples(entry.info["page"]) for entry in discover("strategy").of("strategy")}
    for entry in discover("strategy").of("strategy"):
        by = {step.strategy for _, plan in planned[entry.info["page"]] for step in plan.steps}
        assert entry.name in by, f"no example of {entry.info['page']} is planned by {entry.name}"
    made = "\n".join(
        f"######## {page}: {dialect}, {name}\n\n{one.value(plan)}"
        for page, plans in sorted(planned.items())
        for dialect, plan in plans
        for name, one in report.items()
        if one is not None
    )
    if update_golden:
        PLANS.write_text(made, encoding="utf-8")
    if not PLANS.is_file() or PLANS.read_text(encoding="utf-8") != made:
        pytest.fail("tests/golden/strategies.txt is not what is planned: pytest tests/tidy/test_recipes.py --update-golden")
