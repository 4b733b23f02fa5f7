"""Names as PostgreSQL makes them up."""

from __future__ import annotations

import pytest

from driftflow.model.catalog import Index, IndexPart
from driftflow.model.names import Name
from driftflow.model.operations.naming import expression_name, fitted, index_columns, made_name


def test_short_names_are_joined():
    assert made_name("orders", "tenant_id", "idx") == "orders_tenant_id_idx"
    assert made_name("orders", "", "pkey") == "orders_pkey"


def test_a_taken_name_gets_a_number():
    assert made_name("a", "b", "key", {"a_b_key", "a_b_key1"}.__contains__) == "a_b_key2"


def test_the_longer_part_is_cut_first_and_never_inside_a_character():
    assert fitted("t" * 60, "column", "idx") == "t" * 52 + "_column_idx"
    assert len(fitted("t" * 60, "c" * 60, "not_null").encode()) <= 63
    assert fitted("ü" * 40, "", "pkey").endswith("ü_pkey")


def test_columns_of_an_index():
    name = Name(schema="public", name="i")
    parts = (
        IndexPart(column="a"),
        IndexPart(expression="lower(b)"),
        IndexPart(expression="(c + 1)"),
        IndexPart(expression="(d + 1)"),
    )
    assert index_columns(Index(name=name, table=name, parts=parts, include=("e",))) == "a_lower_expr_expr1_e"


@pytest.mark.parametrize(
    ("expression", "name"),
    [
        ("lower(a)", "lower"),
        ("public.f(a, b)", "f"),
        ("(a + 1)", "expr"),
        ("(a)::text", "a"),
        ("(a)::character varying(10)", "a"),
        ("(lower(a) || b)", "expr"),
        ("((a)::text || b)", "expr"),
    ],
)
def test_expression_name(expression, name):
    """As PostgreSQL 18 names the columns of `create index on t (expression)`."""
    assert expression_name(expression) == name
