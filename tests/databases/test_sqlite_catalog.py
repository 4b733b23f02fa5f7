"""The catalog of a real SQLite database says what the database's own pragmas say."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from driftflow.dialects.source_text import SourceText
from driftflow.dialects.sqlite import SQLite
from driftflow.dialects.sqlite.parse import parse_sql
from driftflow.dialects.sqlite.render.table import create_table
from driftflow.drivers.sqlite import SqliteConnector
from driftflow.drivers.sqlite_catalog import read_catalog
from driftflow.model.catalog import Catalog, Check, ForeignKey, PrimaryKey, Unique
from driftflow.model.names import Name
from driftflow.model.operations import CreateTable

CORPUS = Path(__file__).parents[1] / "unit/dialects/sqlite/corpus.sql"


def made(file: Path, script: str) -> Catalog:
    with closing(sqlite3.connect(file, isolation_level=None)) as raw:
        raw.executescript(script)
    with closing(SqliteConnector(str(file)).connect()) as connection:
        return read_catalog(connection)


def pragma_facts(sql: str, table: str) -> dict[str, object]:
    """What SQLite understood of a CREATE TABLE, without its text."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as raw:
        raw.execute(sql)
        indexes = raw.execute("SELECT * FROM pragma_index_list(?)", (table,)).fetchall()
        return {
            "columns": raw.execute("SELECT * FROM pragma_table_xinfo(?)", (table,)).fetchall(),
            "indexes": indexes,
            "keys": [raw.execute("SELECT * FROM pragma_index_xinfo(?)", (index[1],)).fetchall() for index in indexes],
            "foreign keys": sorted(
                raw.execute("SELECT * FROM pragma_foreign_key_list(?)", (table,)).fetchall(), key=lambda row: row[2:]
            ),
            "list": raw.execute("SELECT type, ncol, wr, strict FROM pragma_table_list WHERE name = ?", (table,)).fetchall(),
        }


def created_tables() -> list[str]:
    found = []
    for statement in SQLite().split(SourceText(CORPUS.read_text(encoding="utf-8"))):
        match parse_sql(statement.sql):
            case (CreateTable() as created,) if created.table.kind == "table":
                found.append(statement.sql)
    return found


def comparable(facts: dict[str, object]) -> dict[str, object]:
    """Defaults and types keep their spelling in pragmas; ids of foreign keys count backwards from the last one written."""
    columns = [(row[1], "".join(row[2].split()), row[5], row[6]) for row in facts["columns"]]
    keys = [row[2:] for row in facts["foreign keys"]]
    return {**facts, "columns": columns, "foreign keys": keys}


@pytest.mark.parametrize("sql", created_tables(), ids=lambda sql: sql[:60])
def test_a_rendered_table_is_the_same_table_to_sqlite(sql: str) -> None:
    (created,) = parse_sql(sql)
    table = created.table
    rendered = create_table(table)
    assert comparable(pragma_facts(rendered, table.name.name)) == comparable(pragma_facts(sql, table.name.name)), rendered


SHOP = """
CREATE TABLE Parent(id INTEGER PRIMARY KEY AUTOINCREMENT, code TEXT NOT NULL UNIQUE);
CREATE TABLE child(
  id INTEGER PRIMARY KEY,
  parent_id INT NOT NULL REFERENCES parent ON DELETE CASCADE,
  Name TEXT COLLATE NOCASE DEFAULT 'x',
  doubled AS (parent_id * 2),
  CONSTRAINT short CHECK (length(name) < 10)
);
CREATE INDEX child_name ON Child(lower(NAME), parent_ID DESC) WHERE Parent_id > 0;
CREATE TABLE pair(a, b, PRIMARY KEY (a, b)) WITHOUT ROWID;
CREATE TABLE strict_one(a INT, b ANY) STRICT;
CREATE VIEW both AS SELECT c.name, p.code FROM child c JOIN Parent p ON p.id = c.parent_id;
CREATE TRIGGER touched AFTER UPDATE OF name ON CHILD BEGIN UPDATE parent SET code = new.name WHERE id = new.parent_id; END;
CREATE TRIGGER instead INSTEAD OF INSERT ON both BEGIN SELECT 1; END;
CREATE VIRTUAL TABLE search USING fts5(name, content='child', content_rowid='id');
CREATE TABLE _driftflow_run(id INTEGER PRIMARY KEY);
INSERT INTO parent(code) VALUES ('a'), ('b'), ('c');
INSERT INTO child(parent_id) SELECT id FROM parent;
INSERT INTO pair VALUES (1, 2), (3, 4);
"""


def test_everything_is_there_as_the_database_spells_it(sqlite_file: Path) -> None:
    catalog = made(sqlite_file, SHOP)
    assert sorted(catalog.tables) == ["main.Parent", "main.child", "main.pair", "main.search", "main.strict_one"]
    child = catalog.tables["main.child"]
    assert [(c.name, c.type, c.nullable, c.collation) for c in child.columns] == [
        ("id", "INTEGER", False, ""),
        ("parent_id", "INT", False, ""),
        ("Name", "TEXT", True, "NOCASE"),
        ("doubled", "", True, ""),
    ]
    parent = Name(schema="main", name="Parent")
    assert child.constraints == (
        PrimaryKey(columns=("id",)),
        ForeignKey(columns=("parent_id",), referenced=parent, referenced_columns=("id",), on_delete="CASCADE"),
        Check(name="short", expression="length(name) < 10"),
    )
    (index,) = child.indexes
    assert [(part.column, part.expression, part.descending) for part in index.parts] == [
        ("", "lower(NAME)", False),
        ("parent_id", "", True),
    ]
    assert index.predicate == "Parent_id > 0"
    assert [trigger.name for trigger in child.triggers] == ["touched"]
    assert catalog.tables["main.Parent"].constraints == (PrimaryKey(columns=("id",)), Unique(columns=("code",)))
    assert catalog.tables["main.Parent"].columns[0].autoincrement
    assert catalog.tables["main.pair"].options == ("WITHOUT ROWID",)
    assert not any(column.nullable for column in catalog.tables["main.pair"].columns)
    assert catalog.tables["main.strict_one"].options == ("STRICT",)
    view = catalog.views["main.both"]
    assert view.depends_on == (child.name, parent)
    assert [trigger.timing for trigger in view.triggers] == ["INSTEAD OF"]
    search = catalog.tables["main.search"]
    assert (search.kind, search.access_method, [column.name for column in search.columns]) == ("virtual", "fts5", ["name"])


def test_settings_and_version(sqlite_file: Path) -> None:
    catalog = made(sqlite_file, "PRAGMA journal_mode = WAL; CREATE TABLE t(a);")
    assert str(catalog.version) == sqlite3.sqlite_version
    assert catalog.settings["journal_mode"] == "wal"
    assert catalog.settings["foreign_keys"] == "0"
    assert {"page_size", "wal_autocheckpoint", "encoding", "legacy_alter_table", "library_version"} <= set(catalog.settings)


def test_sizes_are_bounds_or_exact(sqlite_file: Path) -> None:
    catalog = made(
        sqlite_file,
        """
        CREATE TABLE dense(id INTEGER PRIMARY KEY); CREATE TABLE sparse(id INTEGER PRIMARY KEY); CREATE TABLE empty(a);
        CREATE TABLE large(id INTEGER PRIMARY KEY); CREATE TABLE keyed(a PRIMARY KEY) WITHOUT ROWID;
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) INSERT INTO large SELECT i FROM n;
        INSERT INTO dense SELECT id FROM large WHERE id <= 50;
        INSERT INTO sparse VALUES (1), (9000000000000000000), (-5);
        INSERT INTO keyed SELECT id FROM large;
        """,
    )
    sizes = {table.name.name: (table.statistics.rows, table.statistics.basis) for table in catalog.tables.values()}
    assert sizes == {
        "dense": (50, "max(rowid)"),
        "sparse": (3, "count(*)"),
        "empty": (0, "max(rowid)"),
        "large": (20000, "max(rowid)"),
        "keyed": (None, ""),
    }
    assert all(table.statistics.bytes and table.statistics.bytes >= 4096 for table in catalog.tables.values())


def test_analyze_is_believed_only_about_large_tables(sqlite_file: Path) -> None:
    catalog = made(
        sqlite_file,
        """
        CREATE TABLE t(id INTEGER PRIMARY KEY, a); CREATE INDEX t_a ON t(a);
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 15000) INSERT INTO t SELECT i * 3, i FROM n;
        ANALYZE;
        """,
    )
    statistics = catalog.tables["main.t"].statistics
    assert (statistics.rows, statistics.basis) == (15000, "sqlite_stat1")


def test_awkward_names(sqlite_file: Path) -> None:
    catalog = made(
        sqlite_file,
        'CREATE TABLE "a ""b" ("select" INT, [c d] TEXT); CREATE TABLE "rowid t"(rowid TEXT); INSERT INTO "rowid t" VALUES (\'x\');',
    )
    assert sorted(catalog.tables) == ['main.a "b', "main.rowid t"]
    assert [column.name for column in catalog.tables['main.a "b'].columns] == ["select", "c d"]
    assert catalog.tables["main.rowid t"].statistics.rows == 1


def test_a_virtual_table_without_its_module_does_not_hide_the_rest(sqlite_file: Path) -> None:
    script = """
    CREATE TABLE t(a INT);
    PRAGMA writable_schema = ON;
    INSERT INTO sqlite_master(type, name, tbl_name, rootpage, sql)
      VALUES ('table', 'gone', 'gone', 0, 'CREATE VIRTUAL TABLE gone USING no_such_module(a)');
    PRAGMA writable_schema = OFF;
    """
    catalog = made(sqlite_file, script)
    assert [column.name for column in catalog.tables["main.t"].columns] == ["a"]
    assert catalog.tables["main.gone"].kind == "virtual"


def test_a_broken_view_does_not_hide_the_rest(sqlite_file: Path) -> None:
    catalog = made(sqlite_file, "CREATE TABLE t(a); CREATE VIEW v AS SELECT * FROM nowhere;")
    assert sorted(catalog.tables) == ["main.t"]
    assert [name.text for name in catalog.views["main.v"].depends_on] == ["main.nowhere"]


def test_two_thousand_tables(sqlite_file: Path) -> None:
    """Few queries whatever the number of tables; the bound is loose, for machines that do other things meanwhile."""
    script = (
        "BEGIN;"
        + "".join(f"CREATE TABLE t{n}(id INTEGER PRIMARY KEY, a TEXT, b INT REFERENCES t0(id));" for n in range(2000))
        + "COMMIT;"
    )
    begun = time.process_time()
    catalog = made(sqlite_file, script)
    assert len(catalog.tables) == 2000
    assert time.process_time() - begun < 10
