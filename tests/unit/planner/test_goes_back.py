"""What is said before a run is taken back: the tables and columns that go again, none of ours."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))
import planning
from driftflow.reports.goes_back import lost_with_it

CHANGES = (
    'CREATE TABLE "odd ""name" (id int); ALTER TABLE orders ADD COLUMN note text; ALTER TABLE orders ADD COLUMN "select" int;'
    "CREATE INDEX orders_note ON orders (note);"
)


@pytest.mark.parametrize(("name", "schema"), [("postgresql", "public."), ("sqlite", "")])
def test_tables_and_columns_that_the_plan_made(name: str, schema: str) -> None:
    plan = planning.plan_of(CHANGES, planning.named(name))
    assert lost_with_it(plan) == (f'{schema}odd "name', f"{schema}orders.note", f"{schema}orders.select")


@pytest.mark.parametrize("name", ["mysql", "mariadb"])
def test_backticks_and_clauses(name: str) -> None:
    plan = planning.plan_of(
        "ALTER TABLE orders ADD COLUMN `a``b` int, ADD COLUMN c int; CREATE TABLE t (id int);", planning.named(name)
    )
    assert sorted(lost_with_it(plan)) == ["shop.orders.a`b", "shop.orders.c", "shop.t"]


def test_forms_of_ours_are_nobody_s_loss() -> None:
    mysql = planning.named("mysql")
    assert lost_with_it(planning.plan_of("ALTER TABLE orders MODIFY total_cents decimal(30, 2);", mysql)) == ()
