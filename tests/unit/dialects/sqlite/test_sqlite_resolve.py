"""What resolve makes explicit: schema, spelling, referenced keys, tables of indexes and triggers, keys that a WHERE pins."""

from __future__ import annotations

import pytest

from driftflow.dialects.sqlite import SQLite
from driftflow.dialects.sqlite.catalog import catalog_from
from driftflow.dialects.sqlite.parse import parse_sql
from driftflow.dialects.sqlite.resolve import mentioned
from driftflow.model.catalog import Catalog, Check
from driftflow.model.names import Name
from driftflow.model.operations import (
    AddColumn,
    AddConstraint,
    CreateIndex,
    CreateTable,
    DropIndex,
    DropTable,
    DropTrigger,
    Operation,
    RawSql,
    Reindex,
    Update,
)

D = SQLite()


def catalog(*statements: str) -> Catalog:
    kinds = {"TABLE": "table", "INDEX": "index", "VIEW": "view", "TRIGGER": "trigger"}
    rows = []
    for sql in statements:
        (operation,) = parse_sql(sql)
        kind = next(
            kind for word, kind in kinds.items() if sql.upper().split("CREATE ")[1].replace("UNIQUE ", "").startswith(word)
        )
        name, table = _names(operation)
        rows.append({"type": kind, "name": name, "tbl_name": table, "sql": sql})
    return catalog_from({"schema": rows, "settings": [{"name": "version", "value": "3.40.1"}]})


def _names(operation: Operation) -> tuple[str, str]:
    for held in ("table", "view"):
        if (found := getattr(operation, held, None)) is not None and not isinstance(found, Name):
            return found.name.name, found.name.name
    if isinstance(operation, CreateIndex):
        return operation.index.name.name, operation.index.table.name
    return operation.trigger.name, operation.trigger.table.name


SHOP = catalog(
    "CREATE TABLE Orders(Id INTEGER PRIMARY KEY, Status TEXT, Note TEXT, UNIQUE (Status, Note))",
    "CREATE TABLE plain(a INT, b INT)",
    "CREATE UNIQUE INDEX plain_a ON plain(a)",
    "CREATE UNIQUE INDEX plain_b ON plain(b) WHERE b > 0",
    "CREATE VIEW seen AS SELECT * FROM ORDERS",
    "CREATE TRIGGER Touch AFTER INSERT ON orders BEGIN UPDATE plain SET a = 1; END",
)
ORDERS, PLAIN = Name(schema="main", name="Orders"), Name(schema="main", name="plain")


def resolved(sql: str, known: Catalog = SHOP) -> Operation:
    (operation,) = parse_sql(sql)
    return D.resolve(operation, known)


def test_names_are_spelled_as_the_catalog_has_them() -> None:
    operation = resolved('ALTER TABLE ORDERS ADD COLUMN n INT REFERENCES Plain(A) CHECK (STATUS <> "open")')
    assert isinstance(operation, AddColumn)
    assert operation.table == ORDERS
    key, check = operation.constraints
    assert (key.referenced, key.referenced_columns) == (PLAIN, ("a",))
    assert isinstance(check, Check)
    assert check.expression == "STATUS <> 'open'"


def test_a_reference_without_columns_means_the_primary_key() -> None:
    operation = resolved(
        "CREATE TABLE line(id INTEGER PRIMARY KEY, o INT REFERENCES orders, up INT REFERENCES Line, x REFERENCES later)"
    )
    assert isinstance(operation, CreateTable)
    assert [(key.referenced.text, key.referenced_columns) for key in operation.table.foreign_keys] == [
        ("main.Orders", ("Id",)),
        ("main.line", ("id",)),
        ("main.later", ()),
    ]


def test_what_does_not_exist_stays_as_it_was_said() -> None:
    operation = resolved("DROP TABLE Nowhere")
    assert isinstance(operation, DropTable)
    assert operation.name == Name(schema="main", name="Nowhere")
    assert resolved("DROP TABLE temp.x").name == Name(schema="temp", name="x")


def test_indexes_and_triggers_find_their_table() -> None:
    index = resolved("DROP INDEX PLAIN_A")
    assert isinstance(index, DropIndex)
    assert (index.name.name, index.table) == ("plain_a", PLAIN)
    trigger = resolved("DROP TRIGGER touch")
    assert isinstance(trigger, DropTrigger)
    assert (trigger.name, trigger.table) == ("Touch", ORDERS)


@pytest.mark.parametrize(
    ("sql", "kind", "name"),
    [("REINDEX plain_a", "index", "plain_a"), ("REINDEX PLAIN", "table", "plain"), ("REINDEX", "all", "")],
)
def test_reindex_tells_tables_from_indexes(sql: str, kind: str, name: str) -> None:
    operation = resolved(sql)
    assert isinstance(operation, Reindex)
    assert (operation.kind, operation.name.name if operation.name else "") == (kind, name)


@pytest.mark.parametrize(
    ("where", "bounded"),
    [
        ("id = 3", True),
        ("rowid = 3", True),
        ("orders.id = ?", True),
        ("id IN (1, 2) AND status = 'x'", True),
        ("status = 'a' AND note = 'b'", True),
        ("status = 'a'", False),
        ("id = 3 OR status = 'x'", False),
        ("id > 3", False),
        ("id = note", False),
        ("id BETWEEN 1 AND 3", False),
        ("note BETWEEN 'a' AND 'b' AND id = 1", True),
    ],
)
def test_a_where_that_pins_a_key_bounds_the_statement(where: str, bounded: bool) -> None:
    operation = resolved(f"UPDATE orders SET note = 1 WHERE {where}")
    assert isinstance(operation, Update)
    assert operation.bounded is bounded


@pytest.mark.parametrize(("where", "bounded"), [("a = 1", True), ("b = 1", False)])
def test_a_partial_index_pins_nothing(where: str, bounded: bool) -> None:
    assert resolved(f"DELETE FROM plain WHERE {where}").bounded is bounded


def test_a_constraint_is_found_without_regard_to_case() -> None:
    known = catalog("CREATE TABLE t(A INT, CONSTRAINT Positive CHECK (a > 0))")
    assert resolved("ALTER TABLE T DROP CONSTRAINT POSITIVE", known).name == "Positive"
    added = resolved("ALTER TABLE t ADD UNIQUE (a)", known)
    assert isinstance(added, AddConstraint)
    assert added.constraint.columns == ("A",)


def test_what_is_not_read_says_which_relations_it_mentions() -> None:
    operation = resolved("EXPLAIN SELECT * FROM orders, 'seen'")
    assert isinstance(operation, RawSql)
    assert [name.text for name in operation.relations] == ["main.Orders", "main.seen"]
    assert mentioned("SELECT 'open", SHOP) == ()
