"""Texts: what is joined is cut again; the normal form of an expression has the same value and settles at once."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from hypothesis import given, note, settings
from hypothesis import strategies as st

from driftflow.dialects.source_text import SourceText
from driftflow.dialects.sqlite import SQLite
from driftflow.dialects.sqlite.parse import parse_sql
from driftflow.dialects.sqlite.tokens import TokenFault, tokenize
from driftflow.errors import ParseError

D = SQLite()
CORPUS = Path(__file__).parents[1] / "unit/dialects/sqlite/corpus.sql"
STATEMENTS = [statement.sql for statement in D.split(SourceText(CORPUS.read_text(encoding="utf-8")))]
BETWEEN = st.sampled_from([";", " ;\n", ";;", "; -- a; comment\n", ";/* ; */", "\n;\t"])

ATOMS = st.sampled_from(
    [
        "1",
        "0",
        "-2",
        "2.5",
        "1E1",
        "'a'",
        "'A'",
        "'it''s'",
        "NULL",
        "a",
        "B",
        '"c d"',
        "[c d]",
        "`a`",
        "t.a",
        "x'41'",
        "TRUE",
        "current_date IS NULL",
    ]
)


def combined(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    binary = st.sampled_from(
        [
            "+",
            "-",
            "*",
            "/",
            "%",
            "||",
            "<",
            "<=",
            "=",
            "==",
            "<>",
            "!=",
            ">>",
            "&",
            "|",
            "and",
            "OR",
            "is",
            "IS not",
            "like",
            "not like",
            "GLOB",
            "is distinct from",
        ]
    )
    return st.one_of(
        st.builds(lambda left, operator, right: f"({left} {operator} {right})", inner, binary, inner),
        st.builds(lambda left, operator, right: f"{left}  {operator}\n{right}", inner, binary, inner),
        st.builds(lambda operator, value: f"{operator} {value}", st.sampled_from(["-", "+", "~", "not", "- -"]), inner),
        st.builds(
            lambda name, value: f"{name} ( {value} )",
            st.sampled_from(["abs", "LOWER", "Length", "coalesce (1,", "typeof"]).map(
                lambda n: n.rstrip("(1, ") if "(" in n else n
            ),
            inner,
        ),
        st.builds(lambda a, b, c: f"case when {a} then {b} else {c} end", inner, inner, inner),
        st.builds(lambda a, b: f"{a} in ({b}, {a})", inner, inner),
        st.builds(lambda a, b, c: f"({a} between {b} and {c})", inner, inner, inner),
        st.builds(lambda a: f"cast({a} as text)", inner),
        st.builds(lambda a: f"({a} collate nocase)", inner),
        st.builds(lambda a: f"(( {a} )) /* why; */", inner),
        st.builds(lambda a: f"(select {a} from t)", inner),
    )


def value(raw: sqlite3.Connection, expression: str) -> object:
    try:
        return raw.execute(f"SELECT quote({expression}) FROM t").fetchone()[0]
    except sqlite3.Error as error:
        return type(error)


@settings(deadline=None, max_examples=400)
@given(st.recursive(ATOMS, combined, max_leaves=8))
def test_the_normal_form_means_the_same(expression: str) -> None:
    normal = D.normal_expression(expression)
    note(normal)
    assert D.normal_expression(normal) == normal
    with closing(sqlite3.connect(":memory:")) as raw:
        raw.execute('CREATE TABLE t(a, b, "c d")')
        raw.execute("INSERT INTO t VALUES (3, 'b', 'C')")
        assert value(raw, normal) == value(raw, expression)


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(st.sampled_from(STATEMENTS), BETWEEN), max_size=6))
def test_what_is_joined_is_cut_again(parts: list[tuple[str, str]]) -> None:
    text = "".join(statement + between for statement, between in parts)
    assert [statement.sql for statement in D.split(SourceText(text))] == [statement for statement, _ in parts]


@settings(deadline=None, max_examples=300)
@given(st.text(alphabet="aA1_'\"`[]();,.-/*\n x$:?\\\x00#é", max_size=40))
def test_any_text_is_read_or_refused_with_a_place(text: str) -> None:
    """Tokens, comments and blanks make up the whole text; nothing is skipped."""
    try:
        tokens, comments = tokenize(text)
    except TokenFault as fault:
        assert 0 <= fault.offset < len(text)
        return
    covered = sorted(
        [(token.start, token.end) for token in tokens] + [(one.start, one.start + len(one.text)) for one in comments]
    )
    rest, at = "", 0
    for start, end in covered:
        assert start >= at
        rest += text[at:start]
        at = end
    assert not (rest + text[at:]).strip(" \t\n\r\f\ufeff")


@settings(deadline=None, max_examples=300)
@given(
    st.lists(st.sampled_from(sorted({token.text for sql in STATEMENTS for token in tokenize(sql)[0]})), max_size=12),
    st.sampled_from(STATEMENTS),
)
def test_no_mixture_of_tokens_breaks_the_parser(words: list[str], sql: str) -> None:
    """Whatever is mixed into a statement: it is read, or becomes RawSql, or is refused as tokens."""
    tokens = [token.text for token in tokenize(sql)[0]]
    mixed = " ".join([*tokens[: len(tokens) // 2], *words, *tokens[len(tokens) // 2 :]])
    try:
        operations = parse_sql(mixed)
        for statement in D.split(SourceText(mixed)):
            D.parse(statement)
    except (TokenFault, ParseError):
        return
    for operation in operations:
        assert D.render(operation)
