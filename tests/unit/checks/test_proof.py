"""What a validated check proves about NULLs, and what it does not."""

from __future__ import annotations

import pytest

from driftflow.dialects.proof import conjuncts, proves_not_null, strip_parentheses
from driftflow.model.catalog import Check, Column, NotNull, Table
from driftflow.model.names import Name

NAME = Name(schema="public", name="t")


def table(*constraints: Check | NotNull) -> Table:
    return Table(name=NAME, columns=(Column(name="a", type="integer"), Column(name="b c", type="text")), constraints=constraints)


@pytest.mark.parametrize(
    "expression",
    ["a IS NOT NULL", "(a IS NOT NULL)", "((a IS NOT NULL) AND (b > 0))", "b > 0 and (a is not null and c)", '"a" IS NOT NULL'],
)
def test_proves(expression: str) -> None:
    assert proves_not_null(table(Check(expression=expression)), "a")


@pytest.mark.parametrize(
    "expression",
    ["a IS NULL", "a IS NOT NULL OR b > 0", "aa IS NOT NULL", "NOT (a IS NOT NULL)", "'a IS NOT NULL' = b", "a > 0"],
)
def test_proves_nothing(expression: str) -> None:
    assert not proves_not_null(table(Check(expression=expression)), "a")


def test_not_valid_proves_nothing() -> None:
    assert not proves_not_null(table(Check(expression="a IS NOT NULL", validated=False)), "a")
    assert not proves_not_null(table(NotNull(column="a", validated=False)), "a")
    assert proves_not_null(table(NotNull(column="a")), "a")


def test_quoted_names() -> None:
    assert proves_not_null(table(Check(expression='("b c" IS NOT NULL)')), "b c")


def test_parts() -> None:
    assert strip_parentheses("((a) AND (b))") == "(a) AND (b)"
    assert conjuncts("(a > 0) AND ((b) AND c = ') AND (')") == ("a > 0", "b", "c = ') AND ('")
    assert conjuncts("a BETWEEN 1 AND 2") == ("a BETWEEN 1 AND 2",)
