"""What a plan promises, on the shop's catalog: order, phases, gates, transactions, records, ids. No server."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))
import planning
from driftflow.config import Policy
from driftflow.errors import ParseError, RefusedError, SourceError
from driftflow.model.catalog import Catalog, structure
from driftflow.model.effects import LockClaim
from driftflow.model.event import StepStarted, StepUndone
from driftflow.model.names import Name, Version
from driftflow.model.plan import (
    PHASES,
    Backfill,
    BuildIndex,
    Gate,
    Irreversible,
    Plan,
    RebuildTable,
    RunSql,
    UndoNothing,
    UndoSteps,
)
from driftflow.model.record import replace
from driftflow.planner.compose import compose_plan
from driftflow.reports.plan_text import render
from driftflow.reports.progress import Story

POSTGRESQL, SQLITE = planning.named("postgresql"), planning.named("sqlite")
SMALL = Policy(small_table_rows=1_000_000)


def statements(plan: Plan) -> list[str]:
    return [sql for step in plan.steps if isinstance(step, RunSql) for sql in step.statements]


def slow(step: object) -> bool:
    return any(claim.held != "instant" for claim in step.claims)


def strong(claim: LockClaim) -> bool:
    return bool({"reads", "writes"} & set(claim.blocks))


@pytest.mark.parametrize("example", ["inventory", "two_factor", "tenants"])
@pytest.mark.parametrize("form", ["naive", "enhanced"])
def test_nothing_slow_runs_under_a_strong_lock_on_a_living_table(example: str, form: str) -> None:
    plan = planning.plan_folder(planning.EXAMPLES / example / "postgresql" / form, POSTGRESQL)
    for step in plan.steps:
        if any(strong(claim) for claim in step.claims):
            assert not slow(step), step.purpose
            assert step.lock_timeout_ms <= Policy().stall_budget_ms


@pytest.mark.parametrize("dialect", [POSTGRESQL, SQLITE], ids=lambda dialect: dialect.name)
@pytest.mark.parametrize("example", ["inventory", "two_factor", "tenants"])
def test_phases_follow_each_other_and_a_gate_opens_the_contract(dialect, example: str) -> None:
    plan = planning.plan_folder(planning.EXAMPLES / example / dialect.name / "enhanced", dialect)
    phases = [PHASES.index(step.phase) for step in plan.steps]
    assert phases == sorted(phases)
    contract = [step for step in plan.steps if step.phase == "contract"]
    assert not contract or isinstance(contract[0], Gate)


def test_a_column_that_running_code_needs_is_dropped_behind_a_gate() -> None:
    plan = planning.plan_of("ALTER TABLE products DROP COLUMN name; ALTER TABLE products ADD COLUMN title text;", POSTGRESQL)
    added, gate, dropped = plan.steps
    assert (added.phase, gate.phase, dropped.phase) == ("expand", "contract", "contract")
    assert isinstance(gate, Gate)
    assert gate.checklist == ("code that still uses products.name fails",)
    assert plan.point_of_no_return == dropped.id
    assert isinstance(dropped.undo, Irreversible)
    assert dropped.undo.name == "drop_column public.products.name"


@pytest.mark.parametrize("dialect", [POSTGRESQL, planning.named("mysql"), planning.named("mariadb")], ids=lambda one: one.name)
def test_the_default_of_a_new_not_null_column_goes_behind_a_gate(dialect) -> None:
    """As Django writes every new field: code of the version before leaves the column out."""
    plan = planning.plan_of(
        "ALTER TABLE orders ADD COLUMN currency varchar(3) DEFAULT 'EUR' NOT NULL; ALTER TABLE orders ALTER COLUMN currency DROP DEFAULT;",
        dialect,
    )
    added, gate, dropped = plan.steps
    assert (added.phase, gate.phase, dropped.phase) == ("expand", "contract", "contract")
    assert isinstance(gate, Gate)
    assert gate.checklist == ("INSERTs of the old application leave out orders.currency",)


@pytest.mark.parametrize("dialect", [POSTGRESQL, planning.named("mysql"), planning.named("mariadb")], ids=lambda one: one.name)
def test_the_index_of_a_new_column_does_not_wait_for_its_default_to_go(dialect) -> None:
    """The new application is to run before the default goes, and it wants the index."""
    plan = planning.plan_of(
        "ALTER TABLE orders ADD COLUMN currency varchar(3) DEFAULT 'EUR' NOT NULL; ALTER TABLE orders ALTER COLUMN currency DROP DEFAULT;"
        "CREATE INDEX orders_currency ON orders (currency);",
        dialect,
    )
    assert [type(step) for step in plan.steps].index(Gate) == len(plan.steps) - 2
    assert "DROP DEFAULT" in statements(plan)[-1]


@pytest.mark.parametrize(
    ("sql", "waits"),
    [
        (
            "ALTER TABLE orders ADD COLUMN currency varchar(3) DEFAULT 'EUR'; ALTER TABLE orders ALTER COLUMN currency DROP DEFAULT",
            False,
        ),
        ("CREATE TABLE fresh (id int, a int NOT NULL DEFAULT 1); ALTER TABLE fresh ALTER COLUMN a DROP DEFAULT", False),
        ("ALTER TABLE orders ALTER COLUMN total_cents DROP DEFAULT", False),
        ("ALTER TABLE orders ALTER COLUMN status DROP DEFAULT", True),
    ],
    ids=["nullable", "new table", "has none", "known column"],
)
def test_a_default_goes_at_once_where_nobody_needs_it(sql: str, waits: bool) -> None:
    plan = planning.plan_of(f"{sql};", POSTGRESQL)
    assert any(isinstance(step, Gate) for step in plan.steps) is waits


def test_a_modify_that_forgets_the_default_waits_for_the_application() -> None:
    mysql = planning.named("mysql")
    catalog = planning.catalog_of("CREATE TABLE jobs (id bigint PRIMARY KEY, state varchar(20) NOT NULL DEFAULT 'new');", mysql)
    forgotten, kept = (
        planning.plan_of(f"ALTER TABLE jobs MODIFY state varchar(30) NOT NULL{more};", mysql, catalog=catalog)
        for more in ("", " DEFAULT 'new'")
    )
    gate = forgotten.steps[0]
    assert isinstance(gate, Gate)
    assert gate.checklist == ("INSERTs that leave out jobs.state fail",)
    assert not any(isinstance(step, Gate) for step in kept.steps)


@pytest.mark.parametrize("dialect", [planning.named(one) for one in planning.VERSIONS], ids=lambda one: one.name)
@pytest.mark.parametrize(
    "sql",
    ["UPDATE nowhere SET a = 1", "DELETE FROM nowhere", "UPDATE orders SET nope = 1", "INSERT INTO orders (nope) VALUES (1)"],
)
def test_rows_that_cannot_be_written_are_found_before_the_run(sql: str, dialect) -> None:
    with pytest.raises(RefusedError) as refused:
        planning.plan_of(f"CREATE TABLE first (id int); {sql};", dialect)
    assert refused.value.code == "DF-E321"
    assert ("nowhere" in refused.value.why) or ("nope" in refused.value.why)


def test_what_is_kept_of_the_old_form_goes_behind_a_gate_of_its_own_where_the_swap_is_late() -> None:
    late = "ALTER TABLE orders ADD COLUMN note text; ALTER TABLE orders ALTER COLUMN note SET NOT NULL;"
    change = "ALTER TABLE orders ALTER COLUMN total_cents TYPE bigint;"
    both = planning.plan_of(late + change, POSTGRESQL).steps
    gates = [(step.name, step.checklist) for step in both if isinstance(step, Gate)]
    assert gates == [
        ("deployed", ("INSERTs of the old application leave out orders.note",)),
        ("remove-old-orders.total_cents", ()),
    ]
    assert isinstance(both[-2], Gate)
    assert "driftflow_old_total_cents" in both[-1].purpose
    alone = planning.plan_of(change, POSTGRESQL).steps
    assert [step.name for step in alone if isinstance(step, Gate)] == ["deployed"]


def test_a_table_that_is_rebuilt_behind_the_authors_gate_keeps_its_old_form_until_another() -> None:
    mariadb = planning.named("mariadb")
    catalog = planning.catalog_of("CREATE TABLE jobs (id bigint PRIMARY KEY, n int NOT NULL);", mariadb, rows={"jobs": 200_000})
    sql = '-- driftflow: gate name=night question="Is it quiet?"\nALTER TABLE jobs MODIFY n bigint NOT NULL;'
    steps = planning.plan_of(sql, mariadb, catalog=catalog).steps
    assert [step.name for step in steps if isinstance(step, Gate)] == ["night", "remove-old-jobs"]
    assert isinstance(steps[0], Gate)
    kinds = [step.purpose.partition(":")[0] if isinstance(step, RunSql) else "" for step in steps]
    assert kinds.index("Swap") < next(place for place, step in enumerate(steps) if isinstance(step, Gate) and place)


def test_what_depends_on_a_late_step_is_late_too() -> None:
    plan = planning.plan_of(
        "ALTER TABLE products RENAME COLUMN name TO title; CREATE INDEX t ON products (title); CREATE INDEX s ON products (price_cents);",
        POSTGRESQL,
    )
    assert [(type(step).__name__, step.phase) for step in plan.steps] == [
        ("BuildIndex", "migrate"),
        ("Gate", "contract"),
        ("RunSql", "contract"),
        ("BuildIndex", "contract"),
    ]


def test_rows_are_changed_in_source_order() -> None:
    plan = planning.plan_of(
        "UPDATE orders SET status = 'a'; INSERT INTO orders (user_id, product_id, total_cents) VALUES (1, 1, 1);", POSTGRESQL
    )
    assert [type(step) for step in plan.steps] == [Backfill, RunSql]


def test_what_is_dropped_and_made_again_is_no_gate_and_one_transaction() -> None:
    catalog = planning.catalog_of(
        (planning.EXAMPLES / "shop/postgresql.sql").read_text() + "CREATE VIEW v AS SELECT id FROM orders;", POSTGRESQL
    )
    plan = planning.plan_of("DROP VIEW v; CREATE VIEW v AS SELECT id, status FROM orders;", POSTGRESQL, catalog=catalog)
    assert len(plan.steps) == 1
    assert plan.steps[0].phase == "expand"


@pytest.mark.parametrize(
    ("migration", "gates"),
    [
        ("ALTER TABLE t ALTER COLUMN id DROP DEFAULT; ALTER TABLE t ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY;", 0),
        ("DROP VIEW v; ALTER TABLE t DROP COLUMN note; CREATE VIEW v AS SELECT id FROM t;", 1),
    ],
    ids=["serial-to-identity", "a-column-between"],
)
def test_statements_of_one_transaction_ask_at_the_gate_but_for_what_is_made_again(migration: str, gates: int) -> None:
    catalog = planning.catalog_of(
        "CREATE TABLE t (id serial PRIMARY KEY, note text); CREATE VIEW v AS SELECT id FROM t;", POSTGRESQL
    )
    plan = planning.plan_of(migration, POSTGRESQL, catalog=catalog)
    assert len([step for step in plan.steps if isinstance(step, Gate)]) == gates


def test_new_tables_are_made_together_and_need_no_care() -> None:
    plan = planning.plan_of(
        "CREATE TABLE a (id int PRIMARY KEY, b int); CREATE INDEX a_b ON a (b); ALTER TABLE a ALTER COLUMN b SET NOT NULL;"
        "INSERT INTO a VALUES (1, 2);",
        POSTGRESQL,
    )
    assert next(len(step.statements) for step in plan.steps if isinstance(step, RunSql)) >= 3
    assert not [step for step in plan.steps if isinstance(step, BuildIndex | Gate)]
    assert plan.longest_stall is None


def test_a_foreign_key_of_a_new_table_locks_the_old_one_alone() -> None:
    plan = planning.plan_of(
        "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (order_id bigint REFERENCES orders (id)); CREATE TABLE c (id int);",
        POSTGRESQL,
    )
    locking = [step for step in plan.steps if any(claim.relation.name == "orders" and strong(claim) for claim in step.claims)]
    assert [len(step.statements) for step in locking] == [1]


def test_a_small_table_gets_the_direct_form() -> None:
    sql = "CREATE INDEX i ON orders (status);"
    small, large = (planning.plan_of(sql, POSTGRESQL, policy=policy) for policy in (SMALL, planning.POLICY))
    assert statements(small) == ["CREATE INDEX i ON orders (status)"]
    assert isinstance(large.steps[0], BuildIndex)


def test_unknown_size_counts_as_large() -> None:
    catalog = planning.shop(POSTGRESQL, rows={})
    plan = planning.plan_of("CREATE INDEX i ON orders (status);", POSTGRESQL, catalog=catalog, policy=SMALL)
    assert isinstance(plan.steps[0], BuildIndex)
    assert plan.steps[0].estimate is None


def test_as_is_is_taken_literally() -> None:
    plan = planning.plan_of('-- driftflow: as-is reason="off hours"\nCREATE INDEX i ON orders (status);', POSTGRESQL)
    assert statements(plan) == ["CREATE INDEX i ON orders (status)"]
    assert plan.longest_stall is not None
    assert "SHARE on public.orders" in plan.longest_stall.basis


def test_set_is_carried_to_the_steps_and_does_not_leak() -> None:
    one = planning.migration_of(
        "SET search_path TO public, audit; SET lock_timeout = '9s'; SET ROLE owner; UPDATE tenants SET name = 'x' WHERE id = '0';",
        POSTGRESQL,
    )
    two = planning.migration_of(
        "UPDATE tenants SET name = 'y' WHERE name = 'x' AND id = '1';", POSTGRESQL, id="002", file="002.sql"
    )
    plan = compose_plan([one, two], catalog=planning.shop(POSTGRESQL), dialect=POSTGRESQL, policy=SMALL)
    first, second = plan.steps
    assert isinstance(first, RunSql)
    assert isinstance(second, RunSql)
    assert set(first.settings) == {"search_path"}
    assert first.role == "owner"
    assert (second.settings, second.role) == ({}, "")
    assert any("lock_timeout gives way" in note for note in plan.notes)


def test_begin_and_commit_of_the_file_give_way() -> None:
    plan = planning.plan_of("BEGIN; CREATE TABLE a (id int); COMMIT;", POSTGRESQL, policy=SMALL)
    assert statements(plan) == ["CREATE TABLE a (id int)"]


def test_a_migration_that_rolls_itself_back_is_refused() -> None:
    with pytest.raises(RefusedError, match="rolls itself back") as caught:
        planning.plan_of("BEGIN; CREATE TABLE a (id int); ROLLBACK;", POSTGRESQL)
    assert caught.value.code == "DF-E322"


def test_what_cannot_apply_is_refused_with_its_place() -> None:
    with pytest.raises(RefusedError) as caught:
        planning.plan_of("CREATE TABLE x (id int);\nALTER TABLE nowhere ADD COLUMN a int;", POSTGRESQL)
    assert caught.value.code == "DF-E321"
    assert "001.sql:2:1" in caught.value.where


def test_statements_that_mean_something_together_stay_together() -> None:
    plan = planning.plan_of(
        "CREATE TABLE n (id bigint PRIMARY KEY, sku text); INSERT INTO n SELECT id, sku FROM products; DROP TABLE products CASCADE;"
        "ALTER TABLE n RENAME TO products;",
        POSTGRESQL,
    )
    assert len(plan.steps) == 1
    assert any("in the place of products" in note for note in plan.notes)


class Ledger:
    """A version table, as a tool's reader would describe it."""

    table = Name(schema="public", name="versions")

    def create(self) -> tuple[str, ...]:
        return ("CREATE TABLE IF NOT EXISTS versions (id text)",)

    def record(self, migration) -> tuple[str, ...]:
        return (f"INSERT INTO versions VALUES ('{migration.id}')",)

    def unrecord(self, migration) -> tuple[str, ...]:
        return (f"DELETE FROM versions WHERE id = '{migration.id}'",)


def recorded(*texts: str) -> Plan:
    migrations = [
        planning.migration_of(text, POSTGRESQL, id=f"00{number}", file=f"00{number}.sql") for number, text in enumerate(texts, 1)
    ]
    return compose_plan(
        migrations, catalog=planning.shop(POSTGRESQL), dialect=POSTGRESQL, policy=planning.POLICY, ledgers={"plain": Ledger()}
    )


def test_a_migration_is_recorded_in_its_last_step_and_unrecorded_first() -> None:
    plan = recorded("ALTER TABLE orders ADD COLUMN a int; COMMENT ON COLUMN orders.a IS 'x';")
    assert statements(plan)[0].startswith("CREATE TABLE IF NOT EXISTS versions")
    last = plan.steps[-1]
    assert isinstance(last, RunSql)
    assert last.statements[-1] == "INSERT INTO versions VALUES ('001')"
    assert isinstance(last.undo, UndoSteps)
    assert last.undo.steps[0].statements[0].startswith("DELETE FROM versions")


def test_what_stays_of_the_last_step_is_said_beside_the_record_that_goes() -> None:
    plan = recorded("CREATE TYPE mood AS ENUM ('a');", "ALTER TYPE mood ADD VALUE 'b';")
    last = plan.steps[-1]
    assert isinstance(last.undo, UndoSteps)
    assert last.undo.besides == "the server cannot remove the label b of public.mood; it stays, unused"
    assert "nothing else: the server cannot remove the label b" in render(plan)
    story, when = Story(plan), {"run": "r", "at": "2026-01-01T00:00:00Z", "fence": 1}
    list(story.lines(StepStarted(step=f"{last.id}/undo1", attempt=1, **when)))
    assert list(story.lines(StepUndone(step=last.id, **when))) == [
        "    taken back; nothing else of it: the server cannot remove the label b of public.mood; it stays, unused"
    ]


def test_a_last_step_outside_transactions_is_followed_by_the_record() -> None:
    plan = recorded("CREATE INDEX i ON orders (status);")
    assert isinstance(plan.steps[-2], BuildIndex)
    assert plan.steps[-1].statements == ("INSERT INTO versions VALUES ('001')",)


def test_records_come_in_the_tools_order_and_before_the_gate() -> None:
    plan = recorded("ALTER TABLE orders DROP COLUMN status; UPDATE orders SET quantity = 1;", "CREATE TABLE x (id int);")
    texts = [(index, sql) for index, step in enumerate(plan.steps) if isinstance(step, RunSql) for sql in step.statements]
    records = [index for index, sql in texts if sql.startswith("INSERT INTO versions")]
    order = [sql for _, sql in texts if sql.startswith("INSERT INTO versions")]
    gate = next(index for index, step in enumerate(plan.steps) if isinstance(step, Gate))
    assert order == ["INSERT INTO versions VALUES ('001')", "INSERT INTO versions VALUES ('002')"]
    assert max(records) < gate
    assert any("before the gate" in note for note in plan.notes)


def test_ids_and_digest_do_not_depend_on_statistics_or_place() -> None:
    sql = "UPDATE orders SET status = 'a'; CREATE INDEX i ON orders (status);"
    plan = planning.plan_of(sql, POSTGRESQL)
    other = planning.plan_of(sql, POSTGRESQL, catalog=planning.shop(POSTGRESQL, rows={"orders": 9_000_000}))
    moved = planning.plan_of("\n\n" + sql, POSTGRESQL)
    assert [step.id for step in plan.steps] == [step.id for step in other.steps] == [step.id for step in moved.steps]
    assert plan.digest == other.digest
    assert plan.estimate != other.estimate


def test_the_digest_follows_what_will_be_done() -> None:
    plan = planning.plan_of("UPDATE orders SET status = 'a';", POSTGRESQL)
    assert plan.digest != planning.plan_of("UPDATE orders SET status = 'b';", POSTGRESQL).digest
    assert plan.digest != replace(plan, accepted=("x",)).digest


def test_equal_steps_are_told_apart() -> None:
    plan = planning.plan_of("ALTER TABLE orders ADD COLUMN a int;" + "UPDATE orders SET a = 1;" * 2, POSTGRESQL)
    assert [step.id.rpartition(".")[2] for step in plan.steps[1:]] == ["1", "2"]


def test_accepted_names_are_those_that_the_plan_needs() -> None:
    policy = replace(planning.POLICY, accept=("drop_column public.products.name", "drop_table public.nothing"))
    plan = planning.plan_of("ALTER TABLE products DROP COLUMN name;", POSTGRESQL, policy=policy)
    assert plan.accepted == ("drop_column public.products.name",)


def test_the_footprint_names_both_tables_of_a_foreign_key_and_no_index() -> None:
    plan = planning.plan_of("ALTER TABLE orders ADD COLUMN t uuid REFERENCES tenants (id);", POSTGRESQL)
    assert [name.text for name in plan.relations] == ["public.orders", "public.tenants"]


def test_a_plan_can_be_made_without_a_database() -> None:
    catalog = Catalog(
        vendor="postgresql", version=Version(major=16), search_path=("public",), schemas=("public",), complete=False
    )
    plan = planning.plan_of("ALTER TABLE orders ADD COLUMN a int; CREATE INDEX i ON orders (a);", POSTGRESQL, catalog=catalog)
    assert isinstance(plan.steps[-1], BuildIndex)
    assert any("without a database" in note for note in plan.notes)


def test_sqlite_changes_of_one_table_are_one_rebuild() -> None:
    plan = planning.plan_of(
        "ALTER TABLE orders ALTER COLUMN status DROP NOT NULL; ALTER TABLE orders ALTER COLUMN user_id DROP NOT NULL;", SQLITE
    )
    [step] = plan.steps
    assert isinstance(step, RebuildTable)
    assert step.purpose == "Rebuild orders: status nullable, user_id nullable"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("-- driftflow: backfill column=a\n", "DF-E213"),
        ("-- driftflow: backfill column=a set=1 csv=x.csv key=k value=v\n", "DF-E213"),
        ("-- driftflow: backfill column=a sett=1\n", "DF-E212"),
        ("-- driftflow: as-is\n", "DF-E213"),
        ("-- driftflow: backfill column=a csv=x.csv key=k value=v\n", "DF-E214"),
    ],
)
def test_a_directive_that_cannot_be_followed_stops_the_planning(text: str, code: str) -> None:
    with pytest.raises((ParseError, SourceError)) as caught:
        planning.plan_of(text + "ALTER TABLE orders ADD COLUMN a int;", POSTGRESQL)
    assert caught.value.code == code
    assert "001.sql:1:1" in caught.value.where


NAIVE = [
    "ALTER TABLE orders ADD COLUMN tenant_id uuid REFERENCES tenants (id); ALTER TABLE orders ALTER COLUMN tenant_id SET NOT NULL;",
    "ALTER TABLE orders ADD COLUMN token uuid NOT NULL DEFAULT gen_random_uuid();",
    "ALTER TABLE orders ADD CONSTRAINT c CHECK (total_cents >= 0), ADD CONSTRAINT u UNIQUE (user_id, created_at);",
    "ALTER TABLE products DROP COLUMN name; ALTER TABLE products ADD COLUMN title text;",
    "CREATE INDEX i ON orders (status); DROP INDEX orders_user_id_idx;",
    "ALTER TABLE orders ADD COLUMN weight int CHECK (weight > 0);",
    "ALTER TABLE orders ALTER COLUMN status DROP NOT NULL; ALTER TABLE orders ALTER COLUMN status SET DEFAULT 'x';",
]


@pytest.mark.parametrize("version", [14, 18])
@pytest.mark.parametrize("sql", NAIVE)
def test_the_steps_lead_where_the_statements_lead(sql: str, version: int) -> None:
    """Pure: the SQL of every step, read again, takes the catalog to the same end."""
    start = planning.shop(POSTGRESQL, version=Version(major=version))
    wanted = walked(start, [sql])
    plan = planning.plan_of(sql, POSTGRESQL, catalog=start)
    texts = [
        text
        for step in plan.steps
        for text in (step.statements if isinstance(step, RunSql) else [getattr(step, "create_sql", "")])
    ]
    assert same(walked(start, texts)) == same(wanted)


def walked(catalog: Catalog, texts: list[str]) -> Catalog:
    for text in filter(None, texts):
        for statement in planning.migration_of(text, POSTGRESQL).statements:
            for operation in statement.operations:
                catalog = catalog.after(POSTGRESQL.resolve(operation, catalog))
    return catalog


def same(catalog: Catalog) -> object:
    tables = {name: structure(table) for name, table in catalog.tables.items()}
    return {
        name: replace(table, columns=tuple(sorted(table.columns, key=lambda one: one.name))) for name, table in tables.items()
    }


def test_every_undo_says_what_it_is() -> None:
    plan = planning.plan_folder(planning.EXAMPLES / "tenants/postgresql/enhanced", POSTGRESQL)
    for step in plan.steps:
        assert isinstance(step.undo, UndoSteps | UndoNothing)
        assert not isinstance(step.undo, UndoNothing) or step.undo.reason


def test_places_that_still_use_it_are_on_the_checklist() -> None:
    sql = "ALTER TABLE products DROP COLUMN name;"
    plan = planning.plan_of(sql, POSTGRESQL, references=("shop/views.py:12 uses products.name",))
    gate = plan.steps[0]
    assert isinstance(gate, Gate)
    assert gate.checklist == ("code that still uses products.name fails", "shop/views.py:12 uses products.name")


def test_many_new_tables_share_one_transaction() -> None:
    sql = "".join(f"CREATE TABLE t{number} (id int PRIMARY KEY, v text);" for number in range(500))
    plan = planning.plan_of(sql, POSTGRESQL)
    assert [len(step.statements) for step in plan.steps if isinstance(step, RunSql)] == [500]


@pytest.mark.parametrize(
    "sql",
    [
        "ALTER TABLE orders ADD COLUMN IF NOT EXISTS a int",
        "ALTER TABLE orders DROP COLUMN IF EXISTS nope",
        "CREATE INDEX IF NOT EXISTS x ON orders (id)",
        "DROP INDEX IF EXISTS x ON orders",
    ],
)
def test_words_of_mariadb_are_refused_on_mysql_before_the_run(sql: str) -> None:
    with pytest.raises(RefusedError, match="MySQL has no IF EXISTS") as refused:
        planning.plan_of(f"CREATE TABLE first (id int NOT NULL PRIMARY KEY); {sql};", planning.named("mysql"))
    assert refused.value.code == "DF-E321"
    assert planning.plan_of(f"{sql};", planning.named("mariadb")).dialect == "mariadb"
