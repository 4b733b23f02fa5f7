"""`driftflow prove`: a plan with a step that cannot be taken back, and an application that writes every table of the plan."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from proving import FAMILY, VENDORS, claim, question, schema, shop, tampered

from driftflow.lab.proof.bench import open_bench
from driftflow.lab.proof.crashes import crashes
from driftflow.lab.proof.ends import ends
from driftflow.lab.proof.locks import seeing
from driftflow.lab.proof.prove import prove
from driftflow.lab.proof.watching import Observed
from driftflow.lab.start_schema import StartSchema
from driftflow.model.plan import Backfill, Irreversible, Plan, RunSql, Step, UndoNothing, UndoSteps
from driftflow.model.proof import Proof
from driftflow.model.record import replace

ADD_AND_DROP = "ALTER TABLE users ADD COLUMN nickname varchar(255);\nALTER TABLE users DROP COLUMN totp_seed;\n"


def final(plan: Plan) -> list[str]:
    return [step.undo.name for step in plan.steps if isinstance(step.undo, Irreversible)]


@pytest.mark.parametrize("vendor", VENDORS)
def test_what_cannot_be_taken_back_is_shown_up_to_there(vendor: str, tmp_path: Path) -> None:
    asked = question(ADD_AND_DROP, shop(vendor), tmp_path)
    names = final(asked.plan)
    assert names
    back = claim(prove(asked, only=()), "taken_back")
    assert back.state == "not_proved"
    assert [text.partition(" cannot")[0] for text in back.not_proved] == names
    assert "everything before step" in back.summary

    accepted = question(ADD_AND_DROP, shop(vendor), tmp_path, accepted=frozenset(names))
    proof = prove(accepted, only=())
    back = claim(proof, "taken_back")
    assert (back.state, back.not_proved) == ("proved", ()), back
    assert all(name in back.summary for name in names)
    assert claim(proof, "locks").state == "proved", claim(proof, "locks")


@pytest.mark.sqlite
def test_accepted_by_name_it_can_be_green(tmp_path: Path) -> None:
    asked = question(ADD_AND_DROP, shop("sqlite"), tmp_path)
    accepted = question(ADD_AND_DROP, shop("sqlite"), tmp_path, accepted=frozenset(final(asked.plan)))
    assert prove(accepted).green
    assert not prove(asked).green


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_missing_undo_before_it_is_found(vendor: str, tmp_path: Path) -> None:
    change = tampered(lambda step: replace(step, undo=UndoNothing(reason="it is fine")), naming="nickname")
    asked = question(ADD_AND_DROP, shop(vendor), tmp_path, change=change)
    back = claim(prove(asked, only=()), "taken_back")
    assert back.state == "differs"
    assert any(one.object.endswith("users.nickname") for one in back.differences)


@pytest.mark.sqlite
def test_the_first_step_may_be_the_last_that_can_be(tmp_path: Path) -> None:
    def change(plan: Plan) -> Plan:
        place = next(number for number, step in enumerate(plan.steps) if isinstance(step.undo, Irreversible))
        return replace(plan, steps=plan.steps[place:])

    dropped = "ALTER TABLE users DROP COLUMN totp_seed;"
    asked = question(dropped, shop("sqlite"), tmp_path, change=change)
    proof = prove(question(dropped, shop("sqlite"), tmp_path, change=change, accepted=frozenset(final(asked.plan))), only=())
    assert "nothing comes before step 1" in claim(proof, "taken_back").summary


@pytest.mark.sqlite
def test_a_run_may_have_fewer_commits_than_the_one_that_was_watched(tmp_path: Path) -> None:
    """How many chunks there are depends on how fast the machine is; the executor dies in the same steps all the same."""
    sql = "UPDATE orders SET status = 'seen';\nALTER TABLE orders ADD COLUMN seen_by varchar(40);\n"
    with open_bench(question(sql, shop("sqlite"), tmp_path), tell=lambda text: None) as bench:
        bench.look_ahead()
        observed = Observed()
        with seeing(bench) as eye:
            ends(bench, eye, observed)
        (chunked,) = [step.id for step in bench.plan.steps if isinstance(step, Backfill)]
        observed.commits = [one for one in observed.commits for _ in range(3 if one == chunked else 1)]
        found = crashes(bench, observed)
    assert found.state == "proved", found


MANY = [f"CREATE TABLE t{number} (id integer PRIMARY KEY, a varchar(40) NOT NULL, b integer);" for number in range(1, 13)]
KEYLESS = "CREATE TABLE noted (at integer NOT NULL, what varchar(40));"
SMALL = "CREATE TABLE small (kind varchar(10) NOT NULL PRIMARY KEY CHECK (kind IN ('one', 'two')), label varchar(40));"
UNIQUE = "CREATE TABLE told (a integer NOT NULL, b integer NOT NULL, c varchar(40), UNIQUE (a, b));"
CHANGED = [*(f"t{number}" for number in range(1, 13)), "noted", "small", "told"]


def changed(*more: str) -> str:
    return "\n".join(f"ALTER TABLE {name} ADD COLUMN extra integer NOT NULL DEFAULT 7;" for name in (*CHANGED, *more))


def written(proof: Proof) -> str:
    return claim(proof, "writers").summary


@pytest.mark.parametrize("vendor", VENDORS)
def test_every_table_of_the_plan_is_written(vendor: str, tmp_path: Path) -> None:
    """More than twelve; one without a key, one that takes no more rows, one with another key than a primary one."""
    start = schema("\n".join([*MANY, KEYLESS, SMALL, UNIQUE]), vendor)
    proof = prove(question(changed(), start, tmp_path), only=("writers",))
    found = claim(proof, "writers")
    assert found.state == "proved", found
    assert "15 tables" in written(proof)


RICH = """
CREATE TABLE customer (id binary(16) NOT NULL PRIMARY KEY, name varchar(80) NOT NULL, email varchar(190) NOT NULL,
    tier enum('free','paid','gold') NOT NULL DEFAULT 'free', flags set('a','b'), meta json, born date, vat decimal(5,2) unsigned,
    full_label varchar(300) GENERATED ALWAYS AS (concat(name, ' <', email, '>')) STORED, UNIQUE KEY email_uk (email));
CREATE TABLE category (id int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY, parent_id int unsigned, title varchar(60) NOT NULL,
    CONSTRAINT category_parent FOREIGN KEY (parent_id) REFERENCES category (id) ON DELETE SET NULL);
CREATE TABLE item (customer_id binary(16) NOT NULL, line smallint NOT NULL, category_id int unsigned NOT NULL,
    price decimal(10,2) NOT NULL, weight double, photo blob, made_at datetime(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    touched timestamp NULL DEFAULT NULL ON UPDATE CURRENT_TIMESTAMP, bits bit(8), yr year, PRIMARY KEY (customer_id, line),
    CONSTRAINT item_customer FOREIGN KEY (customer_id) REFERENCES customer (id) ON DELETE CASCADE,
    CONSTRAINT item_category FOREIGN KEY (category_id) REFERENCES category (id), CONSTRAINT price_ok CHECK (price >= 0));
CREATE VIEW paying AS SELECT c.id, c.name, i.line, i.price FROM customer c JOIN item i ON i.customer_id = c.id WHERE c.tier <> 'free';
CREATE VIEW rich AS SELECT name, sum(price) AS total FROM paying GROUP BY name;
CREATE TRIGGER item_touch BEFORE UPDATE ON item FOR EACH ROW SET NEW.weight = coalesce(NEW.weight, 1);
"""
RICHER = """
ALTER TABLE item ADD COLUMN note varchar(100);
ALTER TABLE customer ADD COLUMN score int NOT NULL DEFAULT 5;
ALTER TABLE category MODIFY COLUMN title varchar(200) NOT NULL;
CREATE INDEX item_price_idx ON item (price, made_at);
"""


@pytest.mark.parametrize("vendor", FAMILY)
def test_views_triggers_and_types_of_the_family_are_in_every_copy(vendor: str, tmp_path: Path) -> None:
    proof = prove(question(RICHER, schema(RICH, vendor), tmp_path), only=("writers",))
    assert [(one.name, one.differences, one.not_proved) for one in proof.claims if one.state != "proved"] == []
    assert proof.not_proved == ()
    assert "3 tables" in written(proof)


@pytest.mark.parametrize("vendor", FAMILY)
def test_a_schema_that_says_no_character_set_is_not_in_latin1(vendor: str) -> None:
    start = schema("CREATE TABLE t (id int PRIMARY KEY, a varchar(10));", vendor)
    assert start.catalog is not None
    assert start.catalog.settings["character_set_database"] == "utf8mb4"


@pytest.mark.sqlite
def test_a_table_that_nobody_can_write_is_named(tmp_path: Path) -> None:
    closed = "CREATE TABLE closed (id integer PRIMARY KEY, a integer NOT NULL CHECK (a > 5 AND a < 3));"
    start = schema("\n".join([*MANY, KEYLESS, SMALL, UNIQUE, closed]), "sqlite")
    proof = prove(question(changed("closed"), start, tmp_path), only=("writers",))
    found = claim(proof, "writers")
    assert found.state == "not_proved"
    assert [text for text in found.not_proved if "closed" in text]
    assert not proof.green


@pytest.mark.sqlite
def test_rows_that_a_plan_loses_of_a_table_without_a_key_are_found(tmp_path: Path) -> None:
    change = tampered(
        lambda step: replace(step, statements=(*step.statements, "DELETE FROM noted WHERE what LIKE '%9'")), naming="extra"
    )
    start = schema(KEYLESS, "sqlite")
    sql = "ALTER TABLE noted ADD COLUMN extra integer NOT NULL DEFAULT 7;"
    found = claim(prove(question(sql, start, tmp_path, change=change), only=("writers",)), "same_end")
    assert found.state == "differs"
    assert any("noted" in one.object for one in found.differences)


FOLLOWED = """
CREATE TABLE region (id int PRIMARY KEY, name varchar(20) NOT NULL);
CREATE TABLE shop (id int PRIMARY KEY, region int, CONSTRAINT shop_region FOREIGN KEY (region) REFERENCES region (id) ON DELETE CASCADE);
CREATE TABLE visit (id int PRIMARY KEY, shop int, region int, seconds int, CONSTRAINT visit_region FOREIGN KEY (region) REFERENCES region (id),
    CONSTRAINT visit_shop FOREIGN KEY (shop) REFERENCES shop (id) ON DELETE CASCADE ON UPDATE SET NULL);
"""


TIED = """
CREATE TABLE maker (id int PRIMARY KEY, code varchar(20) NOT NULL, UNIQUE KEY maker_code (code));
CREATE TABLE model (id int PRIMARY KEY, maker int NOT NULL, CONSTRAINT model_maker FOREIGN KEY (maker) REFERENCES maker (id));
CREATE TABLE part (id int PRIMARY KEY, model int, CONSTRAINT part_model FOREIGN KEY (model) REFERENCES model (id));
CREATE TABLE visit (id int PRIMARY KEY, maker varchar(20),
    CONSTRAINT visit_maker FOREIGN KEY (maker) REFERENCES maker (code) ON DELETE SET NULL ON UPDATE CASCADE);
CREATE TABLE note (id int PRIMARY KEY, visit int, CONSTRAINT note_visit FOREIGN KEY (visit) REFERENCES visit (id));
"""


@pytest.mark.parametrize("vendor", FAMILY)
def test_tables_that_are_rebuilt_together_claim_what_the_server_locks_beside_them(vendor: str, tmp_path: Path) -> None:
    """Those that point at them: LOCK TABLES on MySQL takes them too, to read, or to write where a key changes their rows."""
    asked = question(
        "ALTER TABLE maker MODIFY id bigint NOT NULL;\nALTER TABLE model MODIFY id bigint NOT NULL, MODIFY maker bigint NOT NULL;\n"
        "ALTER TABLE part MODIFY model bigint;",
        schema(TIED, vendor),
        tmp_path,
    )
    proof = prove(asked, only=())
    for name in ("locks", "taken_back"):
        assert claim(proof, name).state == "proved", claim(proof, name)


@pytest.mark.parametrize("vendor", FAMILY)
def test_a_rebuild_of_a_table_whose_rows_follow_others(vendor: str, tmp_path: Path) -> None:
    """The locks of the triggers on the tables above, too. MariaDB 11 gets none (`recipes/test_rebuild_cascades.py`)."""
    if vendor == "mariadb-11":
        pytest.skip("such a table is not rebuilt there")
    asked = question(
        "ALTER TABLE visit MODIFY seconds bigint, ADD COLUMN twice bigint AS (seconds * 2) STORED;",
        schema(FOLLOWED, vendor),
        tmp_path,
    )
    proof = prove(asked)
    assert [(one.name, one.differences, one.not_proved) for one in proof.claims if one.state not in ("proved", "not_asked")] == []
    assert proof.not_proved == ()


ITEMS = """
CREATE TABLE item (id integer NOT NULL PRIMARY KEY AUTOINCREMENT, name varchar(50) NOT NULL, qty integer NOT NULL);
CREATE TABLE note (id integer PRIMARY KEY, item integer NOT NULL REFERENCES item (id) ON DELETE CASCADE);
"""
ANEW = """
BEGIN;
CREATE TABLE "new__item" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "name" varchar(50) NOT NULL, "qty" bigint NOT NULL, "slug" varchar(9) DEFAULT 'none' NOT NULL);
INSERT INTO "new__item" ("id", "name", "qty", "slug") SELECT "id", "name", "qty", 'none' FROM "item";
DROP TABLE "item";
ALTER TABLE "new__item" RENAME TO "item";
CREATE INDEX "item_slug" ON "item" ("slug");
COMMIT;
"""


@pytest.mark.sqlite
def test_a_table_that_the_migration_makes_anew_by_hand(tmp_path: Path) -> None:
    """As Django writes it, in a transaction and with foreign keys off: what points at the table stays."""
    proof = prove(question(ANEW, schema(ITEMS, "sqlite"), tmp_path))
    assert [(one.name, one.differences, one.not_proved) for one in proof.claims if one.state not in ("proved", "not_asked")] == []


HELD = """
CREATE TABLE accounts (id int AUTO_INCREMENT PRIMARY KEY, tenant_id int NOT NULL, email varchar(100) NOT NULL, KEY tenant_idx (tenant_id));
GRANT SELECT, INSERT, UPDATE (email) ON accounts TO 'shop_app'@'%';
GRANT SELECT ON accounts TO 'shop_report'@'localhost' WITH GRANT OPTION;
"""


@pytest.mark.parametrize("vendor", FAMILY)
def test_rights_that_a_plan_gives_are_given_in_the_lab(vendor: str, tmp_path: Path) -> None:
    """The accounts of the schema are made there; the lab's own may give rights in its database alone, and each copy has the start's rights again."""
    start = schema(HELD, vendor)
    assert start.catalog is not None
    (table,) = start.catalog.tables.values()
    assert table.grants == (
        "'shop_app'@'%'=INSERT, SELECT, UPDATE (email)",
        "'shop_report'@'localhost'=*SELECT",
    )
    asked = question("ALTER TABLE accounts RENAME TO customers;", start, tmp_path)
    assert any("GRANT" in sql for step in asked.plan.steps if isinstance(step, RunSql) for sql in step.statements)
    proof = prove(asked)
    assert [(one.name, one.summary, one.differences, one.not_proved) for one in proof.claims if one.state != "proved"] == [
        ("queries", "no queries were given", (), ())
    ]
    assert proof.green


CONFINED = """
-- driftflow: row-security column=tenant_id variable=app_tenant_id view=tenant_accounts role=shop_app
ALTER TABLE accounts ENABLE ROW LEVEL SECURITY;
"""


@pytest.mark.parametrize("vendor", FAMILY)
def test_a_plan_that_takes_rights_gives_them_again_on_its_way_back(vendor: str, tmp_path: Path) -> None:
    """The statement itself runs on neither server, so there is no end to compare with; everything else is shown."""
    start = schema(HELD, vendor)
    proof = prove(question(CONFINED, start, tmp_path))
    print(*proof.claims, sep="\n\n")
    assert claim(proof, "same_end").state == "not_proved"
    for name in ("taken_back", "locks"):
        assert claim(proof, name).state == "proved", claim(proof, name)
    assert proof.not_proved == ()


FOLDED = {"postgresql": "lower(NEW.name || ' ' || NEW.sku)", "sqlite": "lower(NEW.name || ' ' || NEW.sku)"}
ASKED = {
    "polymorphic": (
        '-- driftflow: polymorphic type=status id=product_id targets="user=users(id), product=products(id)"\n'
        "ALTER TABLE orders ADD CONSTRAINT orders_subject CHECK (status IN ('new', 'user', 'product'));"
    ),
    "maintained": ('-- driftflow: maintained column=search set="{folded}"\nALTER TABLE products ADD COLUMN search varchar(500);'),
    "rule": (
        "-- driftflow: rule existing=keep\n"
        "ALTER TABLE orders ADD CONSTRAINT orders_not_from_tomorrow CHECK (created_at <= now());"
    ),
}


@pytest.mark.parametrize("verb", ["polymorphic", "maintained"])
@pytest.mark.parametrize("vendor", VENDORS)
def test_what_a_directive_asks_for_beside_its_statement_is_named(vendor: str, verb: str, tmp_path: Path) -> None:
    """The original migration makes none of it, and that is no difference."""
    migration = ASKED[verb].format(folded=FOLDED.get(vendor, "lower(concat(NEW.name, ' ', NEW.sku))"))
    note = proved_with_note(migration, shop(vendor), tmp_path)
    assert "trigger " in note and "in the place of" not in note


@pytest.mark.postgresql
def test_a_trigger_in_the_place_of_a_check_is_named(tmp_path: Path) -> None:
    """Only PostgreSQL takes the clock in a CHECK, so only there the original ends."""
    note = proved_with_note(ASKED["rule"], shop("postgresql"), tmp_path)
    assert "trigger " in note and "in the place of constraint orders_not_from_tomorrow" in note


def proved_with_note(migration: str, start: StartSchema, root: Path) -> str:
    proof = prove(question(migration, start, root), only=("crashes",))
    states = {name: claim(proof, name).state for name in ("same_end", "taken_back", "locks", "crashes")}
    assert set(states.values()) == {"proved"}, [one for one in proof.claims if one.state != "proved"]
    (note,) = (one for one in proof.notes if one.startswith("directives ask for more"))
    return note


@pytest.mark.postgresql
def test_tables_that_belong_to_postgres(tmp_path: Path) -> None:
    """As most people's do: what the plan makes belongs to that role too, which is an ordinary one in the lab."""
    start = shop("postgresql")
    assert start.catalog is not None
    catalog = start.catalog
    for one in catalog.tables.values():
        catalog = catalog.with_table(replace(one, owner="postgres"))
    migration = ASKED["maintained"].format(folded=FOLDED["postgresql"])
    assert "trigger " in proved_with_note(migration, dataclasses.replace(start, catalog=catalog), tmp_path)


def test_a_trigger_that_no_directive_asks_for_is_a_difference(tmp_path: Path) -> None:
    """The same plan, and a migration whose statement says nothing of it."""
    asked = question(ASKED["polymorphic"], shop("sqlite"), tmp_path)
    bare = [replace(one, statements=tuple(replace(each, directives=()) for each in one.statements)) for one in asked.migrations]
    same = claim(prove(dataclasses.replace(asked, migrations=bare), only=()), "same_end")
    assert any("trigger " in one.object for one in same.differences), same


VISITS = """
CREATE TABLE people (id int PRIMARY KEY);
CREATE TABLE visits (id int REFERENCES people (id), at date, note text, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE visits_early PARTITION OF visits FOR VALUES FROM ('2026-01-01') TO ('2026-07-01');
CREATE TABLE visits_late PARTITION OF visits FOR VALUES FROM ('2026-07-01') TO ('2028-01-01');
CREATE TABLE marks (n int PRIMARY KEY, visit int, day date, CONSTRAINT marks_visit FOREIGN KEY (visit, day) REFERENCES visits (id, at));
COMMENT ON CONSTRAINT visits_pkey ON visits IS 'who and when';
COMMENT ON CONSTRAINT marks_visit ON marks IS 'of which visit';
"""


@pytest.mark.postgresql
def test_a_key_of_a_partitioned_table(tmp_path: Path) -> None:
    """Every partition is locked as its steps say, and comments on constraints are in every copy."""
    proof = prove(question("ALTER TABLE visits ALTER COLUMN id TYPE bigint;", schema(VISITS, "postgresql"), tmp_path))
    assert claim(proof, "locks").differences == ()
    for name in ("same_end", "taken_back", "crashes"):
        assert claim(proof, name).state == "proved", claim(proof, name)


# the tool's own version table


def silenced(begins: str) -> Callable[[Plan], Plan]:
    """No step, forward or back, says what begins so of the version table."""

    def spoken(steps: Sequence[Step]) -> tuple[Step, ...]:
        out: list[Step] = []
        for step in steps:
            if isinstance(step, RunSql):
                kept = tuple(one for one in step.statements if not (one.startswith(begins) and "migration" in one))
                step = replace(step, statements=kept or ("SELECT 1",))
            if isinstance(step.undo, UndoSteps):
                step = replace(step, undo=replace(step.undo, steps=spoken(step.undo.steps)))
            out.append(step)
        return tuple(out)

    return lambda plan: replace(plan, steps=spoken(plan.steps))


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_migration_that_is_not_recorded_is_found(vendor: str, tmp_path: Path) -> None:
    """The next deploy would run it again."""
    change = silenced("INSERT INTO")
    proof = prove(question("ALTER TABLE users ADD COLUMN nickname varchar(255);", shop(vendor), tmp_path, change=change), only=())
    (found,) = claim(proof, "same_end").differences
    assert found.object == "migration 001"
    assert "run it again" in found.what


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_record_that_outlives_the_rollback_is_found(vendor: str, tmp_path: Path) -> None:
    """No deploy would ever run the migration."""
    change = silenced("DELETE FROM")
    proof = prove(question("ALTER TABLE users ADD COLUMN nickname varchar(255);", shop(vendor), tmp_path, change=change), only=())
    assert claim(proof, "same_end").state == "proved"
    (found,) = claim(proof, "taken_back").differences
    assert found.object == "migration 001"
    assert found.step.startswith("step ")
