"""SQLite: however other statements stand among those that make a table anew by hand, the plan ends where the file itself ends, or is refused before anything
has run. Never is the old table gone and the new one not in its place."""

from __future__ import annotations

import sqlite3
import sys
import tempfile
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[1] / "databases"))
from recipes.rig import Database, accepted, edge, gates

import planning
from driftflow.config import Policy
from driftflow.dialects.registry import dialect_named
from driftflow.engine.run import RunOptions, run_plan
from driftflow.errors import RefusedError
from driftflow.planner.compose import compose_plan

pytestmark = pytest.mark.sqlite
SCHEMA = """
CREATE TABLE kinds (id integer PRIMARY KEY, word text);
INSERT INTO kinds VALUES (1, 'a'), (2, 'b');
CREATE TABLE items (id integer NOT NULL PRIMARY KEY AUTOINCREMENT, name varchar(50), qty integer NOT NULL DEFAULT 0, kind integer REFERENCES kinds (id));
CREATE INDEX items_name ON items (name);
CREATE TRIGGER items_log AFTER UPDATE ON items BEGIN INSERT INTO log VALUES (new.id); END;
CREATE TABLE notes (id integer PRIMARY KEY, item integer NOT NULL REFERENCES items (id) ON DELETE CASCADE, body text);
CREATE TABLE log (item integer);
CREATE TABLE apart (id integer PRIMARY KEY, word text);
INSERT INTO items (name, qty, kind) VALUES ('a', 1, 1), (NULL, 2, NULL), ('c', 3, 2);
INSERT INTO notes VALUES (1, 1, 'x'), (2, 3, 'y');
INSERT INTO apart VALUES (1, 'z');
CREATE VIEW v AS SELECT id, name FROM items;
"""
NEW = "(id integer NOT NULL PRIMARY KEY AUTOINCREMENT, name varchar(50) NOT NULL DEFAULT '', qty bigint NOT NULL DEFAULT 0, kind integer REFERENCES kinds (id))"
LESS = "(id integer NOT NULL PRIMARY KEY AUTOINCREMENT, name varchar(50), kind integer REFERENCES kinds (id))"
NOTES = "(id integer PRIMARY KEY, item bigint NOT NULL REFERENCES items (id) ON DELETE CASCADE, body text NOT NULL DEFAULT '')"
FILLED = "SELECT id, coalesce(items.name, '') AS name, qty, kind FROM items"
FLOWS = (
    (f"CREATE TABLE new_items {NEW}", f"INSERT INTO new_items (id, name, qty, kind) {FILLED}", "DROP TABLE items", "ALTER TABLE new_items RENAME TO items"),
    (f"CREATE TABLE __new_items {LESS}", "INSERT INTO __new_items SELECT id, name, kind FROM items", "DROP TABLE items", "ALTER TABLE __new_items RENAME TO items"),
    (f"CREATE TABLE new_items {NEW}", f"INSERT INTO new_items {FILLED} WHERE qty > 1", "DROP TABLE items", "ALTER TABLE new_items RENAME TO items"),
    (
        "CREATE TEMPORARY TABLE aitems (id integer, name text, qty integer, kind integer)", "INSERT INTO aitems SELECT id, name, qty, kind FROM items", "DROP TABLE items",
        f"CREATE TABLE items {NEW}", "INSERT INTO items (id, name, qty, kind) SELECT id, coalesce(name, ''), qty, kind FROM aitems", "DROP TABLE aitems",
    ),
    (
        "ALTER TABLE notes RENAME TO notes_old", f"CREATE TABLE notes {NOTES}", "INSERT INTO notes (id, item, body) SELECT id, item, coalesce(body, '') FROM notes_old", "DROP TABLE notes_old",
    ),
    (f"CREATE TABLE new_notes {NOTES}", "INSERT INTO new_notes SELECT * FROM notes", "DROP TABLE notes", "ALTER TABLE new_notes RENAME TO notes"),
    (f"CREATE TABLE new_items {NEW}", f"INSERT INTO new_items {FILLED}", "ALTER TABLE items RENAME TO items_old", "ALTER TABLE new_items RENAME TO items", "DROP TABLE items_old"),
)  # fmt: skip
OTHERS = (
    ("DROP VIEW v",), ("DROP VIEW IF EXISTS v", "CREATE VIEW v AS SELECT id, qty AS name FROM items"), ("DROP TRIGGER items_log",), ("DROP INDEX items_name",),
    ("DROP INDEX items_name", "CREATE INDEX items_name ON items (name, kind)"), ("PRAGMA foreign_keys=OFF", "PRAGMA foreign_key_check"),
    ("CREATE TABLE fresh (id integer PRIMARY KEY, item integer REFERENCES items (id))", "INSERT INTO fresh VALUES (1, 1)"),
    ("UPDATE apart SET word = 'y'",), ("UPDATE items SET qty = qty + 1",), ("UPDATE new_items SET qty = 9 WHERE id = 1",), ("INSERT INTO kinds VALUES (3, 'c')",),
    ("INSERT INTO apart SELECT id + 10, name FROM items",), ("CREATE INDEX new_qty ON new_items (qty)",), ("ALTER TABLE apart ADD COLUMN more text",), ("SELECT count(*) FROM items",),
    ("ALTER TABLE kinds RENAME COLUMN word TO label",), ("DELETE FROM notes WHERE id = 1",), ("CREATE TRIGGER t AFTER INSERT ON items BEGIN INSERT INTO log VALUES (new.id); END",),
    ("ALTER TABLE kinds RENAME TO sorts",), ("DROP TABLE apart",),
)  # fmt: skip


@st.composite
def migrations(draw: st.DrawFn) -> tuple[list[str], str]:
    """Statements in an order that keeps each part's own, and the transaction that the tool runs them in."""
    parts = [list(draw(st.sampled_from(FLOWS)))]
    parts += [list(one) for one in draw(st.lists(st.sampled_from((*OTHERS, *OTHERS, *FLOWS)), max_size=3, unique=True))]
    out = list[str]()
    while parts := [part for part in parts if part]:
        out.append(draw(st.sampled_from(parts)).pop(0))
    return out, draw(st.sampled_from(("single", "per_statement", "written")))


def text_of(statements: list[str], mode: str) -> str:
    text = "".join(f"{one};\n" for one in statements)
    return f"BEGIN;\n{text}COMMIT;\n" if mode == "written" else text


@settings(max_examples=150, deadline=None)
@given(made=migrations(), small=st.booleans())
def test_it_ends_where_the_file_ends(made: tuple[list[str], str], small: bool) -> None:
    statements, mode = made
    text = text_of(statements, mode)
    dialect = dialect_named("sqlite")
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        naive, planned = (Database(f"sqlite:///{folder}/{name}.db", dialect) for name in ("naive", "planned"))
        for one in (naive, planned):
            with closing(sqlite3.connect(one.url.removeprefix("sqlite:///"))) as db:
                db.executescript(SCHEMA)
        with closing(sqlite3.connect(naive.url.removeprefix("sqlite:///"), isolation_level=None)) as db:
            try:
                db.executescript(f"BEGIN;\n{text}COMMIT;" if mode == "single" else text)
            except sqlite3.Error:
                assume(False)
        before = planned.structure(), planned.rows()
        migration = planning.migration_of(text, dialect, transaction="file_decides" if mode == "written" else mode)
        policy = Policy(small_table_rows=1000 if small else 0)
        try:
            plan = compose_plan([migration], catalog=planned.catalog(), dialect=dialect, policy=policy)
            report = run_plan(plan, options=RunOptions(open_gates=gates(plan), accept=accepted(plan)), **edge(planned))
        except RefusedError:
            assert (planned.structure(), planned.rows()) == before
            return
        assert report.state == "done", report
        assert planned.structure() == naive.structure()
        assert planned.rows() == naive.rows()
