"""As test_plan_equals_naive.py, on MySQL and MariaDB: the plan of a migration of the shop ends where its statements end, and its rollback where it began."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from recipes.rig import Database, apply, gates, take_back

import planning
from driftflow.dialects.registry import dialect_named
from driftflow.lab import mysql
from driftflow.plugins import discover

SEED = (
    "INSERT INTO tenants (id, name) WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 7)"
    " SELECT concat('t', n), concat('tenant ', n) FROM s;"
    "INSERT INTO users (tenant_id, email, totp_seed) WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 300)"
    " SELECT concat('t', n % 7 + 1), concat('user', n, '@example.org'), CASE WHEN n % 10 = 0 THEN concat('SEED', n) END FROM s;"
    "INSERT INTO products (sku, name, price_cents) WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 200)"
    " SELECT concat('SKU-', lpad(n, 5, '0')), concat('thing ', n), n * 7 FROM s;"
    "INSERT INTO orders (user_id, product_id, quantity, total_cents, status)"
    " WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 900)"
    " SELECT n % 300 + 1, n % 200 + 1, n % 5 + 1, n % 1000, CASE WHEN n % 3 = 0 THEN 'old' ELSE 'new' END FROM s;"
)
STATEMENTS = {
    "constant default": "ALTER TABLE products ADD COLUMN inventory_count integer DEFAULT 0;",
    "nullable": "ALTER TABLE users ADD COLUMN nickname varchar(255);",
    "index": "CREATE INDEX orders_status_idx ON orders (status, created_at);",
    "unique index": "CREATE UNIQUE INDEX products_name_key ON products (name);",
    "drop index": "DROP INDEX sku ON products;",
    "update all": "UPDATE orders SET status = 'seen';",
    "update some": "UPDATE orders SET quantity = quantity + 1 WHERE status = 'old';",
    "delete some": "DELETE FROM orders WHERE status = 'old';",
    "join update": "UPDATE orders o JOIN users u ON u.id = o.user_id SET o.status = 'seed' WHERE u.totp_seed IS NOT NULL;",
    "new table": "CREATE TABLE notes (id integer PRIMARY KEY, body varchar(20) NOT NULL); INSERT INTO notes VALUES (1, 'x'); CREATE INDEX notes_body ON notes (body);",
    "view": "CREATE VIEW open_orders AS SELECT id, status FROM orders WHERE status = 'new';",
    "drop column": "ALTER TABLE products DROP COLUMN name;",
    "rename column": "ALTER TABLE products RENAME COLUMN name TO title;",
    "not null": "ALTER TABLE users ADD COLUMN flag BOOLEAN DEFAULT FALSE; ALTER TABLE users MODIFY flag BOOLEAN NOT NULL DEFAULT FALSE;",
    "drop not null": "ALTER TABLE orders MODIFY status varchar(32) DEFAULT 'new';",
    "check": "ALTER TABLE orders ADD CONSTRAINT total CHECK (total_cents >= 0);",
    "drop check": "ALTER TABLE orders DROP CONSTRAINT orders_quantity_check;",
    "foreign key": "ALTER TABLE orders ADD COLUMN seller bigint; ALTER TABLE orders ADD CONSTRAINT seller FOREIGN KEY (seller) REFERENCES users (id) ON DELETE SET NULL;",
    "unique": "ALTER TABLE products ADD CONSTRAINT products_name_unique UNIQUE (name);",
    "several clauses": "ALTER TABLE orders ADD COLUMN ticket varchar(20) UNIQUE, ADD COLUMN weight integer CHECK (weight > 0), ALTER COLUMN status SET DEFAULT 'x';",
    "type": "ALTER TABLE users MODIFY email varchar(250) NOT NULL;",
    "stored": "ALTER TABLE orders ADD COLUMN doubled integer GENERATED ALWAYS AS (total_cents * 2) STORED;",
    "virtual": "ALTER TABLE orders ADD COLUMN doubled integer GENERATED ALWAYS AS (total_cents * 2) VIRTUAL;",
    "comment": "ALTER TABLE orders COMMENT = 'what was bought';",
}
"""Not the naive form of examples/tenants: there the server makes the foreign key's index itself and drops it again when a wider one comes; the plan
builds that index by name before it binds the key, and it stays."""


@pytest.fixture
def pair(mysql_server: mysql.Server) -> Iterator[tuple[Database, Database]]:
    """Two shops with the same rows."""
    urls = [mysql_server.create_database() for _ in range(2)]
    dialect = dialect_named(mysql_server.flavour)
    made = [Database(url, dialect) for url in urls]
    for database in made:
        database.run((planning.EXAMPLES / "shop" / "mysql.sql").read_text() + SEED)
    yield made[0], made[1]
    for url in urls:
        mysql_server.drop_database(url)


AT = ("created_at", "updated_at")


@pytest.mark.parametrize("name", STATEMENTS)
def test_a_migration_of_the_shop(name: str, pair: tuple[Database, Database]) -> None:
    naive, careful = pair
    before = careful.structure(), careful.rows(AT)
    plan = careful.plan(STATEMENTS[name])
    report = apply(plan, careful, open_gates=gates(plan))
    assert report.state == "done", report
    naive.run(STATEMENTS[name])
    assert careful.structure() == naive.structure()
    assert careful.rows(AT) == naive.rows(AT)
    if not plan.point_of_no_return:
        assert take_back(report.run, careful, open_gates=gates(plan)).state == "rolled_back"
        assert (careful.structure(), careful.rows(AT)) == before


@pytest.mark.parametrize("example", ["inventory", "two_factor", "tenants"])
def test_an_enhanced_example(example: str, pair: tuple[Database, Database], monkeypatch: pytest.MonkeyPatch) -> None:
    """Every step of it, its own verification among them; then all the way back."""
    database = pair[1]
    folder = planning.EXAMPLES / example / "mysql" / "enhanced"
    if not folder.is_dir():
        folder = planning.EXAMPLES / example / database.dialect.name / "enhanced"
    monkeypatch.chdir(folder)
    monkeypatch.setitem(os.environ, "TWO_FACTOR_KEY", "5a" * 32)
    before = database.structure(), database.rows(AT)
    plan = planning.plan_folder(folder, database.dialect, catalog=database.catalog())
    assert not plan.point_of_no_return
    report = apply(plan, database, open_gates=gates(plan), folder=folder)
    assert report.state == "done", report
    assert take_back(report.run, database, open_gates=gates(plan), folder=folder).state == "rolled_back"
    assert (database.structure(), database.rows(AT)) == before


@pytest.mark.parametrize("name", ["foreign key", "unique", "constant default"])
def test_the_plan_as_sql_runs_by_itself(name: str, pair: tuple[Database, Database]) -> None:
    """What `driftflow show --format sql` prints is a script of this server: its own words for timeouts and settings."""
    naive, careful = pair
    report = discover("report").get("report", "sql")
    assert report is not None
    careful.run(report.value(careful.plan(STATEMENTS[name])))
    naive.run(STATEMENTS[name])
    assert careful.structure() == naive.structure()
