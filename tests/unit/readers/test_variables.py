"""Variables are replaced where psql, Flyway and goose replace them, and every position still points into the file."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftflow.dialects.source_text import SourceText
from driftflow.errors import SourceError
from driftflow.readers.variables import substitute_flyway, substitute_psql, substitute_shell

VARIABLES = {"S": "app", "T": "it's", "n": "7"}


def psql(text: str, **options: bool) -> str:
    return substitute_psql(SourceText(text=text, file="a.sql"), VARIABLES, **options).text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT :S.f", "SELECT app.f"),
        ("SELECT :'T', :\"T\"", "SELECT 'it''s', \"it's\""),
        ("SELECT ':S', \":S\"", "SELECT ':S', \":S\""),
        ("SELECT E'\\':S', :S", "SELECT E'\\':S', app"),
        ("SELECT 1 -- :S :unknown\n, :S", "SELECT 1 -- :S :unknown\n, app"),
        ("SELECT /* /* :S */ :unknown */ :S", "SELECT /* /* :S */ :unknown */ app"),
        ("SELECT x::text, a:=1", "SELECT x::text, a:=1"),
        ("SELECT ROW(1)::" + ":S.pair", "SELECT ROW(1)::app.pair"),
        ("SELECT a[1:n], a[:m], a[x+1:m]", "SELECT a[1:n], a[:m], a[x+1:m]"),
        ("SELECT ARRAY[:n, :n]", "SELECT ARRAY[7, 7]"),
        ("AS $$ SELECT :S.f, ':S', :unknown $$", "AS $$ SELECT app.f, 'app', :unknown $$"),
        ("AS $b$ a[1:n] ::" + ":S.t x::text $b$ LANGUAGE :S", "AS $b$ a[1:n] ::app.t x::text $b$ LANGUAGE app"),
        ("SELECT a$b$ :S", "SELECT a$b$ app"),
        ("SELECT 'open :S", "SELECT 'open :S"),
    ],
)
def test_psql(text: str, expected: str) -> None:
    assert psql(text) == expected


def test_bodies_can_be_left_alone() -> None:
    assert psql("AS $$ :S $$ :S", bodies=False) == "AS $$ :S $$ app"


def test_a_value_with_a_backslash_is_an_escaped_literal() -> None:
    done = substitute_psql(SourceText(text="SELECT :'B'"), {"B": "a\\b'c"})
    assert done.text == "SELECT  E'a\\\\b''c'"


def test_unknown_names_are_told_all_at_once_with_their_places() -> None:
    with pytest.raises(ExceptionGroup) as caught:
        substitute_psql(SourceText(text="SELECT :a,\n  :'b'", file="m/1.sql"), {})
    first, second = caught.value.exceptions
    assert isinstance(first, SourceError)
    assert isinstance(second, SourceError)
    assert first.code == second.code == "DF-E229"
    assert first.where.startswith("m/1.sql:1:8\n")
    assert second.where.startswith("m/1.sql:2:3\n")
    assert first.hint == 'add a = "..." to [sources.NAME.variables] of driftflow.toml'


@given(
    st.lists(st.sampled_from([":S", ":'T'", ':"T"', "\n", " x ", "é", "':S'", "$$ :n $$"]), max_size=12),
    st.integers(min_value=0, max_value=3),
)
def test_positions_point_into_the_file(pieces: list[str], skipped: int) -> None:
    """Every character that was not put in is found again at its place, also when only a later part of the file is looked at."""
    text = " ".join(pieces)
    source = substitute_psql(SourceText(text=text), VARIABLES)
    inserted = [range(one.text_start, one.text_end) for one in source.substitutions]
    for offset, character in enumerate(source.text):
        if not any(offset in one for one in inserted):
            assert text[source.original_offset(offset)] == character
            line, column = source.position(offset)
            assert text.split("\n")[line - 1][column - 1 : column] == ("" if character == "\n" else character)


def test_flyway_replaces_everywhere_and_in_any_case() -> None:
    source = SourceText(text="SELECT '${A}', ${b} -- ${a}")
    assert substitute_flyway(source, {"a": "1", "B": "2"}).text == "SELECT '1', 2 -- 1"


def test_flyway_with_its_own_marks() -> None:
    assert substitute_flyway(SourceText(text="SELECT #[a], ${a}"), {"a": "1"}, prefix="#[", suffix="]").text == "SELECT 1, ${a}"


@pytest.mark.parametrize("name", ["missing", "flyway:user"])
def test_flyway_unknown(name: str) -> None:
    with pytest.raises(SourceError) as caught:
        substitute_flyway(SourceText(text=f"SELECT\n ${{{name}}}", file="V1__a.sql"), {})
    assert caught.value.code == "DF-E229"
    assert caught.value.where.startswith("V1__a.sql:2:2\n")


def test_shell_only_in_its_regions() -> None:
    text = "$A ${A} ${B:-two} ${B-three} $A"
    done = substitute_shell(SourceText(text=text), {"A": "one"}, [(3, len(text) - 3)])
    assert done.text == "$A one two three $A"


@pytest.mark.parametrize(("text", "code"), [("${B}", "DF-E229"), ("$$ body $$", "DF-E239"), ("${B#x}", "DF-E239")])
def test_shell_refuses_what_it_cannot_know(text: str, code: str) -> None:
    with pytest.raises((SourceError, ExceptionGroup)) as caught:
        substitute_shell(SourceText(text=text), {}, [(0, len(text))])
    fault = caught.value.exceptions[0] if isinstance(caught.value, ExceptionGroup) else caught.value
    assert fault.code == code
