"""Cutting SQLite files: triggers, strings, comments, directives, exact places."""

from __future__ import annotations

import pytest

from driftflow.dialects.source_text import SourceText
from driftflow.dialects.sqlite import SQLite
from driftflow.errors import ParseError


def cut(text: str):
    return SQLite().split(SourceText(text, file="m.sql"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (";;  ; -- nothing\n", []),
        ("SELECT 1", ["SELECT 1"]),
        ("SELECT 1; SELECT 2;", ["SELECT 1", "SELECT 2"]),
        ("SELECT ';'; SELECT \"a;b\", `c;d`, [e;f];", ["SELECT ';'", 'SELECT "a;b", `c;d`, [e;f]']),
        ("SELECT 'it''s; fine';", ["SELECT 'it''s; fine'"]),
        ("SELECT 1 -- a; b\n, 2; /* c; d */ SELECT 3", ["SELECT 1 -- a; b\n, 2", "SELECT 3"]),
        ("SELECT 1 /* not ; nested /* */; SELECT 2", ["SELECT 1", "SELECT 2"]),
        ("\ufeffSELECT 1;", ["SELECT 1"]),
        (
            "CREATE TRIGGER t AFTER INSERT ON a BEGIN UPDATE b SET c = CASE WHEN 1 THEN 2 END; SELECT 1; END; SELECT 2;",
            ["CREATE TRIGGER t AFTER INSERT ON a BEGIN UPDATE b SET c = CASE WHEN 1 THEN 2 END; SELECT 1; END", "SELECT 2"],
        ),
        (
            "create temp trigger t insert on a begin select 1;\nend;select 2",
            ["create temp trigger t insert on a begin select 1;\nend", "select 2"],
        ),
        ("CREATE TABLE trigger(a); SELECT 1;", ["CREATE TABLE trigger(a)", "SELECT 1"]),
        ("DROP TRIGGER t; SELECT 1;", ["DROP TRIGGER t", "SELECT 1"]),
        ("BEGIN; SELECT 1; END; SELECT 2;", ["BEGIN", "SELECT 1", "END", "SELECT 2"]),
        (
            "EXPLAIN QUERY PLAN CREATE TRIGGER t INSERT ON a BEGIN SELECT 1; END;",
            ["EXPLAIN QUERY PLAN CREATE TRIGGER t INSERT ON a BEGIN SELECT 1; END"],
        ),
    ],
)
def test_statements(text: str, expected: list[str]) -> None:
    statements = cut(text)
    assert [statement.sql for statement in statements] == expected
    for statement in statements:
        assert text[statement.span.start : statement.span.end] == statement.sql


def test_places_count_characters() -> None:
    first, second = cut("SELECT 'ä€😀';\n\n  SELECT\n 2 ;")
    assert (first.span.line, first.span.column, first.span.end_column) == (1, 1, 13)
    assert (second.span.line, second.span.column, second.span.end_line, second.span.end_column) == (3, 3, 4, 3)
    assert str(second.span) == "m.sql:3:3"


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("SELECT 1;\nSELECT 'open", "DF-E202", "m.sql:2:8"),
        ('SELECT "open', "DF-E202", "m.sql:1:8"),
        ("SELECT [open", "DF-E202", "m.sql:1:8"),
        ("SELECT 1; /* open", "DF-E202", "m.sql:1:11"),
        ("SELECT 1;\nSELECT \x00 2", "DF-E203", "m.sql:2:8"),
        ("SELECT 1 \\ 2", "DF-E205", "m.sql:1:10"),
        ("SELECT 12ab", "DF-E205", "m.sql:1:8"),
        ("SELECT 1;\nCREATE TRIGGER t INSERT ON a BEGIN SELECT 1; SELECT 2;", "DF-E206", "m.sql:2:1"),
        ("SELECT 1;\n.read other.sql\nSELECT 2;", "DF-E204", "m.sql:2:1"),
        ("SELECT 1; -- driftflow: ignore DF104", "DF-E211", "m.sql:1:11"),
        ("SELECT 1;\n-- driftflow: file ignore DF104\nSELECT 2;", "DF-E211", "m.sql:2:1"),
        ("-- driftflow: ignore key=1 key=2\nSELECT 1;", "DF-E210", "m.sql:1:1"),
    ],
)
def test_what_cannot_be_cut(text: str, code: str, place: str) -> None:
    with pytest.raises(ParseError) as caught:
        cut(text)
    assert caught.value.code == code
    assert caught.value.where.startswith(place + "\n")
    assert "^" in caught.value.where
    assert caught.value.hint


def test_directives_speak_of_what_follows_or_of_what_they_stand_in() -> None:
    text = """-- driftflow: file ignore DF104
    -- driftflow: ignore DF101 reason="known; small"
    ALTER TABLE a ADD b INT;
    ALTER TABLE a -- driftflow: gate name=app
      ADD c INT;
    -- an ordinary comment
    SELECT 1;
    """
    first, second, third = cut(text)
    assert [(one.verb, one.arguments, dict(one.options)) for one in first.directives] == [
        ("ignore", ("DF101",), {"reason": "known; small"})
    ]
    assert [(one.verb, dict(one.options), one.span.line) for one in second.directives] == [("gate", {"name": "app"}, 4)]
    assert third.directives == ()


def test_a_file_of_directives_alone_is_empty() -> None:
    assert cut("-- driftflow: file ignore DF104\n") == ()
