"""What a step that makes or drops a trigger on MySQL says it may lock beside the trigger's table. No server."""

from __future__ import annotations

import re

import pytest

import planning
from driftflow.dialects.base import Dialect
from driftflow.model.catalog import Catalog
from driftflow.model.names import Name, Version
from driftflow.model.plan import LockedWhenFree, Plan, RunSql, Step, UndoSteps
from driftflow.model.record import replace
from driftflow.strategies.rebuild.paired_steps import run_where, texts_run

MYSQL, MARIADB = planning.named("mysql"), planning.named("mariadb")
NOTED = "CREATE TRIGGER {} AFTER INSERT ON orders FOR EACH ROW INSERT INTO {} VALUES ();"
WRITTEN = "SHARED_NO_READ_WRITE"
CASCADES = """
CREATE TABLE makers (id int PRIMARY KEY);
CREATE TABLE models (id int PRIMARY KEY, maker int, n int NOT NULL, CONSTRAINT made_by FOREIGN KEY (maker) REFERENCES makers (id) ON DELETE CASCADE);
CREATE TABLE parts (id int PRIMARY KEY, model int, CONSTRAINT part_of FOREIGN KEY (model) REFERENCES models (id));
"""
NUMBER = re.compile("_[0-9a-f]{6}$")
PARENTS = {"products": "SHARED_READ_ONLY", "users": "SHARED_READ_ONLY"}


def beside(step: Step) -> dict[str, str] | None:
    """Mode by table; None where nothing but the trigger is meant to be locked."""
    if not isinstance(step, RunSql) or step.locked_when_free is None:
        return None
    assert set(step.locked_when_free.beside) <= {one.relation for one in step.claims}
    return {one.relation.name: one.mode for one in step.claims if one.relation in step.locked_when_free.beside}


def made(plan: Plan, trigger: str) -> RunSql:
    (found,) = (one for one in plan.steps if isinstance(one, RunSql) and f"TRIGGER {trigger} " in one.statements[0])
    return found


def undone(step: Step) -> Step:
    assert isinstance(step.undo, UndoSteps)
    return step.undo.steps[0]


def test_what_is_there_before_the_statement_is_named_and_what_comes_with_it_is_not() -> None:
    schema = "CREATE TABLE log (id int AUTO_INCREMENT PRIMARY KEY);"
    plan = planning.plan_of(schema + NOTED.format("one", "log") + NOTED.format("two", "tenants"), MYSQL)
    one, two = made(plan, "one"), made(plan, "two")
    assert beside(one) == PARENTS
    assert one.locked_when_free == LockedWhenFree(
        sql="LOCK TABLES shop.orders WRITE, shop.products READ, shop.users READ",
        beside=tuple(claim.relation for claim in one.claims[1:]),
    )
    assert beside(two) == {**PARENTS, "log": WRITTEN}
    assert beside(undone(two)) == {**PARENTS, "log": WRITTEN, "tenants": WRITTEN}


def test_the_locks_are_a_part_of_what_the_digest_covers_and_of_what_the_plan_relies_on() -> None:
    plan = planning.plan_of(NOTED.format("one", "users"), MYSQL)
    steps = [replace(one, locked_when_free=None) if isinstance(one, RunSql) else one for one in plan.steps]
    assert replace(plan, steps=tuple(steps)).digest != plan.digest
    assert {"orders", "products", "users"} <= {name.name for name in plan.relations}


@pytest.mark.parametrize(
    "dialect, catalog",
    [
        pytest.param(MARIADB, planning.shop(MARIADB), id="MariaDB says at once that a lock is not free"),
        pytest.param(
            MYSQL, planning.shop(MYSQL, version=Version(major=5, minor=7)), id="before 8.0 nobody sees who holds a lock"
        ),
        pytest.param(MYSQL, replace(planning.shop(MYSQL), complete=False), id="planned from files alone"),
    ],
)
def test_elsewhere_the_trigger_is_all(dialect: Dialect, catalog: Catalog) -> None:
    plan = planning.plan_of(NOTED.format("one", "users"), dialect, catalog=catalog)
    assert [beside(one) for one in plan.steps] == [None] * len(plan.steps)


def test_more_than_are_ever_free_at_one_moment_are_not_named() -> None:
    many = "".join(
        f"CREATE TABLE c{n} (id int PRIMARY KEY, o bigint, FOREIGN KEY (o) REFERENCES orders (id));" for n in range(18)
    )
    shop = (planning.EXAMPLES / "shop" / "mysql.sql").read_text()
    plan = planning.plan_of(NOTED.format("one", "users"), MYSQL, catalog=planning.catalog_of(shop + many, MYSQL))
    assert beside(made(plan, "one")) is None


def test_a_rebuild_names_what_is_there_at_each_step_and_under_which_name() -> None:
    """The key of the copy comes by a prepared text; the forms change their names with the swap, and the triggers stay with the old one."""
    catalog = planning.catalog_of(CASCADES, MYSQL, rows={"makers": 100_000, "models": 1_000_000, "parts": 1_000_000})
    plan = planning.plan_of("ALTER TABLE models MODIFY n bigint NOT NULL;", MYSQL, catalog=catalog)
    named = {
        one.purpose: {NUMBER.sub("", name): mode for name, mode in found.items()} for one in plan.steps if (found := beside(one))
    }
    reads = {"makers": "SHARED_READ_ONLY", "parts": "SHARED_READ_ONLY"}
    log, copy = {"zzz_driftflow_log_models": WRITTEN}, {"zzz_driftflow_new_models": WRITTEN}
    events = [found for purpose, found in named.items() if "Note the keys of rows of models (trigger" in purpose]
    assert events == [reads, reads | log, reads | log]
    taken = [found for purpose, found in named.items() if "Take away the trigger zzz_driftflow_note_models" in purpose]
    assert taken[0] == reads | log | copy
    new = next(found for purpose, found in named.items() if "Note the keys of rows of zzz_driftflow_new_models" in purpose)
    assert new == {"makers": "SHARED_READ_ONLY"}
    old = next(found for purpose, found in named.items() if "Take away the trigger zzz_driftflow_copy_models" in purpose)
    assert old == {"makers": "SHARED_READ_ONLY"} | log
    swap = next(one for one in plan.steps if one.purpose.startswith("Swap"))
    assert isinstance(swap.undo, UndoSteps)
    back = [found for one in swap.undo.steps if (found := beside(one)) and "_back_" in one.statements[0]]
    assert [{NUMBER.sub("", name) for name in found} for found in back][:2] == [
        {"zzz_driftflow_back_models", "makers", "parts"},
        {"zzz_driftflow_back_models", "makers", "parts", "zzz_driftflow_old_models"},
    ]


def test_the_text_of_a_statement_that_runs_where_something_holds() -> None:
    text = "ALTER TABLE t ADD CONSTRAINT `it's` CHECK (a IN ('x', 'DO 0', 'y\\'))"
    statements = run_where("EXISTS (SELECT 1 FROM u WHERE v = 'w')", text)
    assert list(texts_run(("DO 1", *statements, "DO 2"))) == ["DO 1", text, "DO 2"]


def test_writers_are_kept_out_of_a_table_that_no_key_ties_to_another() -> None:
    schema = "CREATE TABLE log (id int AUTO_INCREMENT PRIMARY KEY); CREATE TABLE notes (id int PRIMARY KEY);"
    noted = NOTED.replace("ON orders", "ON notes")
    plan = planning.plan_of(schema + noted.format("one", "log") + noted.format("two", "log"), MYSQL)
    locks = [made(plan, name).locked_when_free for name in ("one", "two")]
    assert locks[0] is not None and locks[0].door is None  # alone: nothing is waited for while it is held
    assert locks[1] is not None and locks[1].door == Name(schema="shop", name="notes")
    assert locks[1].sql == "LOCK TABLES shop.log WRITE, shop.notes WRITE"
