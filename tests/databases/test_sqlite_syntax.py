"""SQLite's own word on what is a statement, with the place of the mistake."""

from __future__ import annotations

import pytest

from driftflow.dialects.source_text import SourceText
from driftflow.dialects.sqlite import SQLite
from driftflow.drivers.sqlite_syntax import LIBRARY, check_syntax
from driftflow.errors import ParseError
from driftflow.model.migration import Statement
from driftflow.model.names import Version


def parsed(text: str) -> Statement:
    (statement,) = SQLite().split(SourceText(text, file="m.sql"))
    return SQLite().parse(statement)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("CREATE TABLE t(a INT,\n  b TEXT,)", "m.sql:2:10"),
        ("CREAT TABLE t(a)", "m.sql:1:1"),
        ("-- first\nINSERT INTO t VALUES (1,, 2)", "m.sql:2:25"),
        ("UPDATE t SET a = 1 WHER b = 2", "m.sql:1:20"),
        ("SELECT * FORM t", "m.sql:1:10"),
        ("INSERT INTO t(a, b", "m.sql:1:19"),
        ("ALTER TABLE t ADD COLUMN a INT CHEK (a > 0)", "m.sql:1:38"),
        ("ALTER TABLE t RENAME COLUMN a b", "m.sql:1:31"),
        ("SELECT ä FROM FROM x", "m.sql:1:15"),
        ("ALTER TABLE t ADD CONSTRAINT c CHECK (a >)", "m.sql:1:42"),
        ("EXPLAIN SELECT FROM t", "m.sql:1:16"),
        ("GRANT SELECT ON t TO bob", "m.sql:1:1"),
    ],
)
def test_a_mistake_has_its_place(text: str, place: str) -> None:
    with pytest.raises(ParseError) as caught:
        check_syntax(parsed(text))
    assert caught.value.code == "DF-E201"
    assert caught.value.where.splitlines()[0] == place
    assert caught.value.where.splitlines()[-1].endswith("^")


@pytest.mark.parametrize(
    "text",
    [
        "SELECT nothing_like_it FROM nowhere",
        "ALTER TABLE nowhere ADD COLUMN n INT DEFAULT 1",
        "ALTER TABLE nowhere RENAME COLUMN a TO b",
        "ALTER TABLE t ADD CONSTRAINT k FOREIGN KEY (a) REFERENCES b",
        "ALTER TABLE t ALTER COLUMN a SET DEFAULT 3",
        "ALTER TABLE t ALTER COLUMN a TYPE TEXT USING CAST(a AS TEXT)",
        "ALTER TABLE t ADD COLUMN IF NOT EXISTS a INT",
        "CREATE TABLE t(a)",
        "DROP TABLE nowhere",
        "ATTACH 'nowhere.db' AS x",
        "VACUUM",
        "PRAGMA no_such_pragma = 3",
        "EXPLAIN QUERY PLAN SELECT 1",
    ],
)
def test_what_is_missing_is_no_matter_of_syntax(text: str) -> None:
    check_syntax(parsed(text))


def test_a_newer_server_may_know_what_our_library_does_not() -> None:
    """Then a statement passes that the dialect read to its last token, and no other."""
    newer = Version(major=LIBRARY.major, minor=LIBRARY.minor + 50)
    read = parsed("INSERT INTO t VALUES (1,, 2)")
    check_syntax(read, version=newer)
    with pytest.raises(ParseError):
        check_syntax(read, version=LIBRARY)
    with pytest.raises(ParseError):
        check_syntax(parsed("SELEC 1"), version=newer)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("CREATE SEQUENCE s", "no sequences"),
        ("ALTER TABLE t ENABLE ROW LEVEL SECURITY", "no row-level security"),
        ("CREATE POLICY p ON t USING (a = 1)", "no row-level security"),
        ("ALTER TABLE t SET SCHEMA other", "moves no table"),
        ("ALTER TABLE t RENAME TO other.t", "moves no table"),
        ("CREATE TABLE p (a INT) PARTITION BY RANGE (a)", "no partitioned tables"),
        ("CREATE TABLE c (a INT REFERENCES other.t (a))", "no foreign keys to another database"),
        ("ALTER TABLE t ALTER COLUMN a TYPE text CHARACTER SET latin1", "no character sets"),
        ("ALTER TABLE t ADD CONSTRAINT u UNIQUE (a) DEFERRABLE", "no deferrable unique constraint"),
        ("CREATE UNIQUE INDEX u ON t (a) NULLS NOT DISTINCT", "NULLs are equal"),
    ],
)
def test_what_sqlite_lacks_is_said_with_what_is_nearest(text: str, why: str) -> None:
    with pytest.raises(ParseError) as caught:
        check_syntax(parsed(text))
    assert caught.value.code == "DF-E201" and why in caught.value.why and not caught.value.hint.startswith("correct")


@pytest.mark.parametrize("text", ["SELECT 'CREATE SEQUENCE s' FORM t", "-- DEFERRABLE UNIQUE (a) DEFERRABLE\nCREAT TABLE t(a)"])
def test_what_stands_in_a_text_or_a_comment_is_not_asked_for(text: str) -> None:
    with pytest.raises(ParseError, match="syntax error") as caught:
        check_syntax(parsed(text))
    assert "rejects the statement" in caught.value.why
