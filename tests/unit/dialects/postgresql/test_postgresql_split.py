"""Cutting files into statements: PostgreSQL's quoting rules, places in the file, directives, COPY data, meta-commands."""

from __future__ import annotations

import pytest

from driftflow.dialects.directives import file_directives
from driftflow.dialects.postgresql.split import split
from driftflow.dialects.source_text import SourceText, Substitution
from driftflow.errors import ParseError
from driftflow.model.migration import Statement


def cut(text: str) -> list[str]:
    return [statement.sql for statement in split(SourceText(text, "a.sql"))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" ;; -- nothing\n;", []),
        ("SELECT 1", ["SELECT 1"]),
        ("SELECT ';'; SELECT 2;", ["SELECT ';'", "SELECT 2"]),
        ("SELECT 'it''s;'; SELECT 2", ["SELECT 'it''s;'", "SELECT 2"]),
        (r"SELECT E'\';'; SELECT 2", [r"SELECT E'\';'", "SELECT 2"]),
        (r"SELECT '\'; SELECT 2", [r"SELECT '\'", "SELECT 2"]),
        (r"SELECT name'\'; SELECT 2", [r"SELECT name'\'", "SELECT 2"]),
        ("SELECT E'a'\n '\\';'; SELECT 2", ["SELECT E'a'\n '\\';'", "SELECT 2"]),
        ("SELECT U&'d\\0061;'; SELECT 2", ["SELECT U&'d\\0061;'", "SELECT 2"]),
        ('SELECT ";"";"; SELECT 2', ['SELECT ";"";"', "SELECT 2"]),
        ("SELECT $$;$$; SELECT 2", ["SELECT $$;$$", "SELECT 2"]),
        ("SELECT $a$;$$;$b$;$a$; SELECT 2", ["SELECT $a$;$$;$b$;$a$", "SELECT 2"]),
        ("SELECT $1; SELECT a$b$; SELECT $1$2", ["SELECT $1", "SELECT a$b$", "SELECT $1$2"]),
        ("SELECT 1 /* ; /* ; */ ; */ + 1; SELECT 2", ["SELECT 1 /* ; /* ; */ ; */ + 1", "SELECT 2"]),
        ("SELECT 1 -- ;\n + 1; SELECT 2", ["SELECT 1 -- ;\n + 1", "SELECT 2"]),
        ("SELECT 1 -- trailing\n ; SELECT 2 /* trailing */", ["SELECT 1", "SELECT 2"]),
        ("/* leading */ -- too\nSELECT 1;", ["SELECT 1"]),
        ("\ufeffSELECT 1;\r\nSELECT 2;\r\n", ["SELECT 1", "SELECT 2"]),
        (
            "CREATE RULE r AS ON INSERT TO t DO (DELETE FROM a; DELETE FROM b); SELECT 2",
            ["CREATE RULE r AS ON INSERT TO t DO (DELETE FROM a; DELETE FROM b)", "SELECT 2"],
        ),
        (
            "create function f() returns int begin atomic select case when true then 1 end; select 2; end; SELECT 3",
            ["create function f() returns int begin atomic select case when true then 1 end; select 2; end", "SELECT 3"],
        ),
        ("BEGIN; SELECT 1; END; SELECT 'atomic';", ["BEGIN", "SELECT 1", "END", "SELECT 'atomic'"]),
        (
            "create function f(begin_at int) returns int return 1; select atomic_end",
            ["create function f(begin_at int) returns int return 1", "select atomic_end"],
        ),
        ("COPY t FROM stdin;\n1\t;\n'\n\\.\nSELECT 2;", ["COPY t FROM stdin;\n1\t;\n'\n\\.", "SELECT 2"]),
        ("COPY t FROM '/tmp/x'; SELECT 2;", ["COPY t FROM '/tmp/x'", "SELECT 2"]),
        ("COPY t TO stdout; SELECT 2;", ["COPY t TO stdout", "SELECT 2"]),
    ],
)
def test_statements(text: str, expected: list[str]) -> None:
    assert cut(text) == expected


def test_places_are_lines_and_characters() -> None:
    text = "-- ü\nSELECT 'ü';  SELECT\n  'é' AS x ;"
    first, second = split(SourceText(text, "a.sql"))
    assert (first.span.line, first.span.column, first.span.end_line, first.span.end_column) == (2, 1, 2, 11)
    assert (second.span.line, second.span.column, second.span.end_line, second.span.end_column) == (2, 14, 3, 11)
    assert text[second.span.start : second.span.end] == second.sql
    assert str(second.span) == "a.sql:2:14"


def test_places_behind_a_substituted_variable_are_those_of_the_file() -> None:
    original = "SELECT :x,\n  :x + y;\nSELECT :x;"
    text = original.replace(":x", "a_long_name")
    pieces, shift, at = [], 0, original.find(":x")
    while at >= 0:
        pieces.append(Substitution(at, at + 2, at + shift, at + shift + 11))
        shift += 9
        at = original.find(":x", at + 1)
    source = SourceText(text, "a.sql", original=original, substitutions=tuple(pieces))
    first, second = split(source)
    assert (first.span.line, first.span.column, first.span.end_line, first.span.end_column) == (1, 1, 2, 9)
    assert (second.span.line, second.span.column) == (3, 1)
    assert first.position(first.sql.index("y")) == (2, 8)
    assert first.position(first.sql.index("long")) == (1, 8)
    assert first.position(first.sql.index(",")) == (1, 10)


def refused(text: str) -> ParseError:
    with pytest.raises(ParseError) as caught:
        split(SourceText(text, "a.sql"))
    return caught.value


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("SELECT 1;\nSELECT 'x", "DF-E202", "a.sql:2:8"),
        ('SELECT "x', "DF-E202", "a.sql:1:8"),
        ("SELECT $a$ x", "DF-E202", "a.sql:1:8"),
        ("SELECT 1 /* /* */", "DF-E202", "a.sql:1:10"),
        ("/* x", "DF-E202", "a.sql:1:1"),
        ("SELECT 1\0;", "DF-E203", "a.sql:1:9"),
        ("SELECT 1;\n  \\connect other", "DF-E204", "a.sql:2:3"),
        ("\\i other.sql", "DF-E204", "a.sql:1:1"),
        ("SELECT 1;\n\\.\n", "DF-E204", "a.sql:2:1"),
    ],
)
def test_what_cannot_be_cut_is_refused_with_its_place(text: str, code: str, place: str) -> None:
    fault = refused(text)
    assert fault.code == code
    assert fault.where.splitlines()[0] == place
    assert fault.why
    assert fault.hint


def test_the_excerpt_points_at_the_character() -> None:
    assert refused("SELECT 1;\n  \\connect x").where == "a.sql:2:3\n2 |   \\connect x\n  |   ^"


def directives(text: str) -> list[tuple[str, ...]]:
    return [tuple(directive.verb for directive in statement.directives) for statement in split(SourceText(text, "a.sql"))]


def test_a_directive_speaks_of_the_statement_behind_it_or_around_it() -> None:
    text = "-- driftflow: one\n\n-- driftflow: two\nSELECT 1;\nSELECT 2 -- driftflow: three\n;\nSELECT 3;"
    assert directives(text) == [("one", "two"), ("three",), ()]


def test_what_a_directive_says() -> None:
    text = '-- driftflow: ignore DF104 reason="it is \\"fine\\", really" until=2030-01-01 "two words"\nSELECT 1;'
    ((directive,),) = [statement.directives for statement in split(SourceText(text, "a.sql"))]
    assert directive.verb == "ignore"
    assert directive.arguments == ("DF104", "two words")
    assert directive.options == {"reason": 'it is "fine", really', "until": "2030-01-01"}
    assert str(directive.span) == "a.sql:1:1"


def test_file_directives_stand_apart() -> None:
    source = SourceText("-- driftflow: file ignore DF104\n/* driftflow: gate name=x */\nSELECT 1;", "a.sql")
    assert [(one.verb, one.arguments) for one in file_directives(source)] == [("file", ("ignore", "DF104"))]
    assert directives(source.text) == [("gate",)]
    assert file_directives(SourceText("-- driftflow: file x\n", "a.sql"))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("-- driftflow:\nSELECT 1", "DF-E210"),
        ("-- driftflow: IGNORE\nSELECT 1", "DF-E210"),
        ('-- driftflow: ignore reason="open\nSELECT 1', "DF-E210"),
        ("-- driftflow: ignore a=1 a=2\nSELECT 1", "DF-E210"),
        ("-- driftflow: backfill column=c set='a + 1'\nSELECT 1", "DF-E210"),
        ("-- driftflow: ignore =1\nSELECT 1", "DF-E210"),
        ("SELECT 1; -- driftflow: ignore x", "DF-E211"),
        ("SELECT 1;\n-- driftflow: file ignore x\nSELECT 2;", "DF-E211"),
        ("-- driftflow: ignore x\n;SELECT 2;", "DF-E211"),
    ],
)
def test_a_directive_that_cannot_be_read_or_speaks_of_nothing_is_refused(text: str, code: str) -> None:
    assert refused(text).code == code


def test_statements_are_not_parsed_yet() -> None:
    (statement,) = split(SourceText("this is no SQL", "a.sql"))
    assert isinstance(statement, Statement)
    assert statement.operations == ()
