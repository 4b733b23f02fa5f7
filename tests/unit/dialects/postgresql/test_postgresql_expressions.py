"""Types, expressions and identifiers in their normal forms, comparison and volatility."""

from __future__ import annotations

import pytest

from driftflow.dialects.base import Capability, ErrorKind
from driftflow.dialects.postgresql import PostgreSQL
from driftflow.dialects.postgresql.expressions import normal_expression, same_expression
from driftflow.dialects.registry import dialect_named
from driftflow.errors import ConfigError
from driftflow.model.catalog import Catalog, Routine
from driftflow.model.names import Name, Version

DIALECT = PostgreSQL()


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("int4", "integer"),
        ("INT", "integer"),
        ("varchar(255)", "character varying(255)"),
        ("timestamptz", "timestamp with time zone"),
        ("timestamp(3)", "timestamp(3) without time zone"),
        ("numeric(10)", "numeric(10,0)"),
        ("int[3][4]", "integer[]"),
        ("_text", "text[]"),
        ("char", "character(1)"),
        ('"char"', '"char"'),
        ("bpchar", "bpchar"),
        ("float(20)", "real"),
        ("public.mood", "public.mood"),
        ('"My Type"', '"My Type"'),
        ("geometry(Point, 4326)", "geometry(point,4326)"),
        ("interval year to month", "interval year to month"),
        ("pg_catalog.int8", "bigint"),
        ("setof int", "SETOF integer"),
        ("not a type at all(", "not a type at all("),
    ],
)
def test_types(written: str, normal: str) -> None:
    assert DIALECT.normal_type(written) == normal


@pytest.mark.parametrize(
    ("printed", "written"),
    [
        # what pg_get_expr() prints, and what a user writes
        ("((a > 0) AND (b < 10))", "a > 0 and b<10"),
        ("(status = ANY (ARRAY['a'::text, 'b'::text]))", "status IN ('a'::text, 'b'::text)"),
        ("(status <> ALL (ARRAY[1, 2]))", "status NOT IN (1,2)"),
        ("((a >= 1) AND (a <= 10))", "a BETWEEN 1 AND 10"),
        ("((a < 1) OR (a > 10))", "a NOT BETWEEN 1 AND 10"),
        ("(name ~~ 'a%'::text)", "name LIKE 'a%'::text"),
        ("(name !~~* 'a%'::text)", "name NOT ILIKE 'a%'::text"),
        ("(NOT (a IS DISTINCT FROM b))", "a IS NOT DISTINCT FROM b"),
        ("'-1'::integer", "-1"),
        ("'3000000000'::bigint", "3000000000"),
        ("(now() AT TIME ZONE 'utc'::text)", "now() at time zone 'utc'::text"),
        ("EXTRACT(year FROM d)", "extract(YEAR from d)"),
        ("COALESCE((a)::text, ''::text)", "coalesce(a::text, ''::text)"),
        ("CASE\n    WHEN (a > 0) THEN 1\n    ELSE 2\nEND", "case when a > 0 then 1 else 2 end"),
        ('"left"(a, 1)', "left(a, 1)"),
        ("((data ->> 'x'::text))::integer", "CAST(data->>'x'::text AS int)"),
        ("('2024-01-01'::date + '1 day'::interval)", "date '2024-01-01' + interval '1 day'"),
    ],
)
def test_expressions_meet_in_one_spelling(printed: str, written: str) -> None:
    assert normal_expression(printed) == normal_expression(written)


def test_text_that_is_no_expression_comes_back() -> None:
    assert normal_expression("a +  ") == "a +"
    assert normal_expression("'open") == "'open"
    assert normal_expression("1) + (1") == "1) + (1"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("'x'::character varying", "'x'", True),
        ("'x'::public.mood", "'x'", True),
        ("nextval('t_id_seq'::regclass)", "nextval('t_id_seq')", True),
        ("(a = ANY (ARRAY['x'::text, 'y'::text]))", "a IN ('x', 'y')", True),
        ("'-1'::numeric", "-1", True),
        ("'5'", "5", False),
        ("a::text = 'x'::text", "a = 'x'", False),
        ("a + 1", "a + 2", False),
        ("'x'::text", "'y'", False),
        ("(1)::numeric", "1", True),
    ],
)
def test_same_expression_ignores_what_the_server_adds(one: str, other: str, same: bool) -> None:
    assert same_expression(one, other) is same


def test_a_cast_of_a_varchar_column_is_the_servers() -> None:
    printed, written = "((a)::text = ANY ((ARRAY['x'::character varying, 'y'::character varying])::text[]))", "a IN ('x', 'y')"
    assert same_expression(printed, written, types={"a": "character varying(20)"})
    assert not same_expression(printed, written, types={"a": "integer"})


def test_volatility() -> None:
    routine = Routine(name=Name(schema="public", name="mine"), volatility="immutable")
    catalog = Catalog(vendor="postgresql", routines={"public.mine()": routine})
    volatile = [
        "gen_random_uuid()",
        "random() + 1",
        "clock_timestamp()",
        "unknown_function()",
        "nextval('s')",
        "other.mine()",
        "a +",
    ]
    steady = ["1", "now()", "CURRENT_TIMESTAMP", "lower(a) || 'x'", "mine()", "public.mine()", "'{}'::jsonb", "current_user"]
    assert [text for text in volatile if not DIALECT.volatile(text, catalog)] == []
    assert [text for text in steady if DIALECT.volatile(text, catalog)] == []


@pytest.mark.parametrize(
    ("identifier", "quoted"),
    [
        ("a", "a"),
        ("A", '"A"'),
        ("select", '"select"'),
        ("order", '"order"'),
        ("name", "name"),
        ('a"b', '"a""b"'),
        ("1a", '"1a"'),
        ("é", '"é"'),
        ("left", '"left"'),
    ],
)
def test_quoting(identifier: str, quoted: str) -> None:
    assert DIALECT.quote(identifier) == quoted


def test_literals_and_folding() -> None:
    assert [DIALECT.literal(value) for value in (None, True, -5, "it's", "a\\b")] == [
        "NULL",
        "true",
        "-5",
        "'it''s'",
        "E'a\\\\b'",
    ]
    assert DIALECT.fold("ÄBC") == "Äbc"
    assert len(DIALECT.fold("é" * 40).encode()) == 62


def test_capabilities_by_version() -> None:
    assert DIALECT.can(Capability.CONCURRENT_INDEX)
    assert not DIALECT.can(Capability.NOT_VALID_NOT_NULL, Version(major=17))
    assert DIALECT.can(Capability.NOT_VALID_NOT_NULL, Version(major=18))
    assert not DIALECT.can(Capability.NULLS_NOT_DISTINCT)
    assert not DIALECT.can(Capability.BEFORE_ROW_TRIGGER_ON_PARENT, Version(major=12))
    assert DIALECT.can(Capability.BEFORE_ROW_TRIGGER_ON_PARENT, Version(major=13))
    assert not DIALECT.can(Capability.SINGLE_WRITER, Version(major=18))


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("55P03", ErrorKind.LOCK_TIMEOUT),
        ("40P01", ErrorKind.DEADLOCK),
        ("40001", ErrorKind.SERIALIZATION),
        ("57014", ErrorKind.CANCELLED),
        ("08006", ErrorKind.CONNECTION_LOST),
        ("23505", ErrorKind.CONSTRAINT),
        ("42501", ErrorKind.RIGHTS),
        ("42P07", ErrorKind.DUPLICATE),
        ("53100", ErrorKind.DISK_FULL),
        ("25006", ErrorKind.READ_ONLY),
        ("42601", ErrorKind.SYNTAX),
        ("XX000", ErrorKind.OTHER),
    ],
)
def test_error_kinds(code: str, kind: ErrorKind) -> None:
    assert DIALECT.error_kind(code) is kind


def test_dialects_by_name() -> None:
    assert dialect_named("Postgres") is dialect_named("postgresql")
    with pytest.raises(ConfigError, match="oracle") as caught:
        dialect_named("oracle")
    assert "postgresql, sqlite" in caught.value.why
