"""Each case is a sample project in its tool's own layout, and everything the reader made of it.

`UPDATE_GOLDEN=1 pytest tests/golden/test_readers.py` rewrites what is expected; the review reads the diff.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

import pytest

from driftflow.dialects.registry import dialect_named
from driftflow.model.migration import Migration
from driftflow.model.record import convert, decode, pretty, to_builtins
from driftflow.plugins import discover
from driftflow.readers.base import SourceOptions

CASES = sorted(path.parent for path in (Path(__file__).parent / "readers").glob("*/case.toml"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_reader(case: Path) -> None:
    settings = tomllib.loads((case / "case.toml").read_text())
    options = convert(settings, SourceOptions)
    dialect = dialect_named(options.dialect)
    registration = discover("reader").get("reader", options.tool)
    assert registration is not None
    reader = registration.value()
    migrations = reader.read(case / "project", dialect, options)
    expected = case / "expected.json"
    if os.environ.get("UPDATE_GOLDEN"):
        expected.write_text(pretty(migrations))
    assert to_builtins(migrations) == to_builtins(decode(expected.read_bytes(), tuple[Migration, ...]))
    assert_spans_are_true(case / "project", migrations)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_only_its_own_reader_detects_it(case: Path) -> None:
    """Nobody is asked which tool it is when the folder says so."""
    tool = tomllib.loads((case / "case.toml").read_text())["tool"]
    found = [entry.name for entry in discover("reader").of("reader") if entry.value().detect(case / "project")]
    assert found == [tool]


def assert_spans_are_true(project: Path, migrations: tuple[Migration, ...]) -> None:
    """Where nothing was substituted, the span cuts exactly the statement out of the file, and line and column agree with the offset."""
    for migration in migrations:
        for statement in (*migration.statements, *migration.down):
            text = (project / statement.span.file).read_bytes().decode()
            line_start = sum(len(line) + 1 for line in text.split("\n")[: statement.span.line - 1])
            assert line_start + statement.span.column - 1 == statement.span.start
            cut = text[statement.span.start : statement.span.end]
            assert cut == statement.sql or ":" in cut or "${" in cut
