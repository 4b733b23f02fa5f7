"""Which copies of a table are made between LOCK TABLES and UNLOCK TABLES, and what a plan says of those that are not."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))
import planning
from driftflow.config import Policy
from driftflow.dialects.walk import situations
from driftflow.model.catalog import Catalog
from driftflow.model.names import Version
from driftflow.model.plan import RunSql, UndoSteps
from driftflow.strategies.recipe import Recipe

SHOP = """
CREATE TABLE parent (id INT PRIMARY KEY, up INT, v INT NOT NULL DEFAULT 0, CONSTRAINT up_fk FOREIGN KEY (up) REFERENCES parent (id));
CREATE TABLE child (id INT PRIMARY KEY, p INT, q INT, CONSTRAINT c_p FOREIGN KEY (p) REFERENCES parent (id), CONSTRAINT c_q FOREIGN KEY (q) REFERENCES parent (id));
CREATE TABLE grand (id INT PRIMARY KEY, c INT, CONSTRAINT g_c FOREIGN KEY (c) REFERENCES child (id));
CREATE TRIGGER own BEFORE INSERT ON parent FOR EACH ROW SET NEW.v = NEW.v + 0;
CREATE TABLE selfish (id INT PRIMARY KEY, up INT, v INT, CONSTRAINT s_up FOREIGN KEY (up) REFERENCES selfish (id));
"""
# Its own trigger keeps the parent from being rebuilt beside itself.
WIDER = "ALTER TABLE parent MODIFY v BIGINT NOT NULL DEFAULT 0"


def shop(dialect: str = "mariadb", rows: int = 100, version: str = "10.11.6") -> Catalog:
    return planning.catalog_of(
        SHOP,
        planning.named(dialect),
        version=Version.parse(version),
        rows=dict.fromkeys(("parent", "child", "grand", "selfish"), rows),
    )


def steps(sql: str, catalog: Catalog) -> list[RunSql]:
    plan = planning.plan_of(sql, planning.named(catalog.vendor), catalog=catalog, policy=Policy())
    return [one for one in plan.steps if isinstance(one, RunSql)]


def step(sql: str, catalog: Catalog) -> RunSql:
    (found,) = steps(sql, catalog)
    return found


def test_a_small_table_is_locked_with_all_that_reference_it_forth_and_back() -> None:
    found = step(WIDER, shop())
    assert found.lock_tables == "LOCK TABLES shop.parent WRITE, shop.child WRITE" and found.resolves == ("DF675",)
    assert found.script == (found.lock_tables, WIDER, "UNLOCK TABLES")
    assert {claim.relation.name for claim in found.claims if "reads" in claim.blocks} == {"parent", "child"}
    assert "child" in found.purpose
    assert isinstance(found.undo, UndoSteps)
    (back,) = found.undo.steps
    assert isinstance(back, RunSql) and back.lock_tables == found.lock_tables


@pytest.mark.parametrize("version", ["10.11.6", "11.8.2"])
@pytest.mark.parametrize("sql", [WIDER, f"{WIDER}, ALGORITHM=COPY"])
def test_beside_the_copy_of_a_large_one_writers_of_the_children_wait_by_triggers(version: str, sql: str) -> None:
    large = shop(rows=2_000_000, version=version)
    found = steps(sql, large)
    verbs = [one.statements[0].partition(" shop")[0] for one in found]
    assert verbs == ["CREATE TRIGGER"] * 2 + [verbs[2]] + ["DROP TRIGGER"] * 2 and "ALTER TABLE" in verbs[2]
    assert [one.lock_tables for one in found] == [""] * 5 and "1452" not in found[2].purpose and found[2].resolves == ("DF675",)
    assert {claim.relation.name for one in found[:2] for claim in one.claims} == {"child"}
    assert step(f"-- driftflow: small\n{sql}", large).lock_tables


def test_another_recipe_says_what_writers_meet() -> None:
    """Its copy is one step of many, and has no triggers for the children."""
    catalog = shop(rows=2_000_000)
    dialect = planning.named("mariadb")
    at = next(iter(situations([planning.migration_of(WIDER, dialect)], catalog=catalog, dialect=dialect, policy=Policy())))
    found = Recipe(at, "other").alone(at.operation, purpose="Copy")
    assert "writers of child fail with 1452" in found.purpose


@pytest.mark.parametrize(
    "sql",
    [
        f'-- driftflow: as-is reason="the application is stopped"\n{WIDER}',
        "ALTER TABLE selfish MODIFY v BIGINT",
        "ALTER TABLE grand FORCE, ALGORITHM=COPY",
        "ALTER TABLE parent FORCE",
        "OPTIMIZE TABLE parent",
        "ALTER TABLE parent ADD COLUMN w INT",
        "ALTER TABLE parent ADD INDEX v_idx (v)",
    ],
)
def test_what_needs_no_locks_gets_none(sql: str) -> None:
    assert step(sql, shop()).lock_tables == ""


def test_mysql_locks_the_children_by_itself() -> None:
    assert step(WIDER, shop("mysql", version="9.7.0")).lock_tables == ""
