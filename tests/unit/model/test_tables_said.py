"""A table's new name in a text that says it without its schema."""

from __future__ import annotations

import pytest

from driftflow.model.operations.tables_said import rename_said


@pytest.mark.parametrize(
    ("text", "renamed"),
    [
        ("SELECT id, t.v FROM T WHERE v > 0", "SELECT id, u.v FROM u WHERE v > 0"),
        ("SELECT t FROM l WHERE t IN (t, u)", "SELECT t FROM l WHERE t IN (t, u)"),
        ("SELECT t.n FROM l AS t WHERE t.n IN (SELECT id FROM t)", "SELECT t.n FROM l AS t WHERE t.n IN (SELECT id FROM u)"),
        ("SELECT t.n FROM l t UNION SELECT t.v FROM t", "SELECT t.n FROM l t UNION SELECT u.v FROM u"),
        ("WITH t AS (SELECT 1 AS v) SELECT t.v FROM t", "WITH t AS (SELECT 1 AS v) SELECT t.v FROM t"),
        ("WITH x (a) AS (SELECT v FROM t) SELECT a FROM x, main.t", "WITH x (a) AS (SELECT v FROM u) SELECT a FROM x, main.u"),
        ("SELECT 1 FROM (t JOIN l ON t.id = l.n)", "SELECT 1 FROM (u JOIN l ON u.id = l.n)"),
        ("SELECT 1 FROM json_each(t.v), t(3)", "SELECT 1 FROM json_each(u.v), t(3)"),
        (
            "SELECT 't', \"t\".v /* t */ FROM [t] WHERE a IS DISTINCT FROM t",
            "SELECT 't', u.v /* t */ FROM u WHERE a IS DISTINCT FROM t",
        ),
        (
            "CREATE TRIGGER t AFTER UPDATE OF t ON t BEGIN UPDATE OR IGNORE t SET t = NEW.t; DELETE FROM t WHERE v; END",
            "CREATE TRIGGER t AFTER UPDATE OF t ON u BEGIN UPDATE OR IGNORE u SET t = NEW.t; DELETE FROM u WHERE v; END",
        ),
        (
            "INSERT INTO t (t) VALUES (1) ON CONFLICT (t) DO UPDATE SET v = t.v",
            "INSERT INTO u (t) VALUES (1) ON CONFLICT (t) DO UPDATE SET v = u.v",
        ),
        ("CREATE UNIQUE INDEX t ON t (a, t) WHERE t.a > 0", "CREATE UNIQUE INDEX t ON u (a, t) WHERE u.a > 0"),
        ("t.v > 0 AND t > 1", "u.v > 0 AND t > 1"),
    ],
)
def test_where_the_table_is_meant(text: str, renamed: str) -> None:
    assert rename_said(text, "t", "u") == renamed


def test_a_keyword_is_quoted() -> None:
    assert rename_said("SELECT t.v FROM t", "t", "order") == 'SELECT "order".v FROM "order"'
