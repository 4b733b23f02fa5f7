"""`driftflow prove` where SQLite gives a row its number: through the view under a table's old name it cannot, and under another primary key it does not."""

from __future__ import annotations

from pathlib import Path

import pytest
from proving import claim, question, schema, tampered

from driftflow.lab.proof.prove import prove
from driftflow.model.plan import Gate
from driftflow.model.record import replace

pytestmark = pytest.mark.sqlite
ITEMS = """
CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, kind TEXT DEFAULT 'plain', amount INTEGER);
CREATE TABLE parts (id INTEGER PRIMARY KEY, item INTEGER REFERENCES items (id));
CREATE VIEW some AS SELECT id, name FROM items WHERE amount > 3;
"""
RENAME = "ALTER TABLE items RENAME TO articles;"


@pytest.mark.parametrize("also", ["", "DROP VIEW some; ALTER TABLE articles ADD COLUMN seen INTEGER NOT NULL DEFAULT 0;"])
def test_the_application_chooses_its_keys_as_the_recipe_demands(also: str, tmp_path: Path) -> None:
    proof = prove(question(RENAME + also, schema(ITEMS, "sqlite"), tmp_path))
    assert [one for one in proof.claims if one.state not in ("proved", "not_asked")] == [] and proof.green
    assert any("gives main.items.id, main.items.kind a value" in note for note in proof.notes)


def test_a_view_that_loses_what_is_written_is_found_all_the_same(tmp_path: Path) -> None:
    wrong = tampered(
        lambda step: replace(
            step, statements=tuple(one.replace("name = NEW.name", "name = OLD.name") for one in step.statements)
        ),
        naming="INSTEAD OF UPDATE",
    )
    proof = prove(question(RENAME.replace("items", "parts"), schema(ITEMS, "sqlite"), tmp_path), only=("writers",))
    assert claim(proof, "writers").state == "proved"
    items = ITEMS.replace(" UNIQUE", "")
    proof = prove(question(RENAME, schema(items, "sqlite"), tmp_path, change=wrong), only=("writers",))
    assert claim(proof, "writers").state == "differs"


def test_another_key_than_the_number_of_the_row_waits_for_the_new_application(tmp_path: Path) -> None:
    keyed = "CREATE TABLE items (id INTEGER NOT NULL, shop INTEGER NOT NULL, CONSTRAINT items_pk PRIMARY KEY (id));"
    change = "ALTER TABLE items DROP CONSTRAINT items_pk; ALTER TABLE items ADD PRIMARY KEY (shop, id);"
    asked = question(change, schema(keyed, "sqlite"), tmp_path)
    assert any(isinstance(step, Gate) for step in asked.plan.steps)
    assert prove(asked).green
