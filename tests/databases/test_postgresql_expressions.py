"""Our texts against the server's own: expressions as pg_get_expr prints them, types as format_type does, keywords, and the functions it has."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from driftflow.dialects.postgresql.builtin_functions import VOLATILITY
from driftflow.dialects.postgresql.expressions import normal_expression, same_expression
from driftflow.dialects.postgresql.names import quote
from driftflow.dialects.postgresql.types import normal_type

TABLE = """CREATE TABLE t (a int, b int, c text, d varchar(20), e timestamptz, f jsonb, g text[], h date, i numeric, j boolean,
    k int4range, l uuid, m interval, "Mixed Case" int)"""
TYPES = {"d": "character varying(20)"}

CHECKS = [
    "a > 0",
    "a > 0 AND b < 10 OR NOT j",
    "a > 0 AND (b < 10 OR j) AND a <> b",
    "NOT (a = 1 AND b = 2)",
    "a BETWEEN 1 AND 10",
    "a NOT BETWEEN 1 AND b + 1",
    "a IN (1, 2, 3)",
    "a NOT IN (1, 2)",
    "c IN ('x', 'y')",
    "d IN ('x', 'y')",
    "d NOT IN ('x', 'y')",
    "d = ANY (ARRAY['x', 'y']::text[])",
    "d = 'x'",
    "d <> ''",
    "c LIKE 'a%' AND c NOT LIKE '%b'",
    "c ILIKE 'a%'",
    "c ~ '^[a-z]+$'",
    "c IS NOT NULL AND b IS NULL",
    "j IS TRUE AND j IS NOT UNKNOWN",
    "a IS DISTINCT FROM b",
    "a IS NOT DISTINCT FROM b",
    "length(c) > 3 AND lower(c) = c",
    "lower(d) = d",
    "a + b * 2 - 1 > (a - b) * 3",
    "-a < 5",
    "a > -1",
    "i > -1.5 AND i < 3000000000",
    "c || d || 'x' <> 'y'",
    "coalesce(c, 'none') <> 'x'",
    "nullif(a, 0) > greatest(b, 1)",
    "CASE WHEN a > 0 THEN b ELSE 0 END = 1",
    "CASE a WHEN 1 THEN true ELSE false END",
    "f ->> 'x' = 'y'",
    "(f -> 'a' ->> 'b')::int > 3",
    "f @> '{\"a\": 1}'::jsonb",
    "f ? 'x'",
    "g[1] = 'x' AND array_length(g, 1) = 2",
    "g @> ARRAY['x', 'y']",
    "'x' = ANY (g)",
    "h > '2024-01-01'",
    "h > DATE '2024-01-01' + INTERVAL '1 day'",
    "extract(year FROM h) > 2000",
    "e > now() - interval '1 day'",
    "e < CURRENT_TIMESTAMP",
    "date_trunc('day', e) = e",
    "k && int4range(1, 10)",
    "lower(k) > 5",
    "position('x' in c) = 0",
    "substring(c from 1 for 2) = 'ab'",
    "trim(both 'x' from c) = 'y'",
    'c COLLATE "C" < d',
    '"Mixed Case" > 1',
    "l = '00000000-0000-0000-0000-000000000000'",
    "m > '1 day'",
    "CAST(a AS bigint) > 5",
    "a::numeric(10,2) > i",
    "left(c, 1) = 'x'",
    "starts_with(c, 'x') = true",
    "num_nonnulls(a, b) = 1",
    "(a > 0) = (b > 0)",
    "c SIMILAR TO 'a|b'",
    "a <> ALL (ARRAY[b, 1])",
]


BEYOND_TEXT = {
    "a ^ 2 > 4": "an operator of another type casts the column",
    "e > '2024-01-01'": "the server writes the constant in its own way",
    "(a, b) = (1, 2)": "a comparison of rows becomes one of each column",
}
"""What only a server that knows the types could tell to be the same."""


@pytest.fixture(scope="module")
def connection(postgresql_server) -> Iterator[psycopg.Connection]:
    url = postgresql_server.create_database()
    with psycopg.connect(url, autocommit=True) as opened:
        opened.execute(TABLE)
        yield opened
    postgresql_server.drop_database(url)


@pytest.mark.parametrize("written", CHECKS)
def test_an_expression_is_the_same_as_what_the_server_prints(connection: psycopg.Connection, written: str) -> None:
    printed = stored(connection, written)
    assert same_expression(printed, written, types=TYPES), f"{normal_expression(printed)}  is not  {normal_expression(written)}"


@pytest.mark.parametrize("written", BEYOND_TEXT)
def test_what_text_alone_cannot_tell(connection: psycopg.Connection, written: str) -> None:
    assert not same_expression(stored(connection, written), written, types=TYPES)


@pytest.mark.parametrize("written", [*CHECKS, *BEYOND_TEXT])
def test_the_normal_form_means_the_same_to_the_server(connection: psycopg.Connection, written: str) -> None:
    printed = stored(connection, written)
    assert stored(connection, normal_expression(written)) == printed
    # The server pushes the cast of an array into its elements when it reads its own text again; catalogs of both are compared by their normal forms.
    assert normal_expression(stored(connection, normal_expression(printed))) == normal_expression(printed)


def stored(connection: psycopg.Connection, expression: str) -> str:
    with connection.transaction(force_rollback=True):
        connection.execute(f"ALTER TABLE t ADD CONSTRAINT c CHECK ({expression})".encode())
        row = connection.execute("SELECT pg_get_expr(conbin, conrelid) FROM pg_constraint WHERE conname = 'c'").fetchone()
    assert row is not None
    return str(row[0])


DIFFERENT = [
    ("a > 0", "a >= 0"),
    ("a IN (1, 2)", "a IN (1, 3)"),
    ("c = 'x'", "c = 'y'"),
    ("NOT (a = 1 AND b = 2)", "NOT a = 1 AND b = 2"),
]


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_different_expressions_stay_different(connection: psycopg.Connection, one: str, other: str) -> None:
    assert not same_expression(stored(connection, one), other, types=TYPES)


SPELLINGS = [
    "int",
    "int2",
    "int4",
    "int8",
    "smallint",
    "integer",
    "bigint",
    "float4",
    "float8",
    "real",
    "float",
    "double_precision",
    "float(24)",
    "float(25)",
    "numeric",
    "numeric(5)",
    "numeric(5,2)",
    "dec(3)",
    "bool",
    "boolean",
    "text",
    "varchar",
    "varchar(9)",
    "char",
    "char(3)",
    "bpchar",
    '"char"',
    "bit",
    "bit(3)",
    "varbit",
    "varbit(4)",
    "time",
    "time(2)",
    "timetz",
    "timetz(1)",
    "timestamp",
    "timestamp(0)",
    "timestamptz",
    "timestamptz(6)",
    "interval",
    "interval(2)",
    "date",
    "bytea",
    "uuid",
    "json",
    "jsonb",
    "xml",
    "inet",
    "cidr",
    "macaddr",
    "money",
    "point",
    "tsvector",
    "tsquery",
    "int4range",
    "tstzrange",
    "int4multirange",
    "regclass",
    "oid",
    "name",
    "int[]",
    "varchar(3)[]",
    "timestamptz(3)[]",
    "_int4",
    "text[][]",
    "interval_year",
    "interval_day_to_second(3)",
    "interval_hour_to_minute",
    "national_character_varying(7)",
    "character_varying(8)",
]


@pytest.mark.parametrize("spelling", [spelling.replace("_", " ") if spelling[0] != "_" else spelling for spelling in SPELLINGS])
def test_types_are_spelled_as_the_server_spells_them(connection: psycopg.Connection, spelling: str) -> None:
    with connection.transaction(force_rollback=True):
        connection.execute(f"CREATE TABLE typed (x {spelling})".encode())
        row = connection.execute(
            "SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'typed'::regclass AND attname = 'x'"
        ).fetchone()
    assert row is not None
    assert normal_type(spelling) == row[0]
    assert normal_type(row[0]) == row[0]


def test_words_are_quoted_as_the_server_quotes_them(connection: psycopg.Connection) -> None:
    rows = connection.execute("SELECT word, quote_ident(word) FROM pg_get_keywords()").fetchall()
    assert len(rows) > 400
    newer = {"json", "merge_action"} | {word for word, _ in rows if word.startswith("json_")}
    unlike = [(word, quoted) for word, quoted in rows if quote(word) != quoted]
    assert [(word, quoted) for word, quoted in unlike if quoted != word or word not in newer] == []


def test_no_function_of_the_server_is_more_volatile_than_we_think(connection: psycopg.Connection) -> None:
    rows = connection.execute(
        """SELECT proname, max(CASE provolatile WHEN 'i' THEN 0 WHEN 's' THEN 1 ELSE 2 END) FROM pg_proc
        WHERE pronamespace = 'pg_catalog'::regnamespace AND prokind IN ('f', 'a', 'w')
        AND prorettype <> 'internal'::regtype AND NOT 'internal'::regtype = ANY (proargtypes::oid[]) GROUP BY 1"""
    ).fetchall()
    assert len(rows) > 1_500
    unknown_or_less = [(name, rank) for name, rank in rows if "isv".index(VOLATILITY.get(name, "v")) < rank]
    assert unknown_or_less == []
    assert [name for name, _ in rows if name not in VOLATILITY] == []
