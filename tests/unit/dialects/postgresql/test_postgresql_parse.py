"""What parse makes of a statement: refusals with their place, what stays raw, and what DML touches."""

from __future__ import annotations

import pytest

from driftflow.dialects.postgresql import PostgreSQL, grammar
from driftflow.dialects.postgresql.parse import operations_of
from driftflow.dialects.source_text import SourceText
from driftflow.errors import ParseError
from driftflow.model.names import Name
from driftflow.model.operations import (
    AlterObject,
    Copy,
    CreateSchema,
    CreateTable,
    CreateView,
    Delete,
    DropTable,
    Insert,
    RawSql,
    Select,
    SetSetting,
    Update,
)

DIALECT = PostgreSQL()


def one(sql: str):
    (operation,) = operations_of(sql)
    return operation


def n(text: str) -> Name:
    schema, _, name = text.rpartition(".")
    return Name(schema=schema, name=name)


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("SELECT 1;\nSELECT é, FROM t;", "a.sql:2:11", 'syntax error at or near "FROM"'),
        ("ALTER TABLE t\n  ADD COLUM a int", "a.sql:2:15", 'syntax error at or near "int"'),
        ("SELECT 'ü' || 1 +;", "a.sql:1:18", "syntax error at end of input"),
        ("-- c\n   CREATE TABL t ()", "a.sql:2:11", 'syntax error at or near "TABL"'),
    ],
)
def test_the_grammar_refuses_with_file_line_and_column(text: str, place: str, message: str) -> None:
    with pytest.raises(ParseError) as caught:
        [DIALECT.parse(statement) for statement in DIALECT.split(SourceText(text, "a.sql"))]
    assert caught.value.code == "DF-E201"
    assert caught.value.summary == message
    head, line, caret = caught.value.where.splitlines()
    assert head == place
    assert caret.index("^") - len("2 | ") + 1 == int(place.rsplit(":", 1)[1])
    assert line[caret.index("^") :] or "end of input" in message


def test_nul_is_refused_and_not_read_up_to() -> None:
    with pytest.raises(grammar.SyntaxFault, match="NUL"):
        grammar.parse("SELECT 1\0; garbage")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT " + "+".join(["1"] * 100_000),
        "SELECT " + "-(" * 3_000 + "1" + ")" * 3_000,
        " UNION ALL ".join(["SELECT 1, 2"] * 1_500),
        "SELECT " + "(SELECT " * 400 + "1" + ")" * 400,
    ],
    ids=["terms", "brackets", "unions", "subqueries"],
)
def test_what_nests_too_deep_stays_raw_and_kills_nobody(sql: str) -> None:
    operation = one(sql)
    assert isinstance(operation, RawSql)
    assert "deep" in operation.reason


def test_a_large_insert_is_read() -> None:
    operation = one("INSERT INTO t (a, b) VALUES " + ", ".join(["(1, 'it''s; (x')"] * 20_000))
    assert isinstance(operation, Insert)
    assert operation.rows == 20_000


def test_what_is_not_understood_says_why() -> None:
    operation = one("CREATE TABLE t (a int, PRIMARY KEY (a) WITH (fillfactor=70))")
    assert isinstance(operation, RawSql)
    assert operation.reason.startswith("not understood: a key with storage options")
    assert operation.relations == (n("t"),)


@pytest.mark.parametrize(
    "sql", ["EXPLAIN ANALYZE DELETE FROM t", "PREPARE p AS SELECT 1", "NOTIFY x", "CHECKPOINT", "DISCARD ALL"]
)
def test_statements_without_a_reading_are_raw(sql: str) -> None:
    assert isinstance(one(sql), RawSql)


def test_several_objects_are_several_operations() -> None:
    assert [operation.name for operation in operations_of("DROP TABLE a, s.b CASCADE")] == [n("a"), n("s.b")]
    assert all(isinstance(operation, DropTable) and operation.cascade for operation in operations_of("DROP TABLE a, s.b CASCADE"))
    assert [operation.sql for operation in operations_of("DROP RULE IF EXISTS r ON t")] == ["DROP RULE IF EXISTS r ON t"]


def test_a_schema_with_what_is_in_it() -> None:
    schema, table, view = operations_of("CREATE SCHEMA s CREATE TABLE t (a int) CREATE VIEW v AS SELECT a FROM t")
    assert isinstance(schema, CreateSchema)
    assert isinstance(table, CreateTable)
    assert table.table.name == n("s.t")
    assert isinstance(view, CreateView)
    assert view.view.name == n("s.v")


@pytest.mark.parametrize(
    ("sql", "reads", "writes"),
    [
        ("SELECT * FROM a JOIN s.b ON EXISTS (SELECT 1 FROM c)", ["a", "s.b", "c"], []),
        ("WITH x AS (SELECT * FROM a), y AS (SELECT * FROM x) SELECT * FROM y, s.x", ["a", "s.x"], []),
        ("WITH t AS (SELECT * FROM t) SELECT * FROM t", ["t"], []),
        ("WITH RECURSIVE t AS (SELECT 1 UNION SELECT * FROM t) SELECT * FROM t", [], []),
        ("WITH gone AS (DELETE FROM a USING b RETURNING *) INSERT INTO c SELECT * FROM gone", ["b"], ["c", "a"]),
        ("MERGE INTO t USING (SELECT * FROM u) AS s ON t.id = s.id WHEN MATCHED THEN DELETE", ["u"], ["t"]),
    ],
)
def test_what_a_query_touches(sql: str, reads: list[str], writes: list[str]) -> None:
    operation = one(sql)
    assert isinstance(operation, Select)
    assert set(operation.reads) == {n(name) for name in reads}
    assert set(operation.writes) == {n(name) for name in writes}


def test_which_functions_a_query_calls() -> None:
    operation = one("SELECT lower(a), now(), random(), s.mine(b) FROM t")
    assert isinstance(operation, Select)
    assert operation.calls == ("now", "random", "s.mine")
    assert one("SELECT a FROM t FOR NO KEY UPDATE").locks_rows == "NO KEY UPDATE"
    assert one("DO $$ begin end $$").opaque


def test_an_update_says_what_it_sets() -> None:
    operation = one("UPDATE t AS x SET a = a+1, (b, c) = (1, u.z), d = DEFAULT FROM u WHERE x.id = u.id AND x.done RETURNING 1")
    assert isinstance(operation, Update)
    assert operation.assignments == (("a", "a + 1"), ("b", "1"), ("c", "u.z"), ("d", "DEFAULT"))
    assert (operation.where, operation.alias, operation.from_clause) == ("x.id = u.id AND x.done", "x", "u")
    assert operation.reads == (n("u"),)
    assert operation.returning


@pytest.mark.parametrize(
    ("where", "bounded"),
    [
        ("", False),
        ("WHERE a = 1", False),
        ("WHERE id = 5", True),
        ("WHERE 5 = t.id AND b", True),
        ("WHERE id IN (1, 2)", True),
        ("WHERE id = ANY ('{1,2}'::int[])", True),
        ("WHERE id = other", False),
        ("WHERE id = 5 OR b", False),
        ("WHERE ctid = '(0,1)'", True),
        ("WHERE code IN (SELECT code FROM t LIMIT 100)", True),
        ("WHERE id > 5", False),
    ],
)
def test_which_changes_are_bounded_by_their_text(where: str, bounded: bool) -> None:
    for sql in (f"UPDATE t SET a = 1 {where}", f"DELETE FROM t {where}"):
        operation = one(sql)
        assert isinstance(operation, (Update, Delete))
        assert operation.bounded is bounded


def test_copy_counts_its_rows() -> None:
    operation = one("COPY t (a) FROM stdin;\n1\n2\n\\.")
    assert isinstance(operation, Copy)
    assert (operation.rows, operation.inward, operation.table) == (2, True, n("t"))
    assert one("COPY t FROM stdin WITH (FORMAT csv, HEADER);\na\n1\n\\.").rows == 1
    assert one("COPY t FROM stdin").rows is None


def test_settings_by_function() -> None:
    operation = one("SELECT pg_catalog.set_config('search_path', '', false);".rstrip(";"))
    assert isinstance(operation, SetSetting)
    assert (operation.name, operation.value, operation.local) == ("search_path", "", False)
    assert one("SET search_path = a, b").value == "a, b"


def test_objects_known_by_name() -> None:
    operation = one("CREATE RULE r AS ON INSERT TO s.t DO ALSO DELETE FROM u")
    assert isinstance(operation, AlterObject)
    assert (operation.kind, operation.action, operation.relations) == ("rule", "create", (n("s.t"), n("u")))
