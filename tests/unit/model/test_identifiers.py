"""Renaming in SQL text touches identifiers that mean the column or the relation, and nothing else."""

from __future__ import annotations

import pytest

from driftflow.model.operations.identifiers import mentions, rename_column, rename_relation, spelled


@pytest.mark.parametrize(
    ("text", "renamed"),
    [
        ("(a > 0)", "(b2 > 0)"),
        ("(a = 'a'::text)", "(b2 = 'a'::text)"),
        ("a(a)", "a(b2)"),
        ("(x)::a", "(x)::a"),
        ("(\"a\" || 'it''s a')", "(b2 || 'it''s a')"),
        ("(A = aa)", "(b2 = aa)"),
        ("(t.a = other.a)", "(t.b2 = other.a)"),
        ("((old.a IS DISTINCT FROM new.a))", "((old.b2 IS DISTINCT FROM new.b2))"),
        ("(a -- a\n > $$a$$)", "(b2 -- a\n > $$a$$)"),
        ("(a.b > 1)", "(a.b > 1)"),
        ("E'\\'", "E'\\'"),
    ],
)
def test_rename_column(text, renamed):
    assert rename_column(text, "a", "b2", qualifiers=("t", "old", "new")) == renamed


def test_a_new_name_is_quoted_where_it_must_be():
    assert rename_column("(a > 0)", "a", "Order") == '("Order" > 0)'
    assert rename_column("(a > 0)", "a", "order") == '("order" > 0)'
    assert spelled('we"ird') == '"we""ird"'


def test_a_quoted_identifier_is_another_one_than_the_bare():
    assert rename_column('("A" > a)', "A", "b") == "(b > a)"


def test_mentions():
    assert mentions("lower((note)::text)", "note")
    assert not mentions("lower(x)", "lower")
    assert not mentions("(x = 'note')", "note")
    assert mentions("(t.note > 1)", "note")


@pytest.mark.parametrize(
    ("text", "renamed"),
    [
        ("nextval('public.old'::regclass)", "nextval('other.new'::regclass)"),
        ("SELECT old.id FROM public.old", "SELECT new.id FROM other.new"),
        ("SELECT old FROM x.old", "SELECT old FROM x.old"),
        ("'public.old.id'", "'public.old.id'"),
        ("INSERT ON public.old FOR", "INSERT ON other.new FOR"),
    ],
)
def test_rename_relation(text, renamed):
    assert rename_relation(text, ("public", "old"), ("other", "new")) == renamed
