"""Normal forms, names, types, volatility, constants, error kinds and capabilities."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from driftflow.dialects.base import Capability, ErrorKind
from driftflow.dialects.sqlite import SQLite
from driftflow.dialects.sqlite.constants import is_constant
from driftflow.dialects.sqlite.keywords import RESERVED, quote
from driftflow.dialects.sqlite.normal import normal_expression
from driftflow.dialects.sqlite.types import affinity
from driftflow.model.catalog import Catalog
from driftflow.model.names import Name, Version

D = SQLite()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a>1", "a > 1"),
        ("( ( a  > 1 ) )", "a > 1"),
        ("(a) > (1)", "(a) > (1)"),
        ("(select 1)", "(SELECT 1)"),
        ("a is not null AND b like 'X%'", "a IS NOT NULL AND b LIKE 'X%'"),
        ("LENGTH ( a )", "length(a)"),
        ("a+-1", "a + -1"),
        ("a - - 1", "a - -1"),
        ("- a", "-a"),
        ("case when A then 1 else 2 end", "CASE WHEN A THEN 1 ELSE 2 END"),
        ("cast(a as text)", "CAST(a AS text)"),
        ("a in(1,2)", "a IN (1, 2)"),
        ("t . a", "t.a"),
        ("[a b] + `c`", '"a b" + c'),
        ('"a"', '"a"'),
        ('t."a"', "t.a"),
        ("key > 1", "key > 1"),
        ("x'ab' || 1E5", "X'AB' || 1e5"),
        ("a /* why */ > 1 -- because", "a > 1"),
        ("json ->> '$.a'", "json ->> '$.a'"),
        ("current_timestamp", "CURRENT_TIMESTAMP"),
        ("'unterminated", "'unterminated"),
        ("a not glob 'x'", "a NOT GLOB 'x'"),
        ('a collate "NoCase"', "a COLLATE NoCase"),
    ],
)
def test_normal_expression(text: str, expected: str) -> None:
    assert D.normal_expression(text) == expected
    assert D.normal_expression(expected) == expected


def test_a_word_in_double_quotes_is_a_string_when_no_column_is_called_so() -> None:
    assert normal_expression('"a" <> "b"', {"a"}) == "a <> 'b'"
    assert normal_expression('"rowid" > 1', {"a"}) == "rowid > 1"


@pytest.mark.parametrize(
    "identifier", [*sorted(RESERVED), "a b", "1a", 'q"q', "", "true", "cast", "naïve", "a$b", "key", "desc", "Ab"]
)
def test_quoted_names_are_names_to_sqlite(identifier: str) -> None:
    with closing(sqlite3.connect(":memory:")) as raw:
        raw.execute(f"CREATE TABLE t (zero INT, {quote(identifier)} INT, CHECK ({quote(identifier)} > 0))")
        assert [row[1] for row in raw.execute("PRAGMA table_info(t)")][1] == identifier
        raw.execute(f"INSERT INTO t({quote(identifier)}) VALUES (1)")
        with pytest.raises(sqlite3.IntegrityError):
            raw.execute(f"INSERT INTO t({quote(identifier)}) VALUES (-1)")


def test_quote_name_says_a_schema_that_is_not_main() -> None:
    assert D.quote_name(Name(schema="main", name="t")) == "t"
    assert D.quote_name(Name(schema="temp", name="a b")) == 'temp."a b"'
    assert D.fold("MiXed") == "MiXed"


@pytest.mark.parametrize("value", [None, 0, -3, True, False, "", "it's", 'a"b'])
def test_literals_mean_their_value(value: object) -> None:
    with closing(sqlite3.connect(":memory:")) as raw:
        assert raw.execute(f"SELECT {D.literal(value)}").fetchone() == (value,)


@pytest.mark.parametrize(
    "type",
    [
        "INT",
        "VARCHAR(10)",
        "CHARINT",
        "FLOATING POINT",
        "STRING",
        "",
        "BLOB",
        "DOUBLE PRECISION",
        "DECIMAL(10,5)",
        "BOOLEAN",
        "DATE",
        "clob",
    ],
)
def test_affinity_is_sqlites(type: str) -> None:
    with closing(sqlite3.connect(":memory:")) as raw:
        raw.execute(f"CREATE TABLE t (a {type})")
        raw.execute("INSERT INTO t VALUES (500.5), ('500.0'), (500)")
        stored = [row[0] for row in raw.execute("SELECT typeof(a) FROM t")]
    expected = {
        "TEXT": ["text", "text", "text"],
        "NUMERIC": ["real", "integer", "integer"],
        "INTEGER": ["real", "integer", "integer"],
        "REAL": ["real", "real", "real"],
        "BLOB": ["real", "text", "integer"],
    }
    assert stored == expected[affinity(type)]


def test_normal_type() -> None:
    assert D.normal_type(" varchar ( 255 ) ") == "varchar(255)"
    assert D.normal_type("DECIMAL( 10 , 2 )") == "DECIMAL(10,2)"
    assert D.normal_type("UNSIGNED  BIG\nINT") == "UNSIGNED BIG INT"


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("1 + a", False),
        ("lower(a)", False),
        ("datetime(a)", False),
        ("date(a, '+1 day')", False),
        ("strftime('%Y', a)", False),
        ("round(a, 2) IN (1, 2)", False),
        ("random()", True),
        ("hex(randomblob(16))", True),
        ("CURRENT_TIMESTAMP", True),
        ("datetime('now')", True),
        ("datetime()", True),
        ("strftime('%s')", True),
        ("unixepoch()", True),
        ("date(a, 'localtime')", True),
        ("my_function(a)", True),
        ("(SELECT max(x) FROM t)", True),
        ("last_insert_rowid()", True),
        ("'unterminated", True),
        ("'random()'", False),
    ],
)
def test_volatile(expression: str, expected: bool) -> None:
    assert D.volatile(expression, Catalog(vendor="sqlite")) is expected


DEFAULTS = [
    "1", "-1", "+ 1", "'a'", "X'00'", "NULL", "TRUE", "1.5e3", "(1)", "((-1))", "CAST('1' AS INT)", "CURRENT_TIMESTAMP", "1 + 1", "abs(1)",
    "'a' || 'b'", "datetime('now')", "'a' COLLATE NOCASE", "- -1", "-(1)",
]  # fmt: skip


@pytest.mark.parametrize("default", DEFAULTS)
def test_constant_defaults_are_those_that_add_column_takes(default: str) -> None:
    with closing(sqlite3.connect(":memory:")) as raw:
        raw.execute("CREATE TABLE t (a)")
        raw.execute("INSERT INTO t VALUES (1)")
        try:
            raw.execute(f"ALTER TABLE t ADD COLUMN b DEFAULT ({default})")
        except sqlite3.OperationalError:
            assert not is_constant(default)
        else:
            assert is_constant(default)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("SQLITE_BUSY", ErrorKind.LOCK_TIMEOUT),
        ("SQLITE_BUSY_RECOVERY", ErrorKind.LOCK_TIMEOUT),
        ("SQLITE_BUSY_SNAPSHOT", ErrorKind.SERIALIZATION),
        ("SQLITE_LOCKED", ErrorKind.LOCK_TIMEOUT),
        ("SQLITE_LOCKED_SHAREDCACHE", ErrorKind.LOCK_TIMEOUT),
        ("SQLITE_FULL", ErrorKind.DISK_FULL),
        ("SQLITE_READONLY_DBMOVED", ErrorKind.READ_ONLY),
        ("SQLITE_CONSTRAINT_UNIQUE", ErrorKind.DUPLICATE),
        ("SQLITE_CONSTRAINT_PRIMARYKEY", ErrorKind.DUPLICATE),
        ("SQLITE_CONSTRAINT_FOREIGNKEY", ErrorKind.CONSTRAINT),
        ("SQLITE_CONSTRAINT_CHECK", ErrorKind.CONSTRAINT),
        ("SQLITE_CONSTRAINT_DATATYPE", ErrorKind.CONSTRAINT),
        ("SQLITE_INTERRUPT", ErrorKind.CANCELLED),
        ("SQLITE_IOERR_READ", ErrorKind.CONNECTION_LOST),
        ("SQLITE_ERROR", ErrorKind.SYNTAX),
        ("SQLITE_SCHEMA", ErrorKind.OTHER),
        ("", ErrorKind.OTHER),
    ],
)
def test_error_kinds(code: str, kind: ErrorKind) -> None:
    assert D.error_kind(code) is kind


def test_capabilities_come_with_versions() -> None:
    old, new = Version(major=3, minor=34), Version(major=3, minor=35)
    assert not D.can(Capability.DROP_COLUMN, old)
    assert D.can(Capability.DROP_COLUMN, new)
    assert not D.can(Capability.DROP_COLUMN)
    assert D.can(Capability.TABLE_REBUILD_ONLY)
    assert D.can(Capability.SINGLE_WRITER)
    assert not any(
        D.can(one, Version(major=3, minor=99))
        for one in (Capability.CONCURRENT_INDEX, Capability.ROW_SECURITY, Capability.ENUM_TYPE)
    )
