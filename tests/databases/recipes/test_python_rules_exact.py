"""The condition in SQL says of every row what the Python function says of it, on every server."""

from __future__ import annotations

import ast
from contextlib import closing
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from recipes.rig import Place

from driftflow.strategies.rules.python_rule import compiled
from driftflow.strategies.rules.python_source import NotCompiled, read

COLUMNS = ("a", "b", "c", "s", "t", "p", "d", "e", "f")
TYPES = {
    "postgresql": "a bigint NOT NULL, b integer, c bigint, s text NOT NULL, t varchar(40), p numeric(12,2), d date, e date, f boolean",
    "sqlite": "a INTEGER NOT NULL, b INTEGER, c INTEGER, s TEXT NOT NULL COLLATE NOCASE, t varchar(40), p numeric(12,2), d date, e date, f boolean",
    "mysql": "a bigint NOT NULL, b integer, c bigint, s varchar(40) NOT NULL, t varchar(40), p decimal(12,2), d date, e date, f tinyint(1)",
}
EVERYWHERE = (
    "a > 5",
    "a < 0 or s == 'a'",
    "b is not None and b > 5",
    "b is None or 0 < b <= 10",
    "not (b is None or b > 5)",
    "b == 5",
    "b != 5",
    "b == c",
    "b != c",
    "b in (1, 2, 3)",
    "b not in (1, 2, 3)",
    "b",
    "not b",
    "t",
    "s and not t",
    "a + 3 > 10",
    "b is None or c is None or b * c + a >= b - c",
    "a // 3 == -2",
    "a % 7 == 3 or -a % 7 == 1",
    "b is not None and (b // 4) * 4 + b % 4 == b",
    "abs(a) <= 5",
    "min(a, 5) == max(a, 3)",
    "b is not None and c is not None and min(b, c, a) > -3",
    "s == 'A'",
    "s < 'b'",
    "s in ('a', 'B', 'a ')",
    "s == t",
    "t is not None and t <= s",
    "len(s) > 2",
    "t is None or len(t) == len(s)",
    "s.startswith('a')",
    "s.startswith(('Ab', 'é', '%'))",
    "s.endswith('B ') or s.endswith('')",
    "t is not None and t.endswith('a')",
    "'a' in s",
    "t is not None and t in s",
    "t is not None and 'é' not in t and t not in ('x', 'y')",
    "s in 'aAbB'",
    "s.isascii() and s.isdigit()",
    "s.isascii() and not s.isalpha()",
    "s.isascii() and s.isalnum() or not s.isascii()",
    "s.isascii() and s.isupper()",
    "s.isascii() and s.islower()",
    "s.isascii() and s.lower() == 'ab' and s.upper() == 'AB'",
    "b > 5 if b is not None else a > 5",
    "LEAST <= a <= -LEAST and s not in NAMES",
    "True",
    "not (a > 1 and (b is None or b < 3)) and a + a != 4",
)
NOT_SQLITE = (
    "p is None or p >= Decimal('9.99')",
    "p == Decimal('5')",
    "p is not None and p > a",
    "d is None or e is None or d <= e",
    "d == e",
)
POSTGRESQL_ONLY = ("f", "not f", "f == True")
MODULE = "from decimal import Decimal\nLEAST = -9\nNAMES = ('x', 'É')\n\n\ndef rule({names}):\n    return {text}\n"

alphabet = some.sampled_from("aAbB zZ019%_\\'éÉßıİ²٣😀\n-[]^")
texts = some.text(alphabet, max_size=4)
small = some.integers(-12, 12)
wide = some.one_of(small, some.integers(-(2**63), 2**63 - 1))
whole = some.one_of(small, some.integers(-(2**31), 2**31 - 1))
days = some.integers(0, 3).map(lambda n: date(2024, 1, 1) + timedelta(days=n))
maybe = some.none


def row(vendor: str) -> some.SearchStrategy[tuple[Any, ...]]:
    prices = some.decimals(-20, 20, places=2, allow_nan=False)
    lite = vendor == "sqlite"
    return some.tuples(
        wide, maybe() | whole, maybe() | wide, texts, maybe() | texts, maybe() if lite else maybe() | prices,
        maybe() if lite else maybe() | days, maybe() if lite else maybe() | days,
        maybe() | some.booleans() if vendor == "postgresql" else maybe(),
    )  # fmt: skip


def module_of(text: str) -> str:
    return MODULE.format(names=", ".join(COLUMNS), text=text)


def by_python(text: str, values: tuple[Any, ...]) -> bool:
    space: dict[str, Any] = {}
    exec(module_of(text), space)
    return bool(space["rule"](*values))


def rules_of(vendor: str) -> tuple[str, ...]:
    return EVERYWHERE + (NOT_SQLITE if vendor != "sqlite" else ()) + (POSTGRESQL_ONLY if vendor == "postgresql" else ())


def test_sql_says_what_python_says(place: Place) -> None:
    """Rows are read back before Python judges them: both see what is stored."""
    database = place.fresh(
        f"CREATE TABLE rows_ (id {'bigint' if place.vendor != 'sqlite' else 'INTEGER'} PRIMARY KEY, {place.pick(TYPES)});"
    )
    table = next(one for one in database.catalog().tables.values() if one.name.name == "rows_")
    rules = rules_of("mysql" if place.vendor == "mariadb" else place.vendor)
    conditions = [compiled(read(module_of(text), "rule"), table, COLUMNS, place.dialect) for text in rules]
    asked = ", ".join(f"({one}) IS TRUE" for one in conditions)
    quoted = ", ".join(place.dialect.quote(name) for name in COLUMNS)
    marks = ", ".join(["%s"] * len(COLUMNS))

    with closing(database.connector.connect("exact")) as connection:

        @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None)
        @given(some.lists(row(place.vendor), min_size=1, max_size=8))
        def check(rows: list[tuple[Any, ...]]) -> None:
            connection.begin(write=True)
            try:
                connection.execute_many(
                    f"INSERT INTO rows_ (id, {quoted}) VALUES (%s, {marks})",
                    [[number, *values] for number, values in enumerate(rows)],
                )
                found = connection.query(f"SELECT {quoted}, {asked} FROM rows_")
                for values in found:
                    stored, said = values[: len(COLUMNS)], values[len(COLUMNS) :]
                    for text, answer in zip(rules, said, strict=True):
                        if beyond(place, text, stored):
                            assert not answer, (text, stored)
                        else:
                            assert bool(answer) == by_python(text, stored), (text, stored, answer)
            finally:
                connection.rollback()

        check()


def beyond(place: Place, text: str, stored: tuple[Any, ...]) -> bool:
    """SQLite has no room above 64 bits: such a row breaks the rule, whatever Python says."""
    if place.vendor != "sqlite":
        return False
    values = dict(zip(COLUMNS, stored, strict=True))
    for node in ast.walk(ast.parse(text, mode="eval")):
        if isinstance(node, ast.BinOp | ast.Call | ast.UnaryOp) and not isinstance(getattr(node, "op", None), ast.Not):
            try:
                result = eval(
                    compile(ast.Expression(node), "", "eval"), {"Decimal": Decimal, "LEAST": -9, "NAMES": ("x", "É"), **values}
                )
            except (TypeError, AttributeError):
                continue
            if isinstance(result, int) and not isinstance(result, bool) and not -(2**63) <= result < 2**63:
                return True
    return False


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("b > 5", "may be None"),
        ("a > 5 or b > 5", "may be None"),
        ("(a > 5 or b is not None) and b > 5", "may be None"),
        ("a / 2 > 1", "divisions"),
        ("a // a > 1", "divisions"),
        ("a > 1.5", "literal"),
        ("a == s", "compared"),
        ("s.isdigit()", "isascii"),
        ("(s.isascii() or a > 1) and s.isdigit()", "isascii"),
        ("s.strip() == ''", "not compiled"),
        ("b == None", "is None"),
        ("open(s)", "not compiled"),
        ("OTHER > a", "neither a parameter"),
        ("[x for x in s]", "not compiled"),
        ("s.startswith(t)", "literals"),
        ("a in (b, 5) and b > 1", "may be None"),
    ],
)
@pytest.mark.on("sqlite")
def test_what_is_not_the_same_is_not_compiled(place: Place, text: str, why: str) -> None:
    database = place.fresh(f"CREATE TABLE rows_ (id INTEGER PRIMARY KEY, {place.pick(TYPES)});")
    table = next(iter(database.catalog().tables.values()))
    with pytest.raises(NotCompiled, match=why):
        compiled(read(module_of(text), "rule"), table, COLUMNS, place.dialect)
