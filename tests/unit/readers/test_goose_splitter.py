"""goose's own splitter, against the behaviour of its source: where it cuts, what it drops, what it refuses."""

from __future__ import annotations

import pytest

from driftflow.dialects.registry import dialect_named
from driftflow.errors import SourceError
from driftflow.readers.files import SourceFile
from driftflow.readers.goose_splitter import Parsed, ends_statement, parse


def parsed(text: str) -> Parsed:
    return parse(SourceFile(shown="1_a.sql", data=text.encode(), text=text))


def pieces(text: str) -> list[str]:
    return [text[chunk.start : chunk.end] for chunk in parsed(text).up]


@pytest.mark.parametrize(
    ("line", "ends"),
    [
        ("SELECT 1;", True),
        ("SELECT 1; -- why", True),
        ("SELECT 1;-- why", False),  # the comment is part of the last word
        ("SELECT 1 -- ;", False),
        ("SELECT ';", True),
        ("SELECT 1 ;  ", True),
        ("", False),
    ],
)
def test_ends_statement(line: str, ends: bool) -> None:
    assert ends_statement(line) is ends


def test_leading_comments_are_dropped_and_inner_ones_kept() -> None:
    text = "-- hello\n\n-- +goose Up\n-- first\nCREATE TABLE a (\n  -- inner\n  id int\n);\n\nSELECT 1;\n-- +goose Down\nDROP TABLE a;\n"
    assert pieces(text) == ["CREATE TABLE a (\n  -- inner\n  id int\n);", "SELECT 1;"]
    assert [text[one.start : one.end] for one in parsed(text).down] == ["DROP TABLE a;"]


def test_a_block_is_one_piece() -> None:
    text = "-- +goose Up\n-- +goose StatementBegin\nSELECT 1;\nSELECT 2;\n-- +goose StatementEnd\nSELECT 3;\n"
    assert [piece.strip() for piece in pieces(text)] == ["SELECT 1;\nSELECT 2;", "SELECT 3;"]


@pytest.mark.parametrize("text", ["-- +goose up\nSELECT 1;\n", "--   +goose   UP\nSELECT 1;\n", "--+goose Up\nSELECT 1;\n"])
def test_annotations_in_any_case(text: str) -> None:
    assert pieces(text) == ["SELECT 1;"]


def test_no_transaction() -> None:
    assert parsed("-- +goose NO TRANSACTION\n-- +goose Up\nSELECT 1;\n").transaction is False


REFUSED = [
    ("SELECT 1;\n", 1),
    ("-- +goose Up\nSELECT 1\n", 2),
    ("-- +goose Up\nSELECT 1\n-- +goose Down\n", 2),
    ("-- +goose Up\n-- +goose Up\n", 2),
    ("-- +goose Down\n", 1),
    ("-- +goose Up\n-- +goose StatementEnd\n", 2),
    ("-- +goose Up\n-- +goose StatementBegin\n", 3),
    ("-- +goose StatementBegin\n", 1),
    ("-- +goose Up\n-- +goose NO TRANSACTIONS\n", 2),
    ("-- +goose Up\n-- see the +goose manual\nSELECT 1;\n", 2),
    ("-- +goose Up\n  -- +goose Down\n", 2),
    ("-- +goose NO  TRANSACTION\n-- +goose Up\nSELECT 1;\n", 1),
    ("-- +GOOSE Up\nSELECT 1;\n", 2),
]
"""Text, and the line that is blamed. `tests/databases/test_ledgers_of_built_tools.py` shows the same files to goose."""


@pytest.mark.parametrize(("text", "line"), REFUSED)
def test_refused(text: str, line: int) -> None:
    with pytest.raises(SourceError) as caught:
        parsed(text)
    assert caught.value.code == "DF-E231"
    assert caught.value.where.startswith(f"1_a.sql:{line}:1\n")


@pytest.mark.parametrize(
    ("dialect", "text", "code"),
    [
        ("postgresql", "-- +goose Up\nCREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$\n  SELECT 1;\n$$;\n", "DF-E233"),
        ("postgresql", "-- +goose NO TRANSACTION\n-- +goose Up\nSELECT 1; SELECT 2;\n", "DF-E233"),
        ("sqlite", "-- +goose Up\nCREATE TRIGGER t AFTER INSERT ON a BEGIN\n  SELECT 1;\nEND;\n", "DF-E233"),
    ],
)
def test_what_goose_would_cut_wrongly(dialect: str, text: str, code: str, tmp_path) -> None:
    from driftflow.readers.base import SourceOptions
    from driftflow.readers.goose import GooseReader

    (tmp_path / "1_a.sql").write_text(text)
    with pytest.raises((SourceError, ExceptionGroup)) as caught:
        GooseReader().read(tmp_path, dialect_named(dialect), SourceOptions())
    fault = caught.value.exceptions[0] if isinstance(caught.value, ExceptionGroup) else caught.value
    assert fault.code == code
