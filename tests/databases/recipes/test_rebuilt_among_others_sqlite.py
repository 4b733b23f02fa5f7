"""SQLite: a table is made anew among other statements of one release. What those have made on it is there afterwards, what they have dropped is not, and
all of it comes back to the letter."""

from __future__ import annotations

import pytest
from recipes.rig import Database, Place, accepted, apply, changed_and_back, gates, outcome

from driftflow.config import Policy

pytestmark = pytest.mark.on("sqlite")
SCHEMA = """
CREATE TABLE shops (id INTEGER PRIMARY KEY, name TEXT NOT NULL, note TEXT);
CREATE TABLE lines (id INTEGER PRIMARY KEY, shop INTEGER REFERENCES shops (id), n INTEGER NOT NULL DEFAULT 0, kind TEXT, x BLOB, [x y] INTEGER);
CREATE VIEW dear (id, name) /* all of them */ AS SELECT l.id, s.name FROM lines l JOIN shops s ON s.id = l.shop WHERE l.n > 2;
CREATE VIEW odd (id) AS SELECT id FROM lines WHERE [x y] > 1;
CREATE TRIGGER through INSTEAD OF INSERT ON dear /* in */ BEGIN INSERT INTO lines (shop, n) VALUES (1, 9); END;
CREATE TRIGGER other AFTER INSERT ON shops BEGIN UPDATE lines SET n = n + 1 WHERE shop = NEW.id; END;
INSERT INTO shops VALUES (1, 'A', NULL), (2, 'B', 'b');
INSERT INTO lines VALUES (1, 1, 3, 'shop', x'00', 2), (2, 2, 2, NULL, NULL, NULL);
"""
TEXTS = (
    "SELECT type, name, sql FROM sqlite_schema WHERE type IN ('view', 'trigger') AND name NOT LIKE '%driftflow%' ORDER BY 1, 2"
)
REBUILDS = {
    "drop": "-- driftflow: archive\nALTER TABLE lines DROP COLUMN x;\n",
    "check": "ALTER TABLE lines ADD CONSTRAINT small CHECK (n > -5);\n",
    "default": "ALTER TABLE lines ALTER COLUMN n SET DEFAULT 5;\n",
}
MADE = {
    "maintained": (
        '-- driftflow: maintained column=twice set="NEW.n * 2"\nALTER TABLE lines ADD COLUMN twice INTEGER;\n',
        {"zzz_lines_twice_kept_insert", "zzz_lines_twice_kept_update"},
    ),
    "rule": (
        "-- driftflow: rule existing=keep\nALTER TABLE lines ADD CONSTRAINT lim CHECK (n < 3);\n",
        {"lim_insert", "lim_update"},
    ),
    "polymorphic": (
        "-- driftflow: polymorphic type=kind id=shop targets='shop=shops(id)' on-delete=restrict\n".replace("'", '"')
        + "ALTER TABLE lines ADD CONSTRAINT kinds CHECK (kind IN ('shop'));\n",
        {"kinds_child_insert", "kinds_child_update", "kinds_parent_1_delete", "kinds_parent_1_update", "kinds_idx"},
    ),
    "own": ("CREATE TRIGGER mine AFTER INSERT ON lines BEGIN SELECT 1; END;\n", {"mine"}),
}
POLICIES = pytest.mark.parametrize(
    "policy", [Policy(small_table_rows=0), Policy(small_table_rows=10_000)], ids=["large", "small"]
)


def seen(database: Database) -> tuple[object, ...]:
    return (database.structure(), database.rows(), database.left(), database.query(TEXTS))


def names(database: Database) -> set[str]:
    return {
        str(row[0])
        for row in database.query(
            "SELECT name FROM sqlite_schema WHERE type IN ('trigger', 'index') AND sql IS NOT NULL AND name NOT LIKE '%driftflow%'"
        )
    }


@POLICIES
@pytest.mark.parametrize("rebuild", REBUILDS)
@pytest.mark.parametrize("made", MADE)
@pytest.mark.parametrize("first", [True, False], ids=["before", "behind"])
def test_what_the_release_makes_on_the_table_is_there_behind_its_rebuild(
    place: Place, made: str, rebuild: str, first: bool, policy: Policy
) -> None:
    text, expected = MADE[made]
    change = text + REBUILDS[rebuild] if first else REBUILDS[rebuild] + text
    database = place.fresh(SCHEMA)
    plan = database.plan(change, policy=policy)
    assert apply(plan, database, open_gates=gates(plan)).state == "done"
    assert expected <= names(database)
    if made == "rule":
        assert "lim" in outcome(database, "UPDATE lines SET n = 4 WHERE id = 2;"), (
            "what was there stays, what is written keeps to it"
        )
    again = place.fresh(SCHEMA)
    changed_and_back(again, change, lambda: seen(again), policy=policy)


@POLICIES
@pytest.mark.parametrize(
    "change",
    [
        REBUILDS["drop"] + "DROP TRIGGER through;",
        REBUILDS["drop"] + "DROP TRIGGER other;",
        "ALTER TABLE lines RENAME COLUMN n TO amount; DROP TRIGGER other;",
        REBUILDS["drop"] + "ALTER TABLE shops RENAME TO stores;",
        "ALTER TABLE shops RENAME TO stores;\n" + REBUILDS["drop"],
        'ALTER TABLE lines RENAME COLUMN [x y] TO "from"; DROP VIEW odd;',
        '-- driftflow: as-is reason="nobody is there"\nALTER TABLE shops RENAME COLUMN name TO title; DROP TRIGGER through; DROP VIEW dear;',
    ],
)
def test_what_it_drops_or_renames_is_dropped_or_renamed(place: Place, change: str, policy: Policy) -> None:
    """And comes back as it was, comments and all: who renames a column changes the texts of views that are dropped a moment later."""
    database, naive, start = (place.fresh(SCHEMA) for _ in range(3))
    plan = database.plan(change, policy=policy)
    assert accepted(plan) == () and apply(plan, database, open_gates=gates(plan)).state == "done"
    naive.run(change)
    assert (database.seen().structure, database.rows()) == (naive.seen().structure, naive.rows())
    again = place.fresh(SCHEMA)
    changed_and_back(again, change, lambda: (again.structure(), again.rows()), policy=policy)
    if "RENAME" not in change:
        assert again.query(TEXTS) == start.query(TEXTS)
