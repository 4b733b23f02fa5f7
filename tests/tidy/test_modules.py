"""Sizes, record classes and public names: what review would otherwise have to watch."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import driftflow

PACKAGE = Path(driftflow.__file__).parent
LIMITS = {"pipeline.py": 250, "engine/drive.py": 250}
COMMAND_MAX = 80
FRAME = {
    "main.py",
    "narrowing.py",
    "running.py",
    "rewriting.py",
    "session.py",
    "options.py",
    "detect.py",
    "wizard.py",
    "commands.py",
    "compat_inputs.py",
    "prove_inputs.py",
    "start_inputs.py",
    "answers.py",
    "output.py",
}
"""Files of cli/ that are the frame around the commands, not a command."""


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("name", sorted(LIMITS))
def test_the_files_that_everything_would_grow_into_stay_small(name: str) -> None:
    lines = len((PACKAGE / name).read_text().splitlines())
    assert 0 < lines <= LIMITS[name]


def test_a_command_is_thin() -> None:
    commands = [path for path in (PACKAGE / "cli").glob("*.py") if path.name not in FRAME]
    long = {path.name: length for path in commands if (length := len(path.read_text().splitlines())) > COMMAND_MAX}
    assert commands and long == {}


def record_classes() -> dict[str, ast.ClassDef]:
    """Every class that inherits from Record, directly or through another one, by name."""
    classes = {
        node.name: node for path in modules() for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ClassDef)
    }
    found: dict[str, ast.ClassDef] = {}
    before = -1
    while len(found) != before:
        before = len(found)
        for name, node in classes.items():
            bases = {base.id for base in node.bases if isinstance(base, ast.Name)}
            if "Record" in bases or bases & found.keys():
                found[name] = node
    return found


def test_every_record_states_frozen_and_kw_only() -> None:
    """msgspec inherits neither: a class that forgets it would take its fields by position, or be mutable."""
    found = record_classes()
    forgot = []
    for name, node in found.items():
        said = {word.arg for word in node.keywords if isinstance(word.value, ast.Constant) and word.value.value is True}
        if not {"frozen", "kw_only"} <= said:
            forgot.append(name)
    assert len(found) > 100
    assert forgot == []


def test_every_module_says_what_it_is() -> None:
    silent = [
        str(path.relative_to(PACKAGE))
        for path in modules()
        if path.read_text().strip() and not ast.get_docstring(ast.parse(path.read_text()))
    ]
    assert silent == []


def test_no_module_is_called_after_nothing() -> None:
    assert [path.name for path in modules() if path.stem in {"utils", "helpers", "manager", "util", "misc"}] == []


def test_the_public_names_are_these() -> None:
    assert list(driftflow.__all__) == [
        "Assessment",
        "Catalog",
        "Config",
        "DriftflowError",
        "Finding",
        "Plan",
        "Policy",
        "apply_plan",
        "assess",
        "connector_for",
        "dialect_named",
        "effects_of",
        "find_sources",
        "lint",
        "load_config",
        "make_plan",
        "read_catalog",
        "roll_back",
        "__version__",
    ]
    assert [name for name in driftflow.__all__ if getattr(driftflow, name) is None] == []


def test_no_module_compiles_a_pattern_when_it_is_imported() -> None:
    """`lazy_regex` compiles it when it is first asked: a short command pays for what it uses."""
    found = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}"
        for path in modules()
        for statement in ast.parse(path.read_text()).body
        if not isinstance(statement, ast.FunctionDef)
        for node in _run_at_import(statement)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "re.compile"
    ]
    assert found == []


def _run_at_import(node: ast.AST) -> Iterator[ast.AST]:
    yield node
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from _run_at_import(child)
