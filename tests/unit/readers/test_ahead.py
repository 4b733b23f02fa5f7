"""Statements that are parsed where their file is read are those that are parsed afterwards, whatever is wrong with some of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from driftflow import side_by_side
from driftflow.dialects.registry import dialect_named
from driftflow.readers import sources
from driftflow.readers.sources import Source, find

GOOD = "CREATE TABLE t{0} (a int);\nALTER TABLE t{0} ADD COLUMN b text, ADD COLUMN c text;\n"
REJECTED = "ALTER TABLE t{0} ADD COLUMN;\nSELECT {0};\n"
UNFINISHED = "SELECT '{0};\n"


def found(folder: Path, errors: list[str]) -> tuple[Source, ...]:
    faults: list[sources.SourceError] = []
    read = find([folder], dialect=dialect_named("postgresql"), options={}, root=folder.parent, errors=faults)
    errors += [str(one) for one in faults]
    return read


@pytest.mark.parametrize(
    "wrong", [(), (REJECTED,), (UNFINISHED,), (REJECTED, UNFINISHED)], ids=["none", "rejected", "unfinished", "both"]
)
@pytest.mark.parametrize("processes", [1, 3])
def test_nothing_comes_out_otherwise(
    wrong: tuple[str, ...], processes: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "m"
    folder.mkdir()
    for number in range(30):
        text = wrong[number % len(wrong)] if wrong and number in {4, 5, 25} else GOOD
        (folder / f"{number:03}.sql").write_text(text.format(number))
    monkeypatch.setattr(side_by_side, "WORTH_A_PROCESS", 5)
    monkeypatch.setattr(side_by_side, "_processors", lambda: processes)
    ahead_errors: list[str] = []
    ahead = found(folder, ahead_errors)
    monkeypatch.setattr(sources.Ahead, "has", lambda self, statement: False)
    monkeypatch.setattr(sources.Ahead, "has_all", lambda self, migrations: False)
    afterwards_errors: list[str] = []
    afterwards = found(folder, afterwards_errors)
    assert [one.migrations for one in ahead] == [one.migrations for one in afterwards]
    assert ahead_errors == afterwards_errors
    assert len(ahead_errors) == (3 if wrong else 0)
    assert all(statement.operations for one in ahead[0].migrations for statement in one.statements)


def test_each_statement_is_parsed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dialect = dialect_named("postgresql")
    (tmp_path / "1.sql").write_text(GOOD.format(1))
    (tmp_path / "2.sql").write_text(GOOD.format(2))
    parsed: list[str] = []
    parse = type(dialect).parse

    def noted(self: object, statement: sources.Statement) -> sources.Statement:
        parsed.append(statement.sql)
        return parse(self, statement)  # type: ignore[arg-type]  # it is one

    monkeypatch.setattr(type(dialect), "parse", noted)
    find([tmp_path], dialect=dialect, options={}, root=tmp_path)
    assert len(parsed) == len(set(parsed)) == 4
