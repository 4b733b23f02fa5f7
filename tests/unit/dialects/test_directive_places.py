"""Of which statement a directive speaks, and where it would speak of the wrong one: on every database alike."""

from __future__ import annotations

import pytest

from driftflow.dialects.registry import dialect_named
from driftflow.dialects.source_text import SourceText
from driftflow.errors import ParseError

IGNORE = 'driftflow: ignore DF704 reason="a; b"'


@pytest.mark.parametrize("dialect", ["postgresql", "mysql", "mariadb", "sqlite"])
@pytest.mark.parametrize(
    ("text", "directives"),
    [
        (f"DELETE FROM c;\n-- {IGNORE}\nDELETE FROM d;", [0, 1]),
        (f"DELETE FROM c; /* {IGNORE} */ DELETE FROM d;", [0, 1]),
        (f"DELETE FROM c -- {IGNORE}\n;\nDELETE FROM d;", [1, 0]),
        (f"DELETE FROM c\n-- {IGNORE}\n-- and why\n;\nDELETE FROM d;", [1, 0]),
        (f"DELETE FROM c /* {IGNORE} */;\nDELETE FROM d;", [1, 0]),
        (f"DELETE /* {IGNORE} */ FROM c;\nDELETE FROM d;", [1, 0]),
    ],
)
def test_a_directive_speaks_of(dialect: str, text: str, directives: list[int]) -> None:
    statements = dialect_named(dialect).split(SourceText(text=text))
    assert [len(one.directives) for one in statements] == directives


@pytest.mark.parametrize("dialect", ["postgresql", "mysql", "mariadb", "sqlite"])
@pytest.mark.parametrize("comment", [f"-- {IGNORE}", f"/* {IGNORE} */", f"/* {IGNORE} */\r"])
def test_behind_a_statement_it_would_speak_of_the_next_one(dialect: str, comment: str) -> None:
    with pytest.raises(ParseError, match="DF-E211") as refused:
        list(dialect_named(dialect).split(SourceText(text=f"DELETE FROM c;\t{comment}\nDELETE FROM d;")))
    assert "speak of the next one" in str(refused.value)
