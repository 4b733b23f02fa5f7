"""Rebuilding tables on a real SQLite: every trap of the twelve steps, with legacy_alter_table on (as the engine does it) and off."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from itertools import product
from pathlib import Path

import pytest

from driftflow.dialects.sqlite import SQLite
from driftflow.dialects.sqlite.parse import parse_sql
from driftflow.dialects.sqlite.probes import wrongly_typed
from driftflow.dialects.sqlite.rebuild import RebuildParts, rebuild_conditions, rebuild_step_parts
from driftflow.drivers.sqlite import SqliteConnector
from driftflow.drivers.sqlite_catalog import read_catalog
from driftflow.errors import RefusedError
from driftflow.model.catalog import Catalog, Table, structure
from driftflow.model.names import Name
from driftflow.model.record import replace


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


class Shop:
    """One database file, and the twelve steps written out as plainly as SQLite's documentation has them."""

    def __init__(self, file: Path, *, legacy: bool) -> None:
        self.file = file
        self.legacy = legacy
        self.raw = sqlite3.connect(file, isolation_level=None)

    def run(self, script: str) -> None:
        self.raw.executescript(script)

    def ask(self, sql: str) -> list[tuple]:
        return self.raw.execute(sql).fetchall()

    def catalog(self) -> Catalog:
        with closing(SqliteConnector(str(self.file)).connect()) as connection:
            return read_catalog(connection)

    def after(self, sql: str) -> tuple[Catalog, Table, Table]:
        catalog = self.catalog()
        (operation,) = parse_sql(sql)
        resolved = SQLite().resolve(operation, catalog)
        changed = catalog.after(resolved)
        name = resolved.table
        before, wanted = catalog.table(name), changed.table(name)
        assert before is not None
        assert wanted is not None
        return catalog, before, wanted

    def rebuild(self, sql: str, *, expressions: Mapping[str, str] | None = None) -> RebuildParts:
        """Carry out an ALTER TABLE that SQLite does not have, and check that the result is the predicted one."""
        catalog, before, wanted = self.after(sql)
        parts = rebuild_step_parts(before, wanted, catalog, expressions=expressions)
        self.perform(before, parts)
        found = self.catalog().table(wanted.name)
        assert found is not None
        assert structure(found) == structure(wanted)
        return parts

    def perform(self, before: Table, parts: RebuildParts) -> None:
        table, new = quoted(before.name.name), quoted(parts.temporary_name)
        self.raw.execute("PRAGMA foreign_keys = OFF")
        self.raw.execute(f"PRAGMA legacy_alter_table = {'ON' if self.legacy else 'OFF'}")
        self.raw.execute("BEGIN IMMEDIATE")
        try:
            if parts.expected_sql:
                assert self.ask(f"SELECT sql FROM sqlite_master WHERE name = '{before.name.name}'") == [(parts.expected_sql,)]
            for statement in parts.drop_views:
                self.raw.execute(statement)
            self.raw.execute(parts.create_sql)
            columns = ", ".join(name if name in {"rowid", "_rowid_", "oid"} else quoted(name) for name, _ in parts.copy)
            self.raw.execute(f"INSERT INTO {new} ({columns}) SELECT {', '.join(e for _, e in parts.copy)} FROM {table}")
            if parts.autoincrement and (kept := self.ask(f"SELECT seq FROM sqlite_sequence WHERE name = '{before.name.name}'")):
                self.raw.execute("DELETE FROM sqlite_sequence WHERE name = ?", (parts.temporary_name,))
                self.raw.execute("INSERT INTO sqlite_sequence(name, seq) VALUES (?, ?)", (parts.temporary_name, kept[0][0]))
            self.raw.execute(f"DROP TABLE {table}")
            self.raw.execute(f"ALTER TABLE {new} RENAME TO {table}")
            for statement in parts.restore:
                self.raw.execute(statement)
            assert self.ask("PRAGMA foreign_key_check") == []
            assert self.ask("PRAGMA integrity_check") == [("ok",)]
        except BaseException:
            self.raw.execute("ROLLBACK")
            raise
        self.raw.execute("COMMIT")
        self.raw.execute("PRAGMA legacy_alter_table = OFF")


@pytest.fixture(params=[True, False], ids=["legacy", "modern"])
def shop(request: pytest.FixtureRequest, sqlite_file: Path) -> Iterator[Shop]:
    shop = Shop(sqlite_file, legacy=request.param)
    yield shop
    shop.raw.close()


FAMILY = """
CREATE TABLE parent(id INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE child(id INTEGER PRIMARY KEY, parent_id INT REFERENCES parent(id) ON DELETE CASCADE);
INSERT INTO parent VALUES (1, 'a'), (2, 'b');
INSERT INTO child VALUES (10, 1), (20, 2), (30, 2);
"""


def test_children_keep_their_rows_and_their_reference(shop: Shop) -> None:
    shop.run(FAMILY)
    shop.rebuild("ALTER TABLE parent ALTER COLUMN name SET NOT NULL")
    assert shop.ask("SELECT * FROM child") == [(10, 1), (20, 2), (30, 2)]
    assert shop.catalog().tables["main.child"].foreign_keys[0].referenced == Name(schema="main", name="parent")
    shop.run("PRAGMA foreign_keys = ON; DELETE FROM parent WHERE id = 2;")
    assert shop.ask("SELECT id FROM child") == [(10,)]


def test_a_reference_to_itself(shop: Shop) -> None:
    shop.run(
        "CREATE TABLE node(id INTEGER PRIMARY KEY, up INT REFERENCES node(id), name TEXT); INSERT INTO node VALUES (1, NULL, 'a'), (2, 1, 'b');"
    )
    shop.rebuild("ALTER TABLE node ALTER COLUMN name SET NOT NULL")
    (key,) = shop.catalog().tables["main.node"].foreign_keys
    assert key.referenced.name == "node"
    shop.run("PRAGMA foreign_keys = ON")
    with pytest.raises(sqlite3.IntegrityError):
        shop.run("INSERT INTO node VALUES (3, 99, 'c')")


def test_views_and_views_on_views_and_their_triggers(shop: Shop) -> None:
    shop.run(
        FAMILY
        + """
        CREATE VIEW inner_view AS SELECT id, name FROM parent;
        CREATE VIEW outer_view(n) AS SELECT name FROM inner_view;
        CREATE VIEW apart AS SELECT * FROM child;
        CREATE TRIGGER on_view INSTEAD OF INSERT ON inner_view BEGIN INSERT INTO parent(name) VALUES (new.name); END;
        """
    )
    before = shop.catalog()
    parts = shop.rebuild("ALTER TABLE parent ADD CONSTRAINT short CHECK (length(name) < 5)")
    assert parts.drop_views == ("DROP VIEW outer_view", "DROP VIEW inner_view")
    assert shop.catalog().views == before.views
    shop.run("INSERT INTO inner_view(name) VALUES ('c')")
    assert shop.ask("SELECT n FROM outer_view") == [("a",), ("b",), ("c",)]


def test_its_triggers_and_those_of_others_that_mention_it(shop: Shop) -> None:
    shop.run(
        FAMILY
        + """
        CREATE TABLE log(what TEXT);
        CREATE TRIGGER own AFTER INSERT ON parent BEGIN INSERT INTO log VALUES ('parent ' || new.name); END;
        CREATE TRIGGER other AFTER INSERT ON child BEGIN UPDATE parent SET name = name || '!' WHERE id = new.parent_id; END;
        CREATE TRIGGER apart AFTER DELETE ON child BEGIN INSERT INTO log VALUES ('gone'); END;
        """
    )
    before = shop.catalog()
    parts = shop.rebuild("ALTER TABLE parent ALTER COLUMN name SET DEFAULT 'x'")
    assert parts.drop_views == ("DROP TRIGGER other",)
    after = shop.catalog()
    assert {key: structure(table) for key, table in after.tables.items() if key != "main.parent"} == {
        key: structure(table) for key, table in before.tables.items() if key != "main.parent"
    }
    shop.run("INSERT INTO child VALUES (40, 1); INSERT INTO parent(name) VALUES ('c')")
    assert shop.ask("SELECT name FROM parent WHERE id = 1") == [("a!",)]
    assert shop.ask("SELECT what FROM log") == [("parent c",)]


def test_indexes_of_every_kind_come_back(shop: Shop) -> None:
    shop.run(
        """
        CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT, b INT, UNIQUE (a, b));
        CREATE INDEX plain ON t(a);
        CREATE INDEX partial ON t(b) WHERE b IS NOT NULL;
        CREATE UNIQUE INDEX expression ON t(lower(a), b DESC);
        CREATE INDEX collated ON t(a COLLATE NOCASE);
        INSERT INTO t VALUES (1, 'x', 1), (2, 'y', NULL);
        """
    )
    shop.rebuild("ALTER TABLE t ALTER COLUMN a SET NOT NULL")
    assert sorted(row[0] for row in shop.ask("SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL")) == [
        "collated",
        "expression",
        "partial",
        "plain",
    ]
    with pytest.raises(sqlite3.IntegrityError, match="expression"):
        shop.run("INSERT INTO t VALUES (3, 'X', 1)")


def test_ids_are_not_given_twice(shop: Shop) -> None:
    shop.run(
        "CREATE TABLE t(id INTEGER PRIMARY KEY AUTOINCREMENT, a TEXT); INSERT INTO t(a) VALUES ('x'), ('y'), ('z'); DELETE FROM t WHERE id = 3;"
    )
    parts = shop.rebuild("ALTER TABLE t ALTER COLUMN a SET NOT NULL")
    assert parts.autoincrement
    shop.run("INSERT INTO t(a) VALUES ('new')")
    assert shop.ask("SELECT max(id) FROM t") == [(4,)]


def test_ids_of_an_emptied_table_are_not_given_twice(shop: Shop) -> None:
    shop.run("CREATE TABLE t(id INTEGER PRIMARY KEY AUTOINCREMENT, a TEXT); INSERT INTO t(a) VALUES ('x'), ('y'); DELETE FROM t;")
    shop.rebuild("ALTER TABLE t ALTER COLUMN a SET NOT NULL")
    shop.run("INSERT INTO t(a) VALUES ('new')")
    assert shop.ask("SELECT id FROM t") == [(3,)]


@pytest.mark.parametrize(
    "columns", ["a TEXT", "a TEXT, rowid TEXT", "a TEXT, rowid TEXT, _rowid_ TEXT", "a TEXT, id INT PRIMARY KEY"]
)
def test_rowids_that_no_column_holds_are_kept(shop: Shop, columns: str) -> None:
    shop.run(f"CREATE TABLE t({columns}); INSERT INTO t(a) VALUES ('x'), ('y'), ('z'); DELETE FROM t WHERE a = 'y';")
    hidden = "oid" if "_rowid_ TEXT" in columns else "_rowid_" if "rowid TEXT" in columns else "rowid"
    parts = shop.rebuild("ALTER TABLE t ALTER COLUMN a SET NOT NULL")
    assert parts.copy[0] == (hidden, hidden)
    assert shop.ask(f"SELECT {hidden}, a FROM t") == [(1, "x"), (3, "z")]


def test_rowids_are_given_up_only_when_columns_took_all_their_names(shop: Shop) -> None:
    shop.run("CREATE TABLE t(a TEXT, rowid TEXT, oid TEXT, _rowid_ TEXT); INSERT INTO t(a) VALUES ('x');")
    parts = shop.rebuild("ALTER TABLE t ALTER COLUMN a SET NOT NULL")
    assert [name for name, _ in parts.copy] == ["a", "rowid", "oid", "_rowid_"]


def test_full_text_search_over_the_table_still_finds_its_rows(shop: Shop) -> None:
    shop.run(
        """
        CREATE TABLE doc(title TEXT, body TEXT);
        CREATE VIRTUAL TABLE search USING fts5(title, body, content='doc', content_rowid='rowid');
        CREATE TRIGGER doc_in AFTER INSERT ON doc BEGIN
          INSERT INTO search(rowid, title, body) VALUES (new.rowid, new.title, new.body);
        END;
        CREATE TRIGGER doc_out AFTER DELETE ON doc BEGIN
          INSERT INTO search(search, rowid, title, body) VALUES ('delete', old.rowid, old.title, old.body);
        END;
        INSERT INTO doc VALUES ('one', 'apple'), ('two', 'pear'), ('three', 'apple pear');
        DELETE FROM doc WHERE title = 'one';
        """
    )
    shop.rebuild("ALTER TABLE doc ALTER COLUMN title SET NOT NULL")
    assert shop.ask("SELECT title FROM search WHERE search MATCH 'apple'") == [("three",)]
    shop.run("INSERT INTO doc VALUES ('four', 'apple'); INSERT INTO search(search) VALUES ('integrity-check');")
    assert shop.ask("SELECT title FROM search WHERE search MATCH 'apple' ORDER BY rowid") == [("three",), ("four",)]


def test_generated_columns_take_no_values(shop: Shop) -> None:
    shop.run(
        "CREATE TABLE t(a INT, stored INT AS (a * 2) STORED, virtual AS (a + 1)); CREATE INDEX by_stored ON t(stored); INSERT INTO t(a) VALUES (1), (2);"
    )
    parts = shop.rebuild("ALTER TABLE t ALTER COLUMN a SET NOT NULL")
    assert [name for name, _ in parts.copy] == ["rowid", "a"]
    assert shop.ask("SELECT * FROM t") == [(1, 2, 2), (2, 4, 3)]


def test_without_rowid(shop: Shop) -> None:
    shop.run("CREATE TABLE t(a TEXT, b TEXT, n INT, PRIMARY KEY (a, b)) WITHOUT ROWID; INSERT INTO t VALUES ('x', 'y', 1);")
    parts = shop.rebuild("ALTER TABLE t ALTER COLUMN n SET NOT NULL")
    assert parts.create_sql.endswith("WITHOUT ROWID")
    assert shop.ask("SELECT * FROM t") == [("x", "y", 1)]


def test_strict_refuses_what_it_cannot_convert_and_says_so_before(shop: Shop) -> None:
    shop.run(
        "CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT, b INT) STRICT; INSERT INTO t VALUES (1, '12', 1), (2, '13.0', 1), (3, 'abc', 1), (4, NULL, 1);"
    )
    catalog, before, wanted = shop.after("ALTER TABLE t ALTER COLUMN a TYPE INTEGER")
    (condition,) = rebuild_conditions(before, wanted)
    assert condition.kind == "bad_cast"
    assert shop.ask(condition.probe) == [(1,)]
    with pytest.raises(sqlite3.IntegrityError, match="cannot store TEXT value in INTEGER column"):
        shop.perform(before, rebuild_step_parts(before, wanted, catalog))
    assert shop.ask("SELECT a FROM t WHERE id = 3") == [("abc",)]
    shop.run("DELETE FROM t WHERE id = 3")
    assert shop.ask(condition.probe) == [(0,)]
    shop.rebuild("ALTER TABLE t ALTER COLUMN a TYPE INTEGER")
    assert shop.ask("SELECT a FROM t") == [(12,), (13,), (None,)]


def test_a_type_change_with_an_expression(shop: Shop) -> None:
    shop.run("CREATE TABLE t(id INTEGER PRIMARY KEY, price TEXT); INSERT INTO t VALUES (1, '12 EUR'), (2, 'n/a');")
    shop.rebuild("ALTER TABLE t ALTER COLUMN price TYPE INTEGER", expressions={"price": "CAST(price AS INTEGER)"})
    assert shop.ask("SELECT id, price, typeof(price) FROM t") == [(1, 12, "integer"), (2, 0, "integer")]


def test_a_check_that_names_its_own_table(shop: Shop) -> None:
    shop.run('CREATE TABLE t(a INT, CHECK (t.a > 0 AND "t".a < 9)); INSERT INTO t(a) VALUES (1);')
    shop.run("CREATE TABLE u(n INT)")
    catalog, before, _ = shop.after("ALTER TABLE t ALTER COLUMN a SET NOT NULL")
    wanted = replace(before, columns=(replace(before.columns[0], nullable=False), *before.columns[1:]))
    shop.perform(before, rebuild_step_parts(before, wanted, catalog))
    with pytest.raises(sqlite3.IntegrityError):
        shop.run("INSERT INTO t(a) VALUES (10)")


def test_everything_a_column_can_say_survives(shop: Shop) -> None:
    shop.run(
        """
        CREATE TABLE other(x INT UNIQUE, y INT);
        CREATE TABLE t(
          id INTEGER CONSTRAINT pk PRIMARY KEY ON CONFLICT REPLACE AUTOINCREMENT,
          a TEXT COLLATE NOCASE CONSTRAINT a_nn NOT NULL ON CONFLICT IGNORE DEFAULT (lower('X')),
          b VARCHAR(20) UNIQUE ON CONFLICT IGNORE,
          c INT REFERENCES other(x) ON DELETE SET NULL ON UPDATE CASCADE DEFERRABLE INITIALLY DEFERRED,
          d INT CHECK (d > 0),
          e TEXT DEFAULT "text",
          "weird name" INT DEFAULT -1,
          CONSTRAINT both UNIQUE (a, "weird name" DESC) ON CONFLICT FAIL,
          CONSTRAINT rule CHECK (a <> "no" OR d IS NULL)
        );
        INSERT INTO other VALUES (5, 1);
        INSERT INTO t(b, c, d) VALUES ('b', 5, 1);
        """
    )
    before = shop.catalog().tables["main.t"]
    shop.rebuild("ALTER TABLE t ALTER COLUMN d SET DEFAULT 3")
    after = shop.catalog().tables["main.t"]
    assert after.constraints == before.constraints
    assert [replace(column, default=None) for column in after.columns] == [
        replace(column, default=None) for column in before.columns
    ]
    assert shop.ask("SELECT * FROM t") == [(1, "x", "b", 5, 1, "text", -1)]


KEYS = (
    "id INTEGER NOT NULL PRIMARY KEY, a INT",
    "id INTEGER PRIMARY KEY, a INT",
    "id INTEGER NOT NULL, a INT, PRIMARY KEY (id)",
    "id INTEGER CONSTRAINT never NOT NULL PRIMARY KEY, a INT",
)
COUNTING = "id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, a INT"
"""Which a table WITHOUT ROWID cannot have."""


@pytest.mark.parametrize(
    ("columns", "options"),
    [*product(KEYS, ("", "WITHOUT ROWID", "STRICT")), (COUNTING, ""), (COUNTING, "STRICT")],
)
def test_a_key_is_written_not_null_as_it_was(shop: Shop, columns: str, options: str) -> None:
    shop.run(f"CREATE TABLE t({columns}) {options}")
    before = shop.ask("SELECT name, \"notnull\", pk FROM pragma_table_info('t')")
    shop.rebuild("ALTER TABLE t ALTER COLUMN a SET DEFAULT 3")
    assert shop.ask("SELECT name, \"notnull\", pk FROM pragma_table_info('t')") == before


def test_statistics_text_of_an_unchanged_table_is_expected(shop: Shop) -> None:
    shop.run(FAMILY)
    catalog, before, wanted = shop.after("ALTER TABLE parent ALTER COLUMN name SET NOT NULL")
    assert rebuild_step_parts(before, wanted, catalog).expected_sql == before.definition
    changed = replace(before, columns=before.columns[:1])
    assert rebuild_step_parts(changed, wanted, catalog).expected_sql == ""


def test_the_undo_gives_the_table_back(shop: Shop) -> None:
    shop.run(FAMILY + "CREATE INDEX parent_name ON parent(name);")
    start = shop.catalog()
    catalog, before, wanted = shop.after("ALTER TABLE parent ADD CONSTRAINT name_key UNIQUE (name)")
    shop.perform(before, rebuild_step_parts(before, wanted, catalog))
    shop.perform(wanted, rebuild_step_parts(wanted, before, catalog.with_table(wanted)))
    assert shop.catalog().fingerprint() == start.fingerprint()


VALUES = [
    "1",
    "1.0",
    "1.5",
    "'1'",
    "' 2 '",
    "'3.0'",
    "'4.5'",
    "'1e3'",
    "'12 EUR'",
    "''",
    "x'31'",
    "9e18",
    "1e30",
    "'9223372036854775808'",
]


@pytest.mark.parametrize("type", ["INT", "INTEGER", "REAL", "TEXT", "BLOB", "ANY"])
@pytest.mark.parametrize("value", VALUES)
def test_the_probe_for_wrong_types_agrees_with_strict_tables(value: str, type: str) -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as raw:
        raw.executescript(f"CREATE TABLE t(a); INSERT INTO t VALUES ({value}); CREATE TABLE s(a {type}) STRICT;")
        offenders = raw.execute(wrongly_typed(Name(schema="main", name="t"), "a", type)).fetchone()[0]
        try:
            raw.execute("INSERT INTO s SELECT a FROM t")
        except sqlite3.IntegrityError:
            assert offenders == 1
        else:
            assert offenders == 0


@pytest.mark.parametrize(
    ("sql", "kind", "offenders"),
    [
        ("ALTER TABLE t ALTER COLUMN a SET NOT NULL", "nulls", 1),
        ("ALTER TABLE t ADD UNIQUE (b)", "duplicates", 1),
        ("ALTER TABLE t ADD CHECK (b > 1)", "check_violations", 2),
        ("ALTER TABLE t ADD FOREIGN KEY (c) REFERENCES other(x)", "orphans", 1),
    ],
)
def test_what_would_fail_is_counted_before(shop: Shop, sql: str, kind: str, offenders: int) -> None:
    shop.run(
        """
        CREATE TABLE other(x INT UNIQUE); INSERT INTO other VALUES (1);
        CREATE TABLE t(a TEXT, b INT, c INT); INSERT INTO t VALUES ('x', 1, 1), (NULL, 1, 2), ('z', 2, NULL);
        """
    )
    catalog, before, wanted = shop.after(sql)
    (condition,) = rebuild_conditions(before, wanted)
    assert condition.kind == kind
    assert shop.ask(condition.probe) == [(offenders,)]
    with pytest.raises((sqlite3.IntegrityError, AssertionError)):
        shop.perform(before, rebuild_step_parts(before, wanted, catalog))
    assert shop.ask("SELECT count(*) FROM t") == [(3,)]


def test_virtual_tables_are_refused(shop: Shop) -> None:
    shop.run("CREATE VIRTUAL TABLE f USING fts5(a)")
    catalog = shop.catalog()
    table = catalog.tables["main.f"]
    with pytest.raises(RefusedError, match="DF-E330"):
        rebuild_step_parts(table, table, catalog)
