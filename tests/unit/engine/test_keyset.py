"""Ranges over keys as SQL, and keys as text."""

from __future__ import annotations

import pytest

from driftflow.engine.keyset import Keyset, escaped, packed, shown, unpacked
from driftflow.model.names import Name

ORDERS = Name(schema="main", name="or%ders")


def test_a_single_key() -> None:
    keys = Keyset(dialect="sqlite", table=ORDERS, columns=("id",))
    assert keys.range(None, (5,)) == ('"or%%ders"."id" <= %s', [5])
    assert keys.range((1,), (5,)) == ('"or%%ders"."id" > %s AND "or%%ders"."id" <= %s', [1, 5])


def test_a_composite_key_compares_as_a_row() -> None:
    keys = Keyset(
        dialect="postgresql",
        table=Name(schema="s", name="t"),
        columns=("a", "b"),
        casts=("::uuid", "::integer"),
        read_as_text=(True, False),
    )
    assert keys.range(("x", 1), ("y", 2)) == (
        '("t"."a", "t"."b") > (%s::uuid, %s::integer) AND ("t"."a", "t"."b") <= (%s::uuid, %s::integer)',
        ["x", 1, "y", 2],
    )
    assert keys.selected == '"t"."a"::text, "t"."b"'


def test_rowid_is_not_quoted() -> None:
    assert Keyset(dialect="sqlite", table=ORDERS, columns=("rowid",)).order == '"or%ders".rowid'
    assert Keyset(dialect="postgresql", table=ORDERS, columns=("rowid",)).order == '"or%ders"."rowid"'


@pytest.mark.parametrize("key", [(1,), ("a'b", 2), (b"\x00\xff",), (0.1, float("inf")), (2**62,), ("ü\n",), (None,)])
def test_keys_survive_the_journal(key: tuple[object, ...]) -> None:
    assert unpacked(packed(key)) == key


def test_nothing_is_nothing() -> None:
    assert unpacked(packed(None)) is None
    assert shown(None) == ()
    assert shown((b"x", 1.5, "a", 3)) == ("b'x'", "1.5", "a", 3)


def test_percent_signs_of_users() -> None:
    assert escaped("a LIKE '%x'") == "a LIKE '%%x'"
