"""Statements of a size that nobody wrote by hand. They are read, or it is said why not: no overflow, no kill, no minutes."""

from __future__ import annotations

import pytest

from driftflow.dialects.limits import NESTING_MAX, STATEMENT_MAX
from driftflow.dialects.registry import dialect_named
from driftflow.errors import ParseError
from driftflow.model.operations import Delete, Insert, Operation, RawSql, Select
from driftflow.readers.sources import loose_migration

DIALECTS = ("postgresql", "mysql", "mariadb", "sqlite")
OWN = ("mysql", "mariadb", "sqlite")
"""Read with a parser of our own."""


def read(dialect: str, sql: str) -> Operation:
    (statement,) = loose_migration(sql, dialect=dialect_named(dialect)).statements
    (operation,) = statement.operations
    return operation


SLOW = [pytest.param(dialect, marks=pytest.mark.slow) for dialect in OWN]


@pytest.mark.parametrize("dialect", ["postgresql", *SLOW])
def test_a_hundred_thousand_alternatives(dialect: str) -> None:
    """libpg_query overflows its stack on this, and kills the process."""
    found = read(dialect, "SELECT 1 FROM t WHERE " + " OR ".join(f"a = {i}" for i in range(100_000)))
    if dialect == "postgresql":
        assert isinstance(found, RawSql)
        assert found.reason == "it may nest deeper than 2,000 levels"
    else:
        assert isinstance(found, Select)


@pytest.mark.parametrize("dialect", OWN)
def test_a_check_of_many_alternatives(dialect: str) -> None:
    check = " OR ".join(f"a = {i}" for i in range(20_000))
    found = read(dialect, f"CREATE TABLE t (a integer, CHECK ({check}))")
    assert not isinstance(found, RawSql)


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(
    "sql", ["SELECT {}1{}", "ALTER TABLE t ADD COLUMN a int DEFAULT {}1{}", "CREATE VIEW v AS SELECT {}a{} FROM t"]
)
def test_ten_thousand_brackets(dialect: str, sql: str) -> None:
    found = read(dialect, sql.format("(" * 10_000, ")" * 10_000))
    assert isinstance(found, RawSql)
    assert "deeper than" in found.reason


@pytest.mark.parametrize("dialect", OWN)
def test_as_many_brackets_as_are_read(dialect: str) -> None:
    levels = NESTING_MAX - 1
    assert not isinstance(read(dialect, f"CREATE TABLE t (a int DEFAULT {'(' * levels}1{')' * levels})"), RawSql)
    assert isinstance(read(dialect, f"CREATE TABLE t (a int DEFAULT {'(' * (levels + 1)}1{')' * (levels + 1)})"), RawSql)


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("chain", ["NOT ", "- ", "CASE WHEN a THEN "])
def test_chains_without_brackets(dialect: str, chain: str) -> None:
    end = " END" if chain.startswith("CASE") else ""
    read(dialect, f"SELECT {chain * 20_000}a{end * 20_000} FROM t")


@pytest.mark.parametrize("dialect", DIALECTS)
def test_five_megabytes_of_rows(dialect: str) -> None:
    found = read(dialect, "INSERT INTO t (a, b) VALUES " + ", ".join(f"({i}, '{'x' * 500}')" for i in range(10_000)))
    assert isinstance(found, Insert)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_more_than_is_read(dialect: str) -> None:
    found = read(dialect, f"INSERT INTO t (a) VALUES ('{'x' * STATEMENT_MAX}')")
    assert isinstance(found, RawSql)
    assert found.reason == "it has 8 MB, and statements of more than 8 MB are not read"


@pytest.mark.slow
@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_list_of_a_million(dialect: str) -> None:
    assert isinstance(read(dialect, f"DELETE FROM t WHERE id IN ({','.join(map(str, range(1_000_000)))})"), Delete)


@pytest.mark.parametrize(
    "before", ["", "CREATE TABLE t AS ", "CREATE/* */TEMP TABLE IF NOT EXISTS t AS ", "INSERT INTO t ", "CREATE VIEW v AS "]
)
def test_a_query_that_doubles_with_every_name_is_not_waited_for(before: str) -> None:
    """SQLite itself takes such a query apart while it is prepared: each name twice, forty times over."""
    names = ", ".join(f"c{i} AS (SELECT 1 AS x FROM c{i - 1} a, c{i - 1} b)" for i in range(1, 40))
    doubling = f"{before}WITH c0 AS (SELECT 1 AS x), {names} SELECT * FROM c39"
    assert not isinstance(read("sqlite", doubling), RawSql)
    with pytest.raises(ParseError) as caught:
        read("sqlite", f"{doubling} WHERE WHERE 1")
    assert caught.value.where.splitlines()[0] == f"<sql>:1:{len(doubling) + 8}"
