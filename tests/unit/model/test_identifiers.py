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


def test_where_letters_are_no_matter_a_name_is_found_in_any() -> None:
    assert mentions("lower(FULLNAME) <> ''", "fullName", any_case=True)
    assert mentions('"FULLNAME" > 1', "fullName", any_case=True)
    assert not mentions("lower(fullName)", "fullName"), "a bare word means the name in small letters"
    assert not mentions("fullName(a)", "fullname", any_case=True)
    assert (
        rename_column("FULLNAME > NEW.FullName", "fullName", "newName", qualifiers=("new",), any_case=True)
        == "newName > NEW.newName"
    )


@pytest.mark.parametrize(
    ("text", "to", "expected"),
    [("a > 1", "index", '"index" > 1'), ("a > 1", "two words", '"two words" > 1'), ("`a` > 1", "fullName", "`fullName` > 1")],
)
def test_a_new_name_stands_in_the_quotes_of_its_server(text: str, to: str, expected: str) -> None:
    assert rename_column(text, "A", to, any_case=True) == expected
