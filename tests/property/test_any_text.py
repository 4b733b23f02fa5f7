"""Any text at all, and valid statements with something broken in them: only errors of our own come out, with a place that is in the text, and
what is cut is the text itself."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftflow.dialects.source_text import SourceText
from driftflow.errors import SourceError
from driftflow.readers.sources import loose_migration
from fuzz.promises import DIALECTS, cut, files, lint, named

TESTS = Path(__file__).parents[1]
CORPORA = {
    "postgresql": ["property/postgresql_statements.sql"],
    "sqlite": ["unit/dialects/sqlite/corpus.sql"],
    "mysql": [],
    "mariadb": [],
}
MARKS = (
    *(
        "'",
        '"',
        "`",
        "$$",
        "$a$",
        "(",
        ")",
        ";",
        "--",
        "/*",
        "*/",
        "#",
        "\\",
        "\n",
        "\r\n",
        "\0",
        "\ufeff",
        "é",
        "🛑",
        ",",
        ".",
        ":",
        "@",
    ),
    *("/*!50000 ", "/*M!", "DELIMITER //\n", "//", "\\connect x\n", ".read x\n", "COPY t FROM stdin;\n", "\\.\n", "E'\\'"),
    *("-- driftflow: ignore DF104 reason=x\n", "-- driftflow: file ignore DF104\n", "-- driftflow: backfill column=a set=1\n"),
    *(
        " BEGIN ",
        " END ",
        " CASE ",
        " BEGIN ATOMIC ",
        " NOT ",
        " OR ",
        " IF ",
        " SELECT ",
        " TRIGGER ",
        " AS ",
        " WITH ",
        "::",
        "[",
        "]",
    ),
)


@cache
def corpus(dialect: str) -> tuple[str, ...]:
    """Valid statements of the dialect, from every golden and effects case that the project has for it."""
    found: list[str] = []
    for name in CORPORA[dialect]:
        text = (TESTS / name).read_text(encoding="utf-8")
        found += [statement.sql for statement in named(dialect).split(SourceText(text))]
    for page in sorted((TESTS.parent / "docs" / "checks").rglob("*.md")):
        found += re.findall(r"```sql\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    return tuple(found)


@st.composite
def broken(draw: st.DrawFn, dialect: str) -> str:
    """A few valid statements, with pieces cut out, doubled, moved, and marks of every grammar put in."""
    text = ";\n".join(draw(st.lists(st.sampled_from(corpus(dialect)), min_size=1, max_size=3)))
    for _ in range(draw(st.integers(min_value=0, max_value=4))):
        start = draw(st.integers(min_value=0, max_value=len(text)))
        end = draw(st.integers(min_value=start, max_value=min(len(text), start + 40)))
        match draw(st.sampled_from(("cut", "double", "mark", "any"))):
            case "cut":
                text = text[:start] + text[end:]
            case "double":
                text = text[:end] + text[start:end] + text[end:]
            case "mark":
                text = text[:start] + draw(st.sampled_from(MARKS)) + text[start:]
            case _:
                text = text[:start] + draw(st.text(max_size=5)) + text[start:]
    return text


TEXTS = st.one_of(
    st.text(max_size=60),
    st.lists(st.sampled_from(MARKS), max_size=25).map("".join),
    st.lists(st.one_of(st.sampled_from(MARKS), st.text(max_size=6)), max_size=25).map(" ".join),
)


@pytest.mark.parametrize("dialect", DIALECTS)
@settings(max_examples=150)
@given(text=TEXTS)
def test_any_text(dialect: str, text: str) -> None:
    lint(dialect, text)


@pytest.mark.parametrize("dialect", DIALECTS)
@settings(max_examples=150)
@given(data=st.data())
def test_broken_statements(dialect: str, data: st.DataObject) -> None:
    lint(dialect, data.draw(broken(dialect)))


@settings(max_examples=200)
@given(text=st.one_of(TEXTS, broken("postgresql")))
def test_any_file(text: str) -> None:
    files(text)


@settings(max_examples=100)
@given(text=st.one_of(TEXTS, broken("postgresql"), broken("sqlite")))
@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_is_cut_is_cut_the_same_again(dialect: str, text: str) -> None:
    """Statements alone, joined again, are the same statements: nothing leaked from one into the other."""
    once = [statement.sql for statement in cut(dialect, text)]
    if any("/*" in one or one.lower().startswith(("copy", "delimiter")) for one in once):
        return
    assert [statement.sql for statement in cut(dialect, "\n;\n".join(once))] == once


# The work grows with the text


GROWING: dict[str, Callable[[int], str]] = {
    "an open quote": lambda n: "SELECT '" + "x " * n,
    "an open quote full of quotes": lambda n: "SELECT '" + "''" * n,
    "an open name": lambda n: 'SELECT "' + "x " * n,
    "an open back quote": lambda n: "SELECT `" + "x " * n,
    "an open comment": lambda n: "SELECT 1 /*" + "x " * n,
    "comments that open": lambda n: "/*" * n,
    "comments": lambda n: "SELECT 1\n" + "-- x\n/* y */\n" * n + ";",
    "directives": lambda n: "-- driftflow: ignore DF101 reason=x\nSELECT 1;\n" * n,
    "dollars": lambda n: "SELECT " + "$a" * n,
    "dollar quotes": lambda n: "SELECT " + "$$ " * n,
    "dollar tags": lambda n: "SELECT " + "".join(f"x$a{i}$ " for i in range(n)),
    "dollar calls": lambda n: "SELECT " + "$a(" * n,
    "semicolons": lambda n: ";" * n,
    "statements": lambda n: "SELECT 1;" * n,
    "rejected statements on one line": lambda n: "SELEC 1;" * n,
    "delimiters": lambda n: "DELIMITER //\nSELECT 1//\nDELIMITER ;\n" * n,
    "a delimiter that never comes": lambda n: "DELIMITER xx\n" + "select x " * n,
    "code comments": lambda n: "/*!50000 SELECT 1 */;" * n,
    "open code comments": lambda n: "/*!50000 " * n,
    "blocks that open": lambda n: "CREATE PROCEDURE p() " + "BEGIN " * n,
    "a body": lambda n: "CREATE TRIGGER t AFTER INSERT ON x FOR EACH ROW BEGIN " + "SELECT 1; " * n + "END;",
    "an atomic body": lambda n: "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC " + "SELECT CASE 1 END; " * n + "END;",
    "brackets": lambda n: "SELECT " + "(" * n + "1" + ")" * n,
    "brackets in a check": lambda n: "ALTER TABLE t ADD CHECK (" + "(" * n + "a > 1" + ")" * n + ")",
    "brackets in a default": lambda n: "CREATE TABLE t (a int DEFAULT (" + "(" * n + "1" + ")" * n + "))",
    "calls": lambda n: "SELECT " + "f(" * n + "1" + ")" * n,
    "queries in queries": lambda n: "SELECT * FROM " + "(SELECT * FROM " * n + "t" + ") x" * n,
    "joins in joins": lambda n: "SELECT 1 FROM " + "(a JOIN " * n + "b" + " ON 1=1)" * n,
    "cases": lambda n: "SELECT " + "CASE WHEN 1 THEN " * n + "1" + " END" * n,
    "signs": lambda n: "ALTER TABLE t ADD CHECK (" + "- " * n + "1 > 0)",
    "negations": lambda n: "ALTER TABLE t ADD CHECK (" + "NOT " * n + "a)",
    "alternatives": lambda n: "ALTER TABLE t ADD CHECK (" + " OR ".join(f"a = {i}" for i in range(n)) + ")",
    "a list": lambda n: "DELETE FROM t WHERE id IN (" + ",".join(map(str, range(n))) + ")",
    "rows": lambda n: "INSERT INTO t (a, b) VALUES " + ",".join("(1, 'x')" for _ in range(n)),
    "unions": lambda n: " UNION ALL ".join(["SELECT 1"] * n),
    "columns": lambda n: "CREATE TABLE t (" + ", ".join(f"c{i} int" for i in range(n)) + ")",
    "copy": lambda n: "COPY t FROM stdin;\n" + "1\t2\n" * n,
    "shell commands": lambda n: "\\x\n" * n,
    "variables": lambda n: "SELECT " + "@a " * n,
    "escapes": lambda n: "SELECT E'" + "\\'" * n,
    "continued strings": lambda n: "SELECT E'a'" + "\n'a'" * n,
    "digits": lambda n: "SELECT " + "1_" * n,
    "blanks": lambda n: "SELECT" + " " * n + "1",
    "nothing that is known": lambda n: "\x01" * n,
    "placeholders that open": lambda n: "SELECT '" + "${" * n + "'",
    "variables of psql": lambda n: "SELECT ARRAY[" + ":a, " * n + "1]",
    "bodies": lambda n: "DO $$ x $$;\n" * n,
}
SMALL, TIMES = 400, 4


def steps(work: Callable[[], object]) -> int:
    """Lines of our code that ran: a measure of work that is the same on every machine."""
    count = 0

    def line(frame: object, event: str, argument: object) -> object:
        nonlocal count
        count += 1
        return line

    before = sys.gettrace()
    sys.settrace(line)  # type: ignore[arg-type]
    try:
        work()
    except* SourceError:
        pass
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize("dialect", ["postgresql", "mysql", "sqlite"])
@pytest.mark.parametrize("kind", GROWING)
def test_the_work_grows_with_the_text(kind: str, dialect: str) -> None:
    linear(kind, lambda text: loose_migration(text, dialect=named(dialect)))


@pytest.mark.parametrize("kind", GROWING)
def test_the_work_of_readers_grows_with_the_text(kind: str) -> None:
    linear(kind, files)


def linear(kind: str, work: Callable[[str], object]) -> None:
    """Four times the text is about four times the work. A text of some length is measured before it is read, which a short one is not."""
    few, many = GROWING[kind](SMALL), GROWING[kind](SMALL * TIMES)
    small, large = steps(lambda: work(few)), steps(lambda: work(many))
    assert large <= small * TIMES * 1.5 + 25 * len(many), (small, large)


# The work of a whole lint grows with the number of statements of a file: a dump is one transaction


MANY: dict[str, Callable[[int], str]] = {
    "rows": lambda n: "INSERT INTO t (a) VALUES (1);\n" * n,
    "changes": lambda n: "".join(f"UPDATE t SET a = {i} WHERE id = {i};\n" for i in range(n)),
    "columns": lambda n: "".join(f"ALTER TABLE t ADD COLUMN c{i} text DEFAULT 'x' NOT NULL;\n" for i in range(n)),
    "tables": lambda n: "".join(f"CREATE TABLE t{i} (id integer PRIMARY KEY, a text);\n" for i in range(n)),
    "indexes": lambda n: "".join(f"CREATE INDEX i{i} ON t (a);\n" for i in range(n)),
    "silenced": lambda n: '-- driftflow: ignore DF301 reason="small"\nCREATE INDEX ON t (a);\n' * n,
}
GROWS_FASTER = {("indexes", "postgresql")}
"""Thousands of indexes on one table: its record and its links are made anew with each of them."""


@pytest.mark.parametrize(
    ("kind", "dialect"),
    sorted({(kind, dialect) for kind in MANY for dialect in ("postgresql", "mysql", "sqlite")} - GROWS_FASTER),
)
def test_the_work_of_a_lint_grows_with_the_file(kind: str, dialect: str) -> None:
    few, many = MANY[kind](SMALL // 4), MANY[kind](SMALL // 4 * TIMES)
    lint(dialect, few)  # what is imported and built on first use
    small, large = steps(lambda: lint(dialect, few)), steps(lambda: lint(dialect, many))
    assert large <= small * TIMES * 1.4, (small, large)
