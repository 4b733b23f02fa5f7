"""Documents whose column changes its type are held against a JSON Schema before anything is done, on every server."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from recipes.rig import Database, Place, Recipe, refused, show

from driftflow.errors import RefusedError

SCHEMA = {
    "type": "object",
    "required": ["n"],
    "properties": {"n": {"type": "integer", "minimum": 0}, "tags": {"type": "array", "items": {"type": "string"}}},
    "additionalProperties": False,
}
DOCUMENTS = {
    "postgresql": """
        CREATE TABLE notes (id int PRIMARY KEY, body text, at int);
        INSERT INTO notes SELECT n, '{"n": ' || n || '}', n FROM generate_series(1, 400) AS n;
    """,
    "mysql": """
        CREATE TABLE notes (id int PRIMARY KEY, body text, at int) DEFAULT CHARACTER SET utf8mb4;
        INSERT INTO notes WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 400)
            SELECT n, concat('{"n": ', n, '}'), n FROM s;
    """,
    "sqlite": """
        CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT, at INT);
        WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 400)
            INSERT INTO notes SELECT n, '{"n": ' || n || '}', n FROM s;
    """,
}
CHANGE = {
    "postgresql": "ALTER TABLE notes ALTER COLUMN body TYPE jsonb USING body::jsonb;",
    "mysql": "ALTER TABLE notes MODIFY body json;",
    "sqlite": "ALTER TABLE notes ALTER COLUMN body TYPE JSON USING json(body);",
}
WRITES = (
    'INSERT INTO notes (id, body, at) VALUES (1000 + {n}, \'{{"n": {n}, "tags": ["new"]}}\', {n})'.replace("{{", "{").replace(
        "}}", "}"
    ),
    "UPDATE notes SET at = at + 1 WHERE id = {n} % 300 + 1",
    "DELETE FROM notes WHERE id = {n} % 100 + 1",
)
BROKEN = """
    UPDATE notes SET body = '{"n": "three"}' WHERE id = 3;
    UPDATE notes SET body = '{"tags": ["secret"]}' WHERE id = 5;
    UPDATE notes SET body = NULL WHERE id = 7;
"""


def said(place: Place) -> str:
    return f"-- driftflow: convert schema=note.json\n{place.pick(CHANGE)}"


def why_refused(database: Database, migration: str, folder: Path) -> str:
    why = str(refused(database, migration, folder=folder))
    assert "secret" not in why
    return why


@pytest.mark.recipe(
    "json-text", "native", why="documents are held against a JSON Schema before, by key", on=("postgresql", "mysql", "mariadb")
)
@pytest.mark.recipe("json-text", "emulated", why="documents are held against a JSON Schema before, by key", on=("sqlite",))
def test_documents_keep_to_their_schema(place: Place, tmp_path: Path) -> None:
    (tmp_path / "note.json").write_text(json.dumps(SCHEMA))
    naive = ""
    if place.vendor == "sqlite":
        naive = """
            CREATE TABLE made (id INTEGER PRIMARY KEY, body JSON, at INT);
            INSERT INTO made SELECT id, json(body), at FROM notes;
            DROP TABLE notes;
            ALTER TABLE made RENAME TO notes;
        """
    recipe = Recipe(
        schema=DOCUMENTS, migration=said(place), naive=naive or CHANGE, old=WRITES[1:] if naive else WRITES, folder=tmp_path
    )
    show(place, recipe, back=False)
    broken = place.fresh(place.pick(DOCUMENTS) + BROKEN)
    error = why_refused(broken, said(place), tmp_path)
    assert "2 rows of notes hold a body that breaks the schema note.json" in error
    assert "the rows with the keys 3, 5" in error


def test_text_that_is_no_json_is_counted_too(place: Place, tmp_path: Path) -> None:
    (tmp_path / "note.json").write_text(json.dumps(SCHEMA))
    database = place.fresh(place.pick(DOCUMENTS) + "UPDATE notes SET body = 'no secret' WHERE id IN (3, 5);")
    assert "2 rows of notes hold a body that" in why_refused(database, said(place), tmp_path)


def test_what_holds_no_documents_has_no_schema(place: Place, tmp_path: Path) -> None:
    (tmp_path / "note.json").write_text(json.dumps(SCHEMA))
    change = "MODIFY at bigint" if place.vendor in ("mysql", "mariadb") else "ALTER COLUMN at TYPE bigint"
    with pytest.raises(RefusedError) as error:
        place.fresh(DOCUMENTS).plan(f"-- driftflow: convert schema=note.json\nALTER TABLE notes {change};", folder=tmp_path)
    assert error.value.code == "DF-E731"
