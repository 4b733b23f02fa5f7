"""Full-text tables of SQLite whose content is another table's: what would take it from them is told before, and a release that makes them anew is carried out."""

from __future__ import annotations

import pytest
from recipes.rig import Place, accepted, apply, changed_and_back, gates

from driftflow.errors import RefusedError

pytestmark = pytest.mark.on("sqlite")
SCHEMA = """
CREATE TABLE docs (id INTEGER PRIMARY KEY, title TEXT NOT NULL, body TEXT, lang TEXT);
CREATE VIRTUAL TABLE search USING fts5(title, body, content='docs', content_rowid='id');
CREATE VIRTUAL TABLE plain USING fts5(title);
CREATE TRIGGER docs_ai AFTER INSERT ON docs BEGIN INSERT INTO search (rowid, title, body) VALUES (NEW.id, NEW.title, NEW.body); END;
INSERT INTO docs (title, body, lang) VALUES ('one', 'first text', 'en'), ('two', 'second text', 'de');
"""
FOUND = "SELECT rowid, title, body FROM search WHERE search MATCH 'text' ORDER BY rowid"


@pytest.mark.parametrize(
    ("change", "lacking"),
    [
        ("ALTER TABLE docs RENAME COLUMN body TO content;", "the column docs.body"),
        ("-- driftflow: cascade\nALTER TABLE docs DROP COLUMN Body;", "the column docs.body"),
        ("ALTER TABLE docs RENAME COLUMN id TO number;", "the column docs.id"),
        ("ALTER TABLE docs RENAME TO papers;", "the table or view docs"),
        ("DROP TABLE docs;", "the table or view docs"),
    ],
)
def test_what_takes_its_content_from_it_is_refused(place: Place, change: str, lacking: str) -> None:
    with pytest.raises(RefusedError, match="DF-E790") as refused:
        place.fresh(SCHEMA).plan(change)
    assert f"the full-text table search would not find {lacking} any more" in str(refused.value)


def test_a_view_may_be_its_content(place: Place) -> None:
    """It may be made anew, and not go."""
    view = "CREATE VIEW english AS SELECT id, title, body FROM docs WHERE lang = 'en';"
    of_view = "CREATE VIRTUAL TABLE in_english USING fts5(title, body, content='english', content_rowid='id');"
    database = place.fresh(f"{SCHEMA}{view}{of_view}")
    with pytest.raises(RefusedError, match="DF-E790") as refused:
        database.plan("DROP VIEW english;")
    assert "the full-text table in_english would not find the table or view english any more" in str(refused.value)
    change = f"DROP VIEW english; {view.replace('WHERE', 'WHERE id > 0 AND')}"
    changed_and_back(database, change, database.structure)


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE docs RENAME COLUMN lang TO language;",
        "ALTER TABLE docs ALTER COLUMN body SET NOT NULL;",
        "ALTER TABLE docs DROP COLUMN lang;",
    ],
)
def test_it_goes_on_through_any_other_change(place: Place, change: str) -> None:
    database = place.fresh(SCHEMA)
    changed_and_back(database, change, lambda: (database.structure(), database.query(FOUND)))
    database.run("INSERT INTO docs (title, body) VALUES ('three', 'new text');")
    assert [row[0] for row in database.query(FOUND)] == [1, 2, 3]


def test_a_release_that_makes_it_anew_is_carried_out(place: Place) -> None:
    database = place.fresh(SCHEMA)
    change = (
        "DROP TRIGGER docs_ai; DROP TABLE search; ALTER TABLE docs RENAME COLUMN body TO content;"
        "CREATE VIRTUAL TABLE search USING fts5(title, content, content='docs', content_rowid='id');"
        "INSERT INTO search (search) VALUES ('rebuild');"
    )
    plan = database.plan(change)
    assert apply(plan, database, open_gates=gates(plan)).state == "done" and accepted(plan)
    assert database.query("SELECT content FROM search WHERE search MATCH 'second'") == [("second text",)]
