"""An operation and its inverse leave the catalog as it was; what has no inverse says why, by name."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))
import planning
from driftflow.dialects.walk import situations
from driftflow.model.catalog import Catalog, structure
from driftflow.model.plan import Irreversible, UndoNothing
from driftflow.model.record import replace
from driftflow.strategies.inverses.inverse import inverse
from driftflow.strategies.inverses.inverse_alter import widens

POSTGRESQL = planning.named("postgresql")
MORE = """
CREATE VIEW open_orders AS SELECT id FROM orders WHERE status = 'new';
CREATE TYPE mood AS ENUM ('good', 'bad');
CREATE SEQUENCE counter;
CREATE TABLE lonely (id int);
CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE POLICY own ON users USING (id = 1);
"""
REVERSIBLE = [
    "ALTER TABLE orders ADD COLUMN a int",
    "ALTER TABLE orders RENAME COLUMN status TO state",
    "ALTER TABLE orders ALTER COLUMN status SET DEFAULT 'x'",
    "ALTER TABLE orders ALTER COLUMN status DROP DEFAULT",
    "ALTER TABLE users ALTER COLUMN totp_seed SET NOT NULL",
    "ALTER TABLE orders ALTER COLUMN status DROP NOT NULL",
    "ALTER TABLE products ALTER COLUMN price_cents TYPE bigint",
    "ALTER TABLE products ALTER COLUMN price_cents TYPE bigint USING (price_cents::bigint)",
    "ALTER TABLE orders ADD CONSTRAINT c CHECK (total_cents > 0)",
    "ALTER TABLE orders ADD CONSTRAINT f FOREIGN KEY (user_id) REFERENCES users (id)",
    "ALTER TABLE orders DROP CONSTRAINT orders_quantity_check",
    "ALTER TABLE products DROP CONSTRAINT products_sku_key",
    "ALTER TABLE orders RENAME CONSTRAINT orders_quantity_check TO q",
    "CREATE INDEX i ON orders (status)",
    "DROP INDEX orders_user_id_idx",
    "ALTER INDEX orders_user_id_idx RENAME TO o",
    "CREATE TABLE t (id int)",
    "ALTER TABLE orders RENAME TO bought",
    "DROP VIEW open_orders",
    "CREATE VIEW v AS SELECT id FROM users",
    "CREATE TYPE t2 AS ENUM ('a')",
    "ALTER TYPE mood RENAME VALUE 'good' TO 'fine'",
    "CREATE SEQUENCE s",
    "DROP FUNCTION one()",
    "CREATE OR REPLACE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 2'",
    "CREATE POLICY p ON orders USING (true)",
    "DROP POLICY own ON users",
    "ALTER TABLE orders ENABLE ROW LEVEL SECURITY",
    "CREATE SCHEMA audit",
    "COMMENT ON COLUMN orders.status IS 'x'",
]
NEVER = {
    "ALTER TABLE products ALTER COLUMN price_cents TYPE bigint USING price_cents + 1": "alter_column_type public.products.price_cents",
    "ALTER TABLE products ALTER COLUMN price_cents TYPE bigint USING price_cents::smallint": "alter_column_type public.products.price_cents",
    "ALTER TABLE products DROP COLUMN name": "drop_column public.products.name",
    "DROP TABLE lonely": "drop_table public.lonely",
    "ALTER TABLE orders ALTER COLUMN total_cents TYPE smallint": "alter_column_type public.orders.total_cents",
    "UPDATE orders SET status = 'x'": "update public.orders 001#1",
    "DELETE FROM orders": "delete public.orders 001#1",
    "INSERT INTO tenants (id, name) VALUES ('0', 'x')": "insert public.tenants 001#1",
    "TRUNCATE orders": "truncate public.orders",
    "DROP SEQUENCE counter": "drop_sequence public.counter",
    "DO 'BEGIN END'": "run_code 001#1",
}
NOTHING = [
    "ALTER TYPE mood ADD VALUE 'so so'",
    "ANALYZE orders",
    "SET search_path TO public",
    "CREATE TABLE IF NOT EXISTS orders (id int)",
]


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return planning.catalog_of((planning.EXAMPLES / "shop/postgresql.sql").read_text() + MORE, POSTGRESQL)


def only_situation(sql: str, catalog: Catalog):
    migration = planning.migration_of(sql, POSTGRESQL)
    [at] = situations([migration], catalog=catalog, dialect=POSTGRESQL, policy=planning.POLICY)
    assert not at.conflict
    return at


def comparable(catalog: Catalog) -> object:
    """Order of columns aside: a dropped default comes back, a dropped view too, in another place of nothing that matters."""
    tables = {name: structure(table) for name, table in catalog.tables.items()}
    indexes_free = {name: replace(table, new=False) for name, table in tables.items()}
    return indexes_free, catalog.views, catalog.sequences, catalog.routines, catalog.types, sorted(catalog.schemas)


@pytest.mark.parametrize("sql", REVERSIBLE)
def test_there_and_back(sql: str, catalog: Catalog) -> None:
    at = only_situation(sql, catalog)
    back = inverse(at.operation, catalog, at)
    assert isinstance(back, tuple)
    assert back
    there = catalog.after(at.operation)
    assert comparable(there) != comparable(catalog)
    assert comparable(there.after_all(back)) == comparable(catalog)
    for operation in back:
        assert POSTGRESQL.render(operation)


@pytest.mark.parametrize("sql", NEVER)
def test_what_cannot_come_back_has_a_name(sql: str, catalog: Catalog) -> None:
    at = only_situation(sql, catalog)
    back = inverse(at.operation, catalog, at)
    assert isinstance(back, Irreversible)
    assert back.name == NEVER[sql]
    assert back.reason


@pytest.mark.parametrize("sql", NOTHING)
def test_nothing_to_take_back_says_why(sql: str, catalog: Catalog) -> None:
    at = only_situation(sql, catalog)
    back = inverse(at.operation, catalog, at)
    assert isinstance(back, UndoNothing)
    assert back.reason


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("integer", "bigint", True),
        ("bigint", "integer", False),
        ("character varying(10)", "character varying(20)", True),
        ("character varying(20)", "character varying(10)", False),
        ("character varying(20)", "text", True),
        ("text", "character varying(20)", False),
        ("numeric(10,2)", "numeric(12,4)", True),
        ("numeric(10,2)", "numeric(11,4)", False),
        ("numeric(10,2)", "numeric(12,2)", True),
        ("numeric(10,2)", "numeric(12,1)", False),
        ("numeric(10)", "numeric(12,2)", True),
        ("numeric(10,2)[]", "numeric(12,4)[]", False),
        ("character varying(5)[]", "character varying(9)[]", True),
        ("numeric(10,2)", "numeric(20)", False),
        ("timestamp(6) without time zone", "timestamp(3) without time zone", False),
        ("numeric(10,2)", "numeric", True),
        ("text", "jsonb", False),
    ],
)
def test_widening_loses_nothing(old: str, new: str, expected: bool) -> None:
    assert widens(old, new) is expected
