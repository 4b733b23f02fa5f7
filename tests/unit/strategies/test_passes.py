"""Which clauses of a statement of MySQL or MariaDB share a pass, and what each pass is held to. No server: those are in tests/databases."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))
import planning
from driftflow.config import Policy
from driftflow.dialects.base import Dialect
from driftflow.dialects.mysql import MySQL
from driftflow.model.catalog import TableStatistics
from driftflow.model.names import Version
from driftflow.model.plan import Backfill, Gate, Plan, RunSql, UndoSteps
from driftflow.model.record import replace

MYSQL, MARIADB = planning.named("mysql"), planning.named("mariadb")


@pytest.fixture(autouse=True)
def planned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MySQL, "plans", True, raising=False)


def statements(plan: Plan) -> list[str]:
    return [sql for step in plan.steps if isinstance(step, RunSql) for sql in step.statements]


def test_what_the_dictionary_alone_can_do_stands_apart() -> None:
    """In one statement the index would make the server write the whole table anew."""
    text = "ALTER TABLE orders ADD COLUMN a int, ADD COLUMN b int DEFAULT 3, ADD INDEX ab (a, b), ADD INDEX st (status);"
    assert statements(planning.plan_of(text, MYSQL)) == [
        "ALTER TABLE shop.orders ADD COLUMN a int, ADD COLUMN b int DEFAULT 3, ALGORITHM=INSTANT",
        "ALTER TABLE shop.orders ADD KEY ab (a, b), ADD KEY st (status), ALGORITHM=INPLACE, LOCK=NONE",
    ]
    assert statements(planning.plan_of(text, MARIADB))[1].endswith("ALGORITHM=NOCOPY, LOCK=NONE")


def test_one_pass_where_apart_would_leave_a_gap() -> None:
    text = "ALTER TABLE products DROP INDEX name_sku, ADD UNIQUE KEY name_price (name, price_cents), ADD COLUMN extra int;"
    shop = planning.shop(MYSQL)
    made = planning.migration_of("CREATE UNIQUE INDEX name_sku ON products (name, sku);", MYSQL).statements[0].operations[0]
    catalog = shop.after(MYSQL.resolve(made, shop))
    assert len(statements(planning.plan_of(text, MYSQL, catalog=catalog))) == 1


def test_columns_keep_their_order_or_the_statement_stays_whole() -> None:
    """The stored column is copied, the plain one is instant; apart they would change places."""
    text = "ALTER TABLE orders ADD COLUMN doubled int AS (quantity * 2) STORED, ADD COLUMN plain int;"
    plan = planning.plan_of(text, MYSQL)
    assert statements(plan) == [
        "ALTER TABLE shop.orders ADD COLUMN doubled int AS (quantity * 2) STORED, ALGORITHM=COPY, LOCK=SHARED",
        "ALTER TABLE shop.orders ADD COLUMN plain int, ALGORITHM=INSTANT",
    ]
    assert "writers wait until it is done" in plan.steps[0].purpose


@pytest.mark.parametrize("ask", ["ALGORITHM=INPLACE, LOCK=NONE", "LOCK=SHARED"])
def test_what_the_author_asks_for_stands(ask: str) -> None:
    text = f"ALTER TABLE orders ADD COLUMN a int, ADD INDEX (status), {ask};"
    assert statements(planning.plan_of(text, MYSQL)) == [text.removesuffix(";")]


def test_a_small_table_is_altered_as_it_stands() -> None:
    text = "ALTER TABLE orders ADD COLUMN a int, ADD INDEX (status);"
    assert statements(planning.plan_of(text, MYSQL, policy=Policy(small_table_rows=1_000_000))) == [text.removesuffix(";")]


def test_mysql_5_7_writes_the_table_anew_while_writers_go_on() -> None:
    catalog = planning.shop(MYSQL, version=Version(major=5, minor=7, patch=44))
    plan = planning.plan_of("ALTER TABLE orders ADD COLUMN a int;", MYSQL, catalog=catalog)
    assert statements(plan) == ["ALTER TABLE shop.orders ADD COLUMN a int, ALGORITHM=INPLACE, LOCK=NONE"]
    assert "written anew while writers go on" in plan.steps[0].purpose


def test_the_release_that_damaged_tables_is_not_asked_for_instant() -> None:
    catalog = planning.shop(MYSQL, version=Version(major=8, minor=0, patch=29))
    assert (
        "ALGORITHM=INPLACE, LOCK=NONE"
        in statements(planning.plan_of("ALTER TABLE orders ADD COLUMN a int;", MYSQL, catalog=catalog))[0]
    )


def test_without_a_row_version_left_the_table_is_written_anew() -> None:
    catalog = planning.shop(MYSQL, version=Version(major=8, minor=0, patch=36))
    full = TableStatistics(rows=200_000, row_versions=64, basis="information_schema.tables")
    catalog = catalog.with_table(replace(catalog.tables["shop.orders"], statistics=full))
    assert (
        "ALGORITHM=INPLACE, LOCK=NONE"
        in statements(planning.plan_of("ALTER TABLE orders ADD COLUMN a int;", MYSQL, catalog=catalog))[0]
    )


def test_each_statement_of_ddl_has_a_probe_and_an_undo_of_its_own() -> None:
    text = "ALTER TABLE orders ADD COLUMN a int, ADD KEY total (total_cents); CREATE VIEW v AS SELECT id FROM orders;"
    steps = [step for step in planning.plan_of(text, MARIADB).steps if isinstance(step, RunSql)]
    assert len(steps) == 3
    for step in steps:
        assert (step.transaction, len(step.statements)) == ("none", 1)
        assert step.probe is not None
        assert "information_schema" in step.probe.query
        assert isinstance(step.undo, UndoSteps)
        assert all(isinstance(back, RunSql) and back.transaction == "none" and back.probe for back in step.undo.steps)


def test_a_guard_does_not_ask_about_a_column_that_the_statement_adds() -> None:
    plan = planning.plan_of(
        "ALTER TABLE orders ADD COLUMN ticket varchar(20) UNIQUE;", MYSQL, policy=Policy(small_table_rows=1_000_000)
    )
    assert not plan.steps[0].guards


def test_a_counting_column_is_taken_back_in_one_statement() -> None:
    """Apart, the old column could not have AUTO_INCREMENT again: a table has one such column (error 1075)."""
    text = (
        "ALTER TABLE orders ADD COLUMN number bigint NOT NULL AUTO_INCREMENT, ADD UNIQUE KEY (number), MODIFY id bigint NOT NULL;"
    )
    *gate, step = planning.plan_of(text, MYSQL).steps
    assert [isinstance(one, Gate) for one in gate] == [True], "an INSERT without the old number fails from then on"
    assert isinstance(step.undo, UndoSteps)
    assert len(step.undo.steps) == 1


@pytest.mark.parametrize(
    ("dialect", "default"), [(MYSQL, "(1 + 2)"), (MARIADB, "(quantity + 1)")], ids=["mysql-expression", "mariadb-other-column"]
)
def test_a_default_for_which_the_server_copies_is_not_asked_for_instant(dialect: Dialect, default: str) -> None:
    """Measured on 9.7, 10.11 and 11.8: INSTANT is refused."""
    plan = planning.plan_of(f"ALTER TABLE orders ADD COLUMN copied int DEFAULT {default};", dialect)
    assert statements(plan)[0] == "ALTER TABLE shop.orders ADD COLUMN copied int, ALGORITHM=INSTANT"
    assert any(isinstance(step, Backfill) for step in plan.steps)


@pytest.mark.parametrize("dialect", [MYSQL, MARIADB], ids=lambda dialect: dialect.name)
def test_the_index_of_a_foreign_key_without_a_name_is_called_as_the_server_would(dialect: Dialect) -> None:
    plan = planning.plan_of(
        "ALTER TABLE orders ADD COLUMN seller bigint, ADD FOREIGN KEY (seller) REFERENCES users (id);", dialect
    )
    assert "ADD KEY seller (seller)" in statements(plan)[1]
