"""What a copy of a table by hand gives each column; and what is no such copy."""

from __future__ import annotations

import pytest

from driftflow.dialects.sqlite.copied import copied_values


@pytest.mark.parametrize(
    ("sql", "values"),
    [
        ('INSERT INTO "new" ("id", "b") SELECT "id", "b" FROM "old";', {"id": "id", "b": "b"}),
        ("insert into new (id, b) select old.id, 'x, (y' from old", {"id": "id", "b": "'x, (y'"}),
        (
            "INSERT INTO new (a, b, c) SELECT coalesce(a, max(b, 1)), NULL, b * 2 FROM old",
            {"a": "coalesce(a, max(b, 1))", "b": "NULL", "c": "b * 2"},
        ),
        ("INSERT INTO new (a) SELECT CAST(old.a AS BIGINT) AS a FROM old", {"a": "CAST(a AS BIGINT)"}),
        ('INSERT INTO new (a) SELECT "old"."a" || old . b FROM "old"', {"a": '"a" ||  b'}),
        (
            "INSERT INTO new (a, b) SELECT CASE WHEN a LIKE b THEN 1 ELSE 2 END, a COLLATE NOCASE FROM old",
            {"a": "CASE WHEN a LIKE b THEN 1 ELSE 2 END", "b": "a COLLATE NOCASE"},
        ),
        ("INSERT INTO new (a) SELECT total FROM old", {"a": "total"}),
        ('INSERT INTO new ("a b", [c]) SELECT `a b`, "x""y" FROM old', {"a b": '"a b"', "c": '"x""y"'}),
    ],
)
def test_every_row_of_one_table(sql: str, values: dict[str, str]) -> None:
    assert copied_values(sql) == values


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO new SELECT * FROM old",
        "INSERT INTO new (a) SELECT * FROM old",
        "INSERT INTO new (a, b) SELECT a FROM old",
        "INSERT INTO new (a) SELECT DISTINCT a FROM old",
        "INSERT INTO new (a) SELECT a FROM old WHERE a > 1",
        "INSERT INTO new (a) SELECT a FROM old, other",
        "INSERT INTO new (a) SELECT a FROM old AS o",
        "INSERT INTO new (a) SELECT a FROM old LIMIT 1",
        "INSERT INTO new (a) SELECT (SELECT b FROM other) FROM old",
        "INSERT INTO new (a) SELECT other.a + old.b FROM old",
        "INSERT INTO new (a) SELECT a b FROM old",
        "INSERT INTO new (a) SELECT max(coalesce(a, 1)) FROM old",
        "INSERT INTO new (a) SELECT sum(a) FROM old",
        "INSERT INTO new (a) SELECT count(*) b FROM old",
        "INSERT INTO new (a) SELECT a FROM old UNION SELECT a FROM old",
        "INSERT INTO new (a) SELECT other.a FROM old",
        "INSERT INTO new (a) SELECT row_number() OVER () FROM old",
        "INSERT OR IGNORE INTO new (a) SELECT a FROM old",
        "INSERT INTO new (a) VALUES (1)",
        "INSERT INTO new (a) SELECT 'a FROM old",
        "INSERT INTO new",
        "",
    ],
)
def test_anything_else_is_none(sql: str) -> None:
    assert copied_values(sql) is None


@pytest.mark.parametrize(
    ("sql", "values"),
    [
        ("INSERT INTO new SELECT * FROM old", {"a": "x", "b": "y"}),
        ("INSERT INTO main.new SELECT y, 1 FROM old", {"a": "y", "b": "1"}),
        ("INSERT INTO new (b, a) SELECT * FROM old", {"b": "x", "a": "y"}),
        ("INSERT INTO new (a) SELECT * FROM old", None),
        ("INSERT INTO new SELECT x FROM old", None),
    ],
)
def test_columns_that_only_the_tables_name(sql: str, values: dict[str, str] | None) -> None:
    assert copied_values(sql, columns=("a", "b"), source=("x", "y")) == values
