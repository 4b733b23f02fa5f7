"""Every command, check, strategy and error has its page, and every link of the documentation leads somewhere."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import click
import pytest

import driftflow
from driftflow.cli.commands import COMMANDS
from driftflow.cli.main import cli
from driftflow.plugins import discover

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
SOURCE = Path(driftflow.__file__).parent


def every_page() -> list[Path]:
    return [*sorted(DOCS.rglob("*.md")), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_a_command_has_a_page_that_names_each_of_its_options(name: str) -> None:
    text = (DOCS / "commands" / f"{name}.md").read_text()
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    leaves = list(command.commands.values()) if isinstance(command, click.Group) else [command]
    options = [word for leaf in leaves for option in leaf.params if isinstance(option, click.Option) for word in option.opts]
    assert [word for word in options if f"`{word}" not in text] == []
    for heading in ("## Example", "## Options", "## Exit codes"):
        assert heading in text


def test_no_page_of_a_command_that_is_gone() -> None:
    assert {path.stem for path in (DOCS / "commands").glob("*.md")} == set(COMMANDS)


def test_every_check_has_its_page() -> None:
    checks = discover("check").of("check")
    assert checks
    assert [entry.name for entry in checks if not (DOCS / "checks" / f"{entry.info['page']}.md").is_file()] == []


def test_every_strategy_has_its_page() -> None:
    strategies = discover("strategy").of("strategy")
    assert strategies
    missing = [
        entry.name for entry in strategies if not (DOCS / "strategies" / f"{entry.info['page'] or entry.name}.md").is_file()
    ]
    assert missing == []


def codes_in_source() -> dict[str, set[str]]:
    """Every error code in the code, with the files that raise it."""
    found: dict[str, set[str]] = {}
    for path in SOURCE.rglob("*.py"):
        for code in re.findall(r"\"(DF-E\d{3})\"", path.read_text()):
            found.setdefault(code, set()).add(str(path.relative_to(SOURCE)))
    return found


def test_every_error_code_has_a_chapter_and_every_chapter_a_code() -> None:
    chapters = re.findall(r"(?m)^### (DF-E\d{3})", (DOCS / "errors.md").read_text())
    assert len(chapters) == len(set(chapters))
    used = codes_in_source()
    assert {"without a chapter": sorted(used.keys() - set(chapters)), "without a use": sorted(set(chapters) - used.keys())} == {
        "without a chapter": [],
        "without a use": [],
    }


def words_to_type() -> dict[str, set[str]]:
    """Every `driftflow VERB --option` in the strings of the code (hints, next commands), with the files that say it."""
    found: dict[str, set[str]] = {}
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                for verb, options in re.findall(r"driftflow ([a-z]+)((?: [^\s;,]+)*)", node.value):
                    for option in re.findall(r"--[a-z-]+", options) if verb in COMMANDS else ():
                        found.setdefault(f"{verb} {option}", set()).add(str(path.relative_to(SOURCE)))
    return found


def test_what_hints_tell_people_to_type_can_be_typed() -> None:
    wrong = {}
    said = words_to_type()
    for words, files in said.items():
        verb, option = words.split()
        command = cli.get_command(click.Context(cli), verb)
        assert command is not None
        leaves = list(command.commands.values()) if isinstance(command, click.Group) else [command]
        if not any(option in parameter.opts for leaf in leaves for parameter in leaf.params):
            wrong[words] = files
    assert len(said) > 5
    assert wrong == {}


def test_no_page_is_torn() -> None:
    """What a merge of two versions leaves behind: a block of code that does not end before the next heading, a heading in the middle of a paragraph,
    two rows of a table for one thing, a line twice."""
    torn = []
    for page in every_page():
        inside, before, row_names = False, "", set[str]()
        for number, line in enumerate(page.read_text().splitlines(), 1):
            where = f"{page.relative_to(ROOT)}:{number}"
            if line.startswith("```"):
                if inside and line.strip() != "```":
                    torn.append(f"{where}: a block begins in a block")
                inside = not inside
            elif not inside:
                if re.match(r"#{1,6} ", line) and before:
                    torn.append(f"{where}: no empty line before the heading")
                if line and line == before:
                    torn.append(f"{where}: the line before, again")
                row = re.match(r"\| ([^|]+) \|", line)
                row_names = row_names if line.startswith("|") else set()
                if row and page.name == "README.md" and row[1] in row_names:
                    torn.append(f"{where}: two rows for {row[1]}")
                row_names |= {row[1]} if row else set()
            before = line
        if inside:
            torn.append(f"{page.relative_to(ROOT)}: a block never ends")
    assert torn == []


def test_links_lead_somewhere() -> None:
    broken = []
    for page in every_page():
        for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
            if re.match(r"[a-z]+:", target) or target.startswith("#"):
                continue
            if not (page.parent / target.partition("#")[0]).exists():
                broken.append(f"{page.relative_to(ROOT)}: {target}")
    assert broken == []


def test_commands_that_pages_show_exist() -> None:
    """A `driftflow VERB` in any page is one that can be typed."""
    unknown = [
        f"{page.relative_to(ROOT)}: {verb}"
        for page in every_page()
        for block in re.findall(r"(?ms)^```(?:console|sh|bash)?\n(.*?)^```", page.read_text())
        for verb in re.findall(r"(?m)^(?:\$ )?driftflow ([a-z]+)", block)
        if verb not in COMMANDS
    ]
    assert unknown == []
