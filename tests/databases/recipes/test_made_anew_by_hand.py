"""SQLite: what Django, Alembic's batch mode, Prisma and Rails write where ALTER TABLE does not do it. It becomes a rebuild in chunks, with a way back.
Elsewhere it runs as it stands, in one phase."""

from __future__ import annotations

import pytest
from recipes.rig import Place, Recipe, Texts, accepted, apply, gates, show, there_and_back

from driftflow.errors import RefusedError
from driftflow.model.plan import Gate, Plan, RebuildTable

SCHEMA = """
CREATE TABLE "kinds" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "word" text NOT NULL);
INSERT INTO kinds (word) VALUES ('a'), ('b');
CREATE TABLE "items" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "name" varchar(50), "qty" integer NOT NULL DEFAULT 0, "kind" integer REFERENCES "kinds" ("id"));
CREATE TABLE "notes" ("id" integer PRIMARY KEY, "item" integer NOT NULL REFERENCES "items" ("id") ON DELETE CASCADE);
INSERT INTO items (name, qty, kind) VALUES ('a', 1, 1), ('b', 2, NULL), ('c', 3, 2);
INSERT INTO notes VALUES (1, 1), (2, 3);
"""
WRITES = (
    "UPDATE items SET qty = qty + 1 WHERE id = {n} % 3 + 1",
    "INSERT INTO items (name, qty) VALUES ('n{n}', {n})",
    "DELETE FROM items WHERE name = 'n' || ({n} - 7)",
)
DJANGO = """
BEGIN;
CREATE TABLE "new__items" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "name" varchar(50) NULL, "qty" bigint NOT NULL, "kind" integer REFERENCES "kinds" ("id") DEFERRABLE INITIALLY DEFERRED);
INSERT INTO "new__items" ("id", "name", "kind", "qty") SELECT "id", "name", "kind", "qty" FROM "items";
DROP TABLE "items";
ALTER TABLE "new__items" RENAME TO "items";
CREATE INDEX "items_kind" ON "items" ("kind");
CREATE TABLE "new__items" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "name" varchar(50) NULL, "qty" bigint NOT NULL, "kind" integer REFERENCES "kinds" ("id"), "slug" varchar(20) DEFAULT 'none' NOT NULL);
INSERT INTO "new__items" ("id", "name", "kind", "qty", "slug") SELECT "id", "name", "kind", "qty", 'none' FROM "items";
DROP TABLE "items";
ALTER TABLE "new__items" RENAME TO "items";
CREATE INDEX "items_kind" ON "items" ("kind");
COMMIT;
"""
PRISMA = """
PRAGMA defer_foreign_keys=ON;
PRAGMA foreign_keys=OFF;
CREATE TABLE "new_items" ("id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, "name" TEXT, "qty" INTEGER NOT NULL DEFAULT 0, "kind" INTEGER,
    "live" BOOLEAN NOT NULL DEFAULT true, CONSTRAINT "items_kind_fkey" FOREIGN KEY ("kind") REFERENCES "kinds" ("id") ON DELETE SET NULL ON UPDATE CASCADE);
INSERT INTO "new_items" ("id", "kind", "name", "qty") SELECT "id", "kind", "name", "qty" FROM "items";
DROP TABLE "items";
ALTER TABLE "new_items" RENAME TO "items";
PRAGMA foreign_keys=ON;
PRAGMA defer_foreign_keys=OFF;
"""
ALEMBIC = """
CREATE TABLE _alembic_tmp_items (id INTEGER NOT NULL, name VARCHAR(100), qty INTEGER DEFAULT 0 NOT NULL, kind INTEGER, PRIMARY KEY (id), CHECK (qty >= 0));
INSERT INTO _alembic_tmp_items (id, name, qty, kind) SELECT items.id, items.name, items.qty, items.kind FROM items;
DROP TABLE items;
ALTER TABLE _alembic_tmp_items RENAME TO items;
"""
ANEW = """
CREATE TABLE "new_items" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, {columns}, "kind" integer REFERENCES "kinds" ("id"));
INSERT INTO "new_items" ("id", {names}, "kind") SELECT "id", {values}, "kind" FROM "items"{where};
DROP TABLE "items";
ALTER TABLE "new_items" RENAME TO "items";
"""


UNBOUND = "PRAGMA foreign_keys=OFF;\n"
"""As these tools do: else DROP TABLE deletes what points at the rows."""


def anew(columns: str, names: str, values: str, where: str = "") -> str:
    return ANEW.format(columns=columns, names=names, values=values, where=where)


RENAMED = anew('"title" varchar(50), "qty" integer NOT NULL DEFAULT 0', '"title", "qty"', '"name", "qty"')
DROPPED = anew('"name" varchar(50)', '"name"', '"name"')
FILLED = anew(
    '"name" varchar(50) NOT NULL, "qty" integer NOT NULL DEFAULT 0', '"name", "qty"', 'coalesce("name", \'none\'), "qty"'
)

VIEW = 'CREATE VIEW "named" AS SELECT "id", "name" FROM "items";'
AMONG = """
CREATE TABLE "new_items" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "name" varchar(50), "qty" bigint NOT NULL DEFAULT 0, "kind" integer REFERENCES "kinds" ("id"));
DROP INDEX "items_name";
PRAGMA foreign_key_check;
INSERT INTO "new_items" SELECT * FROM "items";
DROP VIEW "named";
CREATE TABLE "fresh" ("id" integer PRIMARY KEY, "item" integer REFERENCES "items" ("id"));
DROP TABLE "items";
INSERT INTO "fresh" VALUES (1, 1);
ALTER TABLE "new_items" RENAME TO "items";
CREATE INDEX "items_name" ON "items" ("name");
"""
RAILS = """
CREATE TEMPORARY TABLE "aitems" ("id" integer PRIMARY KEY AUTOINCREMENT NOT NULL, "name" varchar(50), "qty" integer NOT NULL DEFAULT 0, "kind" integer);
INSERT INTO "aitems" ("id", "name", "qty", "kind") SELECT "id", "name", "qty", "kind" FROM "items";
DROP TABLE "items";
CREATE TABLE "items" ("id" integer PRIMARY KEY AUTOINCREMENT NOT NULL, "name" varchar, "qty" integer DEFAULT 0, "kind" integer, FOREIGN KEY ("kind") REFERENCES "kinds" ("id"));
INSERT INTO "items" ("id", "name", "qty", "kind") SELECT "id", "name", "qty", "kind" FROM "aitems";
DROP TABLE "aitems";
"""
BESIDE = (
    SCHEMA
    + f"""
CREATE INDEX "items_name" ON "items" ("name");
{VIEW}
"""
)


def rebuilds(plan: Plan) -> list[RebuildTable]:
    return [step for step in plan.steps if isinstance(step, RebuildTable)]


@pytest.mark.on("sqlite")
@pytest.mark.recipe("rebuild", "native", on=("sqlite",))
@pytest.mark.parametrize(
    ("migration", "count", "old", "new"),
    [
        pytest.param(DJANGO, 2, WRITES, None, id="django"),
        pytest.param(PRISMA, 1, WRITES, None, id="prisma"),
        pytest.param(ALEMBIC, 1, WRITES, None, id="alembic"),
        pytest.param(RAILS, 1, WRITES, None, id="rails"),
        pytest.param(
            RENAMED, 1, ("UPDATE items SET qty = qty + 1 WHERE id = {n} % 3 + 1",), None, id="a column gets another name"
        ),
    ],
)
def test_a_table_that_the_migration_makes_anew(place: Place, migration: str, count: int, old: Texts, new: Texts | None) -> None:
    """Nothing is lost, so nobody has to accept anything, and every row comes back."""
    shown = show(place, Recipe(schema=SCHEMA, migration=migration, naive=f"{UNBOUND}{migration}", old=old, new=new))
    assert len(rebuilds(shown.plan)) == count
    assert accepted(shown.plan) == ()
    assert all(step.online is not None for step in rebuilds(shown.plan))


@pytest.mark.on("sqlite")
def test_a_column_that_is_left_out_is_one_that_is_dropped(place: Place) -> None:
    """Behind the gate, accepted by name; and it comes back without its values, every row with it."""
    planned, start = place.fresh(SCHEMA), place.fresh(SCHEMA)
    plan = planned.plan(DROPPED)
    (gate,) = (step for step in plan.steps if isinstance(step, Gate))
    assert gate.checklist == ("code that still uses items.qty fails",)
    assert accepted(plan) == ("drop_column main.items.qty",)
    there_and_back(planned, DROPPED)
    assert planned.structure() == start.structure()
    assert planned.rows(without=("qty",)) == start.rows(without=("qty",))
    assert planned.query("SELECT DISTINCT qty FROM items") == [(0,)]


@pytest.mark.on("sqlite")
def test_a_value_that_is_written_over_is_accepted_by_name(place: Place) -> None:
    """As Alembic's batch mode converts a type."""
    migration = ALEMBIC.replace("VARCHAR(100), qty INTEGER DEFAULT 0", "VARCHAR(100), qty TEXT DEFAULT 0")
    migration = migration.replace("items.qty", "CAST(items.qty AS TEXT) AS qty")
    planned, naive = place.fresh(SCHEMA), place.fresh(SCHEMA)
    plan = planned.plan(migration)
    assert (len(rebuilds(plan)), accepted(plan)) == (1, ("rebuild_table main.items",))
    assert apply(plan, planned, open_gates=gates(plan)).state == "done"
    naive.run(f"{UNBOUND}{migration}")
    assert planned.structure() == naive.structure()
    assert planned.rows() == naive.rows()


@pytest.mark.on("sqlite")
def test_rows_that_the_new_form_rejects_stop_it_before_it_begins(place: Place) -> None:
    planned = place.fresh(SCHEMA + "UPDATE items SET name = NULL WHERE id = 2;")
    before = planned.rows()
    strict = anew('"name" varchar(50) NOT NULL, "qty" integer NOT NULL DEFAULT 0', '"name", "qty"', '"name", "qty"')
    with pytest.raises(RefusedError, match="1 rows of items have no name"):
        apply(planned.plan(strict), planned)
    assert planned.rows() == before
    planned = place.fresh(SCHEMA + "UPDATE items SET name = NULL WHERE id = 2;")
    plan = planned.plan(FILLED)
    assert accepted(plan) == ("rebuild_table main.items",)
    assert apply(plan, planned, open_gates=gates(plan)).state == "done"
    assert planned.query("SELECT name FROM items WHERE id = 2") == [("none",)]


@pytest.mark.on("sqlite")
@pytest.mark.parametrize(
    "migration",
    [
        pytest.param(anew('"name" varchar(50)', '"name"', '"name"', " WHERE qty > 1"), id="some rows"),
        pytest.param(anew('"name" varchar(50)', '"name"', "(SELECT word FROM kinds WHERE kinds.id = kind)"), id="another table"),
        pytest.param(anew('"name" varchar(50)', '"name"', '"name"').replace('TO "items"', 'TO "things"'), id="another name"),
        pytest.param(
            anew('"name" varchar(50), "qty" integer NOT NULL DEFAULT 0', '"name"', '"name"'), id="a column that is not copied"
        ),
    ],
)
def test_what_is_more_than_a_rebuild_stays_as_it_stands(place: Place, migration: str) -> None:
    planned, naive = place.fresh(SCHEMA), place.fresh(SCHEMA)
    plan = planned.plan(migration)
    assert rebuilds(plan) == []
    assert "drop_table main.items" in accepted(plan)
    assert apply(plan, planned, open_gates=gates(plan)).state == "done"
    naive.run(f"{UNBOUND}{migration}")
    assert planned.structure() == naive.structure()
    assert planned.rows() == naive.rows()


@pytest.mark.on("sqlite")
@pytest.mark.recipe("rebuild", "native", on=("sqlite",))
@pytest.mark.parametrize("again", [pytest.param("", id="the view goes"), pytest.param(VIEW, id="the view comes back")])
def test_other_statements_stand_among_those_of_the_rebuild(place: Place, again: str) -> None:
    shown = show(place, Recipe(schema=BESIDE, migration=AMONG + again, naive=f"{UNBOUND}{AMONG}{again}", old=WRITES))
    assert len(rebuilds(shown.plan)) == 1
    assert accepted(shown.plan) == ()
    checklist = [line for step in shown.plan.steps if isinstance(step, Gate) for line in step.checklist]
    assert checklist == ([] if again else ["code that still reads named fails"])


ITEMS = {
    "postgresql": "CREATE TABLE items (id bigint PRIMARY KEY, name varchar(50), qty integer NOT NULL DEFAULT 0);\nINSERT INTO items VALUES (1, 'a', 1), (2, 'b', 2);\n"
    "CREATE VIEW named AS SELECT id, name FROM items;",
    "mysql": "CREATE TABLE items (id bigint PRIMARY KEY, name varchar(50), qty int NOT NULL DEFAULT 0);\nINSERT INTO items VALUES (1, 'a', 1), (2, 'b', 2);\n"
    "CREATE VIEW named AS SELECT id, name FROM items;",
}
BY_HAND = """
CREATE TABLE new_items (id bigint PRIMARY KEY, name varchar(50), qty bigint NOT NULL DEFAULT 0);
INSERT INTO new_items (id, name, qty) SELECT id, name, qty FROM items;
DROP VIEW named;
DROP TABLE items;
ALTER TABLE new_items RENAME TO items;
"""


@pytest.mark.on("postgresql", "mysql", "mariadb")
@pytest.mark.parametrize(
    "again",
    [pytest.param("", id="the view goes"), pytest.param("CREATE VIEW named AS SELECT id FROM items;", id="the view comes back")],
)
@pytest.mark.parametrize("begun", [False, True])
def test_elsewhere_no_gate_stands_between_the_copy_and_the_new_name(place: Place, again: str, begun: bool) -> None:
    """What is written while a gate is shut would be in the old table alone, which is dropped behind it."""
    migration = f"BEGIN;\n{BY_HAND}{again}\nCOMMIT;" if begun else BY_HAND + again
    planned, naive = place.fresh(ITEMS), place.fresh(ITEMS)
    plan = planned.plan(migration)
    phases = {step.phase for step in plan.steps if not isinstance(step, Gate) and "items" in step.purpose}
    assert phases == ({"expand"} if again else {"contract"})
    assert isinstance(plan.steps[0], Gate) is (again == "")
    assert apply(plan, planned, open_gates=gates(plan)).state == "done"
    naive.run(BY_HAND + again)
    assert planned.structure() == naive.structure()
    assert planned.rows() == naive.rows()


@pytest.mark.on("sqlite")
@pytest.mark.parametrize(
    "more", ["CREATE VIEW v AS SELECT n FROM p;", "CREATE TABLE c (id INTEGER PRIMARY KEY, p INTEGER REFERENCES p (id));"]
)
def test_what_would_follow_a_table_that_goes_aside_is_named(place: Place, more: str) -> None:
    """The pragma would keep it from that, in one session; a plan has several."""
    schema = f"CREATE TABLE p (id INTEGER PRIMARY KEY, n TEXT); INSERT INTO p VALUES (1, 'a'); {more}"
    change = (
        "PRAGMA legacy_alter_table = ON; ALTER TABLE p RENAME TO p_old; CREATE TABLE p (id INTEGER PRIMARY KEY, n TEXT DEFAULT 'x');"
        "INSERT INTO p (id, n) SELECT id, n FROM p_old; DROP TABLE p_old; PRAGMA legacy_alter_table = OFF;"
    )
    with pytest.raises(RefusedError, match="DF-E791"):
        place.fresh(schema).plan(change)
    assert place.fresh(schema.replace(more, "")).plan(change).steps[0].strategy == "rebuild_table"
