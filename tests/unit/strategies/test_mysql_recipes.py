"""The recipes of MySQL and MariaDB as steps, on the shop's catalog. No server: those are in tests/databases."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))
import planning
from driftflow.config import Policy
from driftflow.dialects.base import Dialect
from driftflow.dialects.mysql import MySQL
from driftflow.model.names import Version
from driftflow.model.plan import Backfill, Gate, Plan, RunSql, Verify

MYSQL, MARIADB = planning.named("mysql"), planning.named("mariadb")
BOTH = pytest.mark.parametrize("dialect", [MYSQL, MARIADB], ids=lambda dialect: dialect.name)


@pytest.fixture(autouse=True)
def planned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MySQL, "plans", True, raising=False)


def kinds(plan: Plan) -> list[str]:
    return [type(step).__name__ for step in plan.steps]


def statements(plan: Plan) -> list[str]:
    return [sql for step in plan.steps if isinstance(step, RunSql) for sql in step.statements]


@BOTH
def test_not_null_without_a_default_says_what_the_server_would_put_there(dialect: Dialect) -> None:
    plan = planning.plan_of("ALTER TABLE orders ADD COLUMN weight int NOT NULL, ADD INDEX (weight);", dialect)
    assert kinds(plan) == ["RunSql", "RunSql", "Gate", "RunSql"]
    assert statements(plan)[0] == "ALTER TABLE shop.orders ADD COLUMN weight int NOT NULL DEFAULT 0, ALGORITHM=INSTANT"
    assert "ADD KEY weight" in statements(plan)[1], "the index does not wait for the gate"
    assert statements(plan)[2] == "ALTER TABLE shop.orders ALTER COLUMN weight DROP DEFAULT, ALGORITHM=INSTANT"
    gate = plan.steps[2]
    assert isinstance(gate, Gate)
    assert "INSERTs of the old application leave out orders.weight" in gate.checklist


@BOTH
@pytest.mark.parametrize("type", ["date", "json"])
def test_not_null_without_a_value_that_could_stand_there_waits_and_asks(type: str, dialect: Dialect) -> None:
    plan = planning.plan_of(f"ALTER TABLE orders ADD COLUMN extra {type} NOT NULL;", dialect)
    assert kinds(plan) == ["RunSql", "Gate", "RunSql"]
    (guard,) = plan.steps[2].guards
    assert "have no extra" in guard.summary


def test_a_default_that_mysql_would_copy_or_refuse_is_given_in_chunks() -> None:
    plan = planning.plan_of("ALTER TABLE orders ADD COLUMN token varchar(36) NOT NULL DEFAULT (uuid());", MYSQL)
    assert kinds(plan) == ["RunSql", "RunSql", "Backfill", "RunSql"]
    assert "SET DEFAULT (uuid())" in statements(plan)[1]
    assert "COPY" not in " ".join(statements(plan))


@BOTH
def test_a_foreign_key_is_taken_on_trust_and_proved_by_a_read(dialect: Dialect) -> None:
    plan = planning.plan_of(
        "ALTER TABLE orders ADD COLUMN seller bigint, ADD CONSTRAINT seller FOREIGN KEY (seller) REFERENCES users (id);", dialect
    )
    assert kinds(plan) == ["RunSql", "RunSql", "RunSql", "Verify"]
    bind, proof = plan.steps[2:]
    assert isinstance(bind, RunSql)
    assert bind.settings == {"foreign_key_checks": "0"}
    assert "ALGORITHM=COPY" not in bind.statements[0]
    assert isinstance(proof, Verify)
    assert proof.expectations[0].walk is not None and proof.expectations[0].walk.key == ("id",)
    assert "NOT EXISTS (SELECT 1 FROM shop.users" in proof.expectations[0].query


@BOTH
def test_modify_to_not_null_is_guarded_and_goes_on_in_place(dialect: Dialect) -> None:
    plan = planning.plan_of(
        "-- driftflow: backfill column=totp_seed set=\"'none'\"\nALTER TABLE users MODIFY totp_seed varchar(255) NOT NULL;",
        dialect,
    )
    assert kinds(plan) == ["Backfill", "RunSql"]
    assert statements(plan)[0].endswith("ALGORITHM=INPLACE, LOCK=NONE")
    assert "have no totp_seed" in plan.steps[1].guards[0].summary


@BOTH
def test_a_backfill_does_not_touch_what_the_server_sets_by_itself(dialect: Dialect) -> None:
    plan = planning.plan_of(
        '-- driftflow: backfill column=note set="name"\nALTER TABLE products ADD COLUMN note varchar(190);', dialect
    )
    step = next(step for step in plan.steps if isinstance(step, Backfill))
    assert step.assignments == (("note", "name"), ("updated_at", "products.updated_at"))
    plain = planning.plan_of("UPDATE products SET price_cents = price_cents + 1;", dialect)
    assert plain.steps[0].assignments == (("price_cents", "price_cents + 1"),), "what the author wrote means what it says"


@BOTH
def test_both_triggers_of_a_dual_write_ask_first_whether_they_may_be_made(dialect: Dialect) -> None:
    plan = planning.plan_folder(planning.EXAMPLES / "tenants" / dialect.name / "enhanced", dialect)
    made = [step for step in plan.steps if step.strategy == "dual_write"]
    assert [step.statements[0].split(" BEFORE ")[1].split()[0] for step in made] == ["UPDATE", "INSERT"]
    assert all("log_bin_trust_function_creators" in step.guards[0].query for step in made)
    assert [step.phase for step in plan.steps if step.strategy == "retire_dual_write"] == ["contract", "contract"]


def test_the_guards_ask_nothing_that_mysql_5_7_does_not_know() -> None:
    queries = [
        query for query, _ in MYSQL.trigger_obstacles(planning.shop(MYSQL).tables["shop.orders"].name, Version(major=5, minor=7))
    ]
    assert all("CURRENT_ROLE" not in query for query in queries)


@BOTH
def test_names_that_look_like_an_alias_of_ours_stay_as_they_are(dialect: Dialect) -> None:
    catalog = planning.catalog_of(
        "CREATE DATABASE raw; CREATE TABLE raw.tags (id bigint PRIMARY KEY, name varchar(20));", dialect
    )
    said = "-- driftflow: duplicates quarantine\nCREATE UNIQUE INDEX tags_name ON raw.tags (name);"
    plan = planning.plan_of(said, dialect, catalog=catalog)
    (removal,) = [step for step in plan.steps if isinstance(step, Backfill)]
    assert "rav" not in " ".join((*removal.before, *removal.after))
    tables = (
        "CREATE TABLE docs (id bigint PRIMARY KEY); CREATE TABLE tags (id bigint PRIMARY KEY, kind varchar(20), about bigint);"
    )
    said = '-- driftflow: polymorphic type=kind id=about targets="doc.x=docs(id)" on-delete=cascade\n'
    plan = planning.plan_of(
        said + "ALTER TABLE tags ADD CONSTRAINT tags_kind CHECK (kind = 'doc.x');",
        dialect,
        catalog=planning.catalog_of(tables, dialect),
    )
    assert any("kind = 'doc.x' AND about = OLD.id" in text for text in statements(plan))


@BOTH
def test_the_table_is_locked_before_the_forms_that_change_places_with_it(dialect: Dialect) -> None:
    """RENAME TABLE locks in the order of names, byte by byte."""
    for name, beside in (("Orders", True), ("orders", True), ("zebra" * 12, True), ("zzzz", False)):
        catalog = planning.catalog_of(f"CREATE TABLE {name} (id bigint PRIMARY KEY, total int);", dialect)
        plan = planning.plan_of(
            f"ALTER TABLE {name} MODIFY total bigint;", dialect, catalog=catalog, policy=Policy(small_table_rows=0)
        )
        swaps = [text for text in statements(plan) if text.startswith("RENAME TABLE") and ", " in text]
        assert bool(swaps) == beside
        for text in swaps:
            first, *others = sorted(
                {word.encode() for word in re.findall(r"\w+(?!\w|\.)", text.removeprefix("RENAME TABLE")) if word != "TO"}
            )
            assert first == name.encode(), others
