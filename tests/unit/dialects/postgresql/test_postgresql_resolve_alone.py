"""resolve without a server: what an unknown or incomplete catalog leaves, and that resolving twice changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from driftflow.dialects.postgresql import PostgreSQL
from driftflow.dialects.postgresql.parse import operations_of
from driftflow.dialects.source_text import SourceText
from driftflow.model.catalog import (
    Catalog,
    Check,
    Column,
    ForeignKey,
    Index,
    IndexPart,
    PrimaryKey,
    Sequence,
    Table,
    TypeDefinition,
)
from driftflow.model.names import Name, Version
from driftflow.model.operations import CreateTable, DropIndex, SetNotNull, Update

DIALECT = PostgreSQL()
CORPUS = Path(__file__).parents[3] / "property" / "postgresql_statements.sql"


def n(text: str) -> Name:
    schema, _, name = text.rpartition(".")
    return Name(schema=schema, name=name)


def catalog(*tables: Table, **more) -> Catalog:
    return Catalog(vendor="postgresql", tables={table.name.text: table for table in tables}, **more)


def resolved(sql: str, known: Catalog):
    (operation,) = operations_of(sql)
    return DIALECT.resolve(operation, known)


ORDERS = Table(
    name=n("app.orders"),
    columns=(Column(name="id", type="bigint", nullable=False), Column(name="code", type="text")),
    constraints=(PrimaryKey(name="orders_pkey", columns=("id",)), Check(name="t_code_check", expression="code <> ''")),
    indexes=(Index(name=n("app.orders_code"), table=n("app.orders"), parts=(IndexPart(column="code"),), unique=True),),
)


@pytest.mark.parametrize("version", [None, Version(major=16), Version(major=18)])
@pytest.mark.parametrize("complete", [False, True])
def test_resolving_twice_changes_nothing(version: Version | None, complete: bool) -> None:
    known = catalog(ORDERS, complete=complete, version=version, search_path=("app", "public"))
    for statement in DIALECT.split(SourceText(CORPUS.read_text(encoding="utf-8"), CORPUS.name)):
        for operation in DIALECT.parse(statement).operations:
            once = DIALECT.resolve(operation, known)
            assert DIALECT.resolve(once, known) == once
            assert DIALECT.render(once)


def test_the_search_path_decides() -> None:
    known = catalog(ORDERS, search_path=('"$user"', "public", "app"))
    assert resolved("ALTER TABLE orders ADD COLUMN a int", known).table == n("app.orders")
    assert resolved("ALTER TABLE unknown ADD COLUMN a int", known).table == n("public.unknown")
    assert resolved("CREATE TABLE orders (a int)", known).table.name == n("public.orders")
    assert resolved("CREATE TEMP TABLE orders (a int)", known).table.name == n("pg_temp.orders")
    assert resolved("ALTER TABLE s.orders ADD COLUMN a int", known).table == n("s.orders")


def test_without_a_search_path_it_is_public() -> None:
    assert resolved("TRUNCATE a, s.b", catalog(complete=False)).tables == (n("public.a"), n("s.b"))


def test_indexes_know_their_table() -> None:
    operation = resolved("DROP INDEX orders_code", catalog(ORDERS, search_path=("app",)))
    assert isinstance(operation, DropIndex)
    assert (operation.name, operation.table) == (n("app.orders_code"), n("app.orders"))


def test_a_foreign_key_finds_the_primary_key_or_leaves_it_open() -> None:
    known = catalog(ORDERS, search_path=("app",), complete=False)
    (key,) = resolved("CREATE TABLE t (o bigint REFERENCES orders)", known).table.constraints
    assert isinstance(key, ForeignKey)
    assert (key.name, key.referenced, key.referenced_columns) == ("t_o_fkey", n("app.orders"), ("id",))
    (open_key,) = resolved("CREATE TABLE t (o bigint REFERENCES nowhere)", known).table.constraints
    assert isinstance(open_key, ForeignKey)
    assert (open_key.referenced, open_key.referenced_columns) == (n("app.nowhere"), ())


def test_names_are_numbered_against_the_whole_schema() -> None:
    known = catalog(ORDERS, search_path=("app",))
    (check,) = resolved("CREATE TABLE t (code text CHECK (code <> 'x'))", known).table.constraints
    assert check.name == "t_code_check1"
    assert resolved("CREATE INDEX ON orders (code)", known).index.name == n("app.orders_code_idx")


def test_like_waits_for_a_table_that_is_not_known() -> None:
    operation = resolved("CREATE TABLE t (a int, LIKE nowhere INCLUDING ALL)", catalog(complete=False))
    assert isinstance(operation, CreateTable)
    assert operation.like == ((n("public.nowhere"), ("ALL",)),)
    assert operation.like_positions == (1,)


def test_if_exists_is_cleared_where_the_table_is() -> None:
    known = catalog(ORDERS, search_path=("app",))
    assert not resolved("ALTER TABLE IF EXISTS orders DROP COLUMN code", known).table_if_exists
    assert resolved("ALTER TABLE IF EXISTS nowhere DROP COLUMN code", known).table_if_exists


def test_not_null_gets_its_name_from_18_on() -> None:
    for version, name in ((17, ""), (18, "orders_code_not_null")):
        operation = resolved(
            "ALTER TABLE orders ALTER code SET NOT NULL", catalog(ORDERS, search_path=("app",), version=Version(major=version))
        )
        assert isinstance(operation, SetNotNull)
        assert operation.constraint_name == name


def test_a_unique_key_bounds_a_change() -> None:
    known = catalog(ORDERS, search_path=("app",))
    for where, bounded in (("code = 'x'", True), ("code > 'x'", False), ("code = 'x' OR id = 1", False)):
        operation = resolved(f"UPDATE orders SET id = 1 WHERE {where}", known)
        assert isinstance(operation, Update)
        assert operation.bounded is bounded


def test_types_and_sequences_are_spelled_with_their_schema() -> None:
    known = catalog(
        search_path=("app",),
        types={"app.mood": TypeDefinition(name=n("app.mood"), kind="enum")},
        sequences={"app.s": Sequence(name=n("app.s"))},
    )
    table = resolved(
        "CREATE TABLE t (m mood[] DEFAULT '{}'::mood[], n varchar(3)[], i int DEFAULT nextval('s'), k serial)", known
    ).table
    assert [column.type for column in table.columns] == ["app.mood[]", "character varying(3)[]", "integer", "integer"]
    assert [column.default for column in table.columns] == [
        "'{}'::app.mood[]",
        None,
        "nextval('app.s'::regclass)",
        "nextval('app.t_k_seq'::regclass)",
    ]
