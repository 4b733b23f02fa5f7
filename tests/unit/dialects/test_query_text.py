"""Queries as text: constants never shown, placeholders of every style as the server's own."""

from __future__ import annotations

import pytest

from driftflow.dialects.query_text import digest_of, first_word, forms, masked, placeholders, without_constants

SECRETS = [
    ("postgresql", "SELECT 'hunter2', E'it\\'s hunter2', $$hunter2$$, $x$hunter2$x$, U&'hunter2', X'68', 424242, 4.2e10"),
    ("postgresql", "SELECT /* hunter2 /* nested */ */ a -- hunter2\nFROM t WHERE b = 'a''hunter2'"),
    ("mysql", "SELECT 'hunter2', \"hunter2\", 'it\\'s hunter2', 0x68, 424242 # hunter2"),
    ("mariadb", "SELECT _utf8mb4'hunter2', 'a''hunter2' /* hunter2 */ FROM t"),
    ("sqlite", "SELECT 'hunter2', \"hunter2\", x'68', 424242 -- hunter2"),
    ("postgresql", "SELECT 'hunter2"),
    ("mysql", "SELECT 'hunter2"),
]


@pytest.mark.parametrize(("dialect", "sql"), SECRETS)
def test_no_constant_is_shown(dialect: str, sql: str) -> None:
    shown = masked(sql, dialect)
    assert "hunter2" not in shown and "424242" not in shown and "68" not in shown
    assert shown.startswith("SELECT")


def test_queries_that_differ_in_constants_are_one() -> None:
    one = masked("SELECT a FROM t\n  WHERE id IN (1, 2,3)", "postgresql")
    assert one == masked("SELECT a FROM t WHERE id IN (4, 5) -- by whom", "postgresql") == "SELECT a FROM t WHERE id IN (?, ...)"
    assert masked("INSERT INTO t (a, b) VALUES (1, 'x'), (2, 'y')", "mysql") == "INSERT INTO t (a, b) VALUES (?, ...), ..."
    assert digest_of(one) == digest_of(one.replace(" ", "  ")) != digest_of(one + " LIMIT ?")


def test_a_quoted_word_of_sqlite_is_shown_where_the_schema_has_it() -> None:
    assert masked('SELECT "name", "sesame" FROM "users"', "sqlite", names={"name", "users"}) == 'SELECT "name", ? FROM "users"'


@pytest.mark.parametrize(
    ("dialect", "sql", "expected"),
    [
        ("postgresql", "SELECT %s, %(b)s, %(b)s, 5 %% 2", "SELECT $1, $2, $2, 5 % 2"),
        ("postgresql", "SELECT a::int, '%s', \":x\" FROM t WHERE id=%s", "SELECT a::int, '%s', \":x\" FROM t WHERE id=$1"),
        (
            "postgresql",
            "SELECT :id, a::text, x[1:2] WHERE b = :id AND c = :other",
            "SELECT $1, a::text, x[1:2] WHERE b = $1 AND c = $2",
        ),
        ("postgresql", "SELECT a FROM t WHERE id = $1", "SELECT a FROM t WHERE id = $1"),
        ("mysql", "SELECT %s, :id, ?, @a := 1", "SELECT ?, ?, ?, @a := 1"),
        ("sqlite", "SELECT %s, :id, ?, $x, @y", "SELECT ?1, :id, ?, $x, @y"),
    ],
)
def test_placeholders_become_the_servers(dialect: str, sql: str, expected: str) -> None:
    assert placeholders(sql, dialect) == expected


def test_a_question_mark_may_be_an_operator_on_postgresql() -> None:
    as_it_is, *others = forms("SELECT data ? 'key' FROM t WHERE id = ?;", "postgresql")
    assert as_it_is == "SELECT data ? 'key' FROM t WHERE id = ?"
    assert "SELECT data $1 'key' FROM t WHERE id = $2" in others
    assert "SELECT now() - CAST($1 AS interval)" in forms("SELECT now() - interval $1", "postgresql")


def test_a_percent_placeholder_is_never_read_as_an_operator() -> None:
    assert forms("SELECT a FROM t WHERE id=%s", "postgresql") == ("SELECT a FROM t WHERE id=$1",)


def test_a_message_does_not_tell_the_constant_that_it_quotes() -> None:
    sql = "SELECT a FROM t WHERE kind = 'hunter2' AND legacy = 'legacy'"
    assert without_constants('invalid input value for enum kind: "hunter2"', sql, "postgresql", code="22P02") == (
        'invalid input value for enum kind: "?"'
    )
    # A message about names quotes names, and one of them may be spelled like a constant.
    assert (
        without_constants('column "legacy" does not exist', sql, "postgresql", code="42703") == 'column "legacy" does not exist'
    )
    said = without_constants('syntax error at or near "hunter2"', "SELECT hunter2 hunter2 x", "postgresql", code="42601")
    assert "hunter2" not in said


@pytest.mark.parametrize(
    ("dialect", "sql", "message", "code", "expected"),
    [
        (
            "postgresql",
            "SELECT 'it''s \"x\"'",
            'invalid input syntax for type integer: "it\'s "x""',
            "22P02",
            'invalid input syntax for type integer: "?"',
        ),
        (
            "mysql",
            "SELECT 'it\\'s'",
            "Incorrect DATE value: 'it's' for column 'at' at row 1",
            "1292",
            "Incorrect DATE value: '?' for column 'at' at row 1",
        ),
        ("mysql", "SELECT 'x y'", "Incorrect DATE value: 'x y'", "1525", "Incorrect DATE value: '?'"),
    ],
)
def test_a_value_is_masked_however_it_was_escaped(dialect: str, sql: str, message: str, code: str, expected: str) -> None:
    assert without_constants(message, sql, dialect, code=code) == expected


def test_the_first_word() -> None:
    assert first_word("/* a */ -- b\n select 1", "postgresql") == "SELECT"
    assert first_word("(SELECT 1)", "mysql") == "("
    assert first_word("SELECT 'open", "sqlite") == ""


def test_a_name_in_double_quotes_stays_a_name_on_sqlite() -> None:
    sql = 'SELECT "a`b", "x" FROM "t" WHERE "note" = "it\'s" AND id = %s;'
    assert forms(sql, "sqlite", names={"a`b", "t", "note"}) == (
        'SELECT `a``b`, "x" FROM `t` WHERE `note` = "it\'s" AND id = ?1',
        'SELECT "a`b", "x" FROM "t" WHERE "note" = "it\'s" AND id = ?1',
    )
