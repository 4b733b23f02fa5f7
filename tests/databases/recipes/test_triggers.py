"""Triggers and their functions made, replaced and switched off under a writing application: no row passes between two of them."""

from __future__ import annotations

import pytest
from recipes.rig import Place, Recipe, show

SCHEMA = {
    "postgresql": """
CREATE TABLE items (id bigint PRIMARY KEY, name text, stamp text);
CREATE FUNCTION stamped() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.stamp := 'yes'; RETURN NEW; END $$;
CREATE TRIGGER stamp BEFORE INSERT OR UPDATE ON items FOR EACH ROW EXECUTE FUNCTION stamped();
""",
    "sqlite": """
CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT, stamp TEXT);
CREATE TRIGGER stamp AFTER INSERT ON items BEGIN UPDATE items SET stamp = 'yes' WHERE id = NEW.id; END;
""",
}
WRITES = (
    "INSERT INTO items (id, name) VALUES ({n}, 'new')",
    "UPDATE items SET name = 'newer' WHERE id = {n} - 1",
    "DELETE FROM items WHERE id = {n} - 12",
)
REPLACED = {
    "postgresql": "DROP TRIGGER stamp ON items; CREATE TRIGGER stamp BEFORE INSERT OR UPDATE OF name ON items FOR EACH ROW EXECUTE FUNCTION stamped();",
    "sqlite": "DROP TRIGGER stamp; CREATE TRIGGER stamp AFTER INSERT ON items WHEN NEW.id >= 0 BEGIN UPDATE items SET stamp = 'yes' WHERE id = NEW.id; END;",
}


@pytest.mark.on("postgresql", "sqlite")
@pytest.mark.recipe("triggers", "native", why="dropped and made again in one transaction, under the stall budget")
def test_a_trigger_is_replaced_without_a_gap(place: Place) -> None:
    """Every row that was written has its stamp: the rows are the same as where the trigger was replaced in a pause."""
    shown = show(place, Recipe(schema=SCHEMA, migration=REPLACED, old=WRITES))
    assert len(shown.plan.steps) == 1
    assert shown.planned.query("SELECT count(*) FROM items WHERE stamp IS NULL") == [(0,)]


@pytest.mark.on("postgresql")
def test_its_function_is_replaced_without_a_gap(place: Place) -> None:
    migration = (
        "CREATE OR REPLACE FUNCTION stamped() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.stamp := 'y' || 'es'; RETURN NEW; END $$;"
        "CREATE OR REPLACE TRIGGER stamp BEFORE INSERT OR UPDATE ON items FOR EACH ROW WHEN (NEW.id >= 0) EXECUTE FUNCTION stamped();"
    )
    shown = show(place, Recipe(schema=SCHEMA, migration=migration, old=WRITES))
    assert shown.planned.query("SELECT count(*) FROM items WHERE stamp IS NULL") == [(0,)]


@pytest.mark.on("postgresql")
def test_a_trigger_is_switched_off_and_on(place: Place) -> None:
    schema = SCHEMA["postgresql"] + "ALTER TABLE items DISABLE TRIGGER stamp;"
    migration = "ALTER TABLE items ENABLE ALWAYS TRIGGER stamp; ALTER TABLE items DISABLE TRIGGER stamp;"
    shown = show(place, Recipe(schema=schema, migration=migration, old=WRITES, without=("stamp",)))
    assert all(step.lock_timeout_ms for step in shown.plan.steps)


@pytest.mark.on("postgresql", "sqlite")
def test_a_new_trigger_on_a_busy_table(place: Place) -> None:
    """What is written from then on has the mark; the structure is that of the naive migration, and the way back leaves nothing."""
    bare = {
        "postgresql": "CREATE TABLE items (id bigint PRIMARY KEY, name text, stamp text);",
        "sqlite": "CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT, stamp TEXT);",
    }
    migration = {name: text.partition(";")[2] for name, text in SCHEMA.items()}
    show(place, Recipe(schema=bare, migration=migration, old=WRITES, without=("stamp",)))
