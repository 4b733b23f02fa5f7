"""Predicted and observed: whether a statement fails, whom it blocks, what goes with it. On Python's SQLite, and on the newest by apsw."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from driftflow.dialects.base import ErrorKind
from driftflow.dialects.source_text import SourceText
from driftflow.dialects.sqlite import SQLite
from driftflow.dialects.sqlite.catalog import catalog_from
from driftflow.drivers.sqlite_catalog import read_rows
from driftflow.engine.ports import DatabaseFault
from driftflow.model.catalog import Catalog, Constraint, ForeignKey, Table, structure
from driftflow.model.effects import Effects
from driftflow.model.names import Name, Version
from driftflow.model.operations import Operation
from driftflow.model.record import replace

D = SQLite()


class Library:
    """The few calls of the Connection port that reading a catalog needs, over either library."""

    dialect = "sqlite"

    def __init__(self, file: str, version: Version) -> None:
        self.version = version

    def run(self, script: str) -> None:
        raise NotImplementedError

    def rows(self, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
        raise NotImplementedError

    def query(self, sql: str, parameters: object = None) -> list[tuple[Any, ...]]:
        return self.rows(sql)[1]

    def query_dicts(self, sql: str, parameters: object = None) -> list[dict[str, Any]]:
        names, rows = self.rows(sql)
        return [dict(zip(names, row, strict=True)) for row in rows]

    def catalog(self) -> Catalog:
        return catalog_from(read_rows(self))  # type: ignore[arg-type]


class Standard(Library):
    def __init__(self, file: str) -> None:
        super().__init__(file, Version.parse(sqlite3.sqlite_version))
        self.raw = sqlite3.connect(file, isolation_level=None, timeout=0)

    def run(self, script: str) -> None:
        self.raw.executescript(script)

    def rows(self, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
        try:
            cursor = self.raw.execute(sql)
        except sqlite3.Error as error:
            raise DatabaseFault(ErrorKind.OTHER, str(error)) from error
        return [column[0] for column in cursor.description or ()], cursor.fetchall()


class Newest(Library):
    def __init__(self, file: str) -> None:
        import apsw

        super().__init__(file, Version.parse(apsw.sqlite_lib_version()))
        self.raw = apsw.Connection(file)

    def run(self, script: str) -> None:
        list(self.raw.execute(script))

    def rows(self, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
        import apsw

        try:
            cursor = self.raw.cursor()
            names: list[str] = []
            cursor.setexectrace(lambda c, s, b: names.extend(d[0] for d in c.getdescription()) or True)
            return names, list(cursor.execute(sql))
        except apsw.Error as error:
            raise DatabaseFault(ErrorKind.OTHER, str(error)) from error


@pytest.fixture(params=["standard", "newest"])
def library(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Library]:
    if request.param == "newest":
        pytest.importorskip("apsw", reason="the newest SQLite comes with apsw: pip install apsw")
        opened: Library = Newest(str(tmp_path / "n.db"))
    else:
        opened = Standard(str(tmp_path / "s.db"))
    yield opened
    opened.raw.close()  # type: ignore[attr-defined]


def resolved(sql: str, catalog: Catalog) -> Operation:
    (statement,) = D.split(SourceText(sql))
    (operation,) = D.parse(statement).operations
    return D.resolve(operation, catalog)


def predicted(sql: str, catalog: Catalog) -> Effects:
    return D.effects(resolved(sql, catalog), catalog)


ROWS = "CREATE TABLE t(id INTEGER PRIMARY KEY, a INT, b TEXT); INSERT INTO t VALUES (1, 1, 'x'), (2, NULL, 'x');"
FAMILY = "CREATE TABLE p(id INTEGER PRIMARY KEY, n INT); INSERT INTO p VALUES (1, 1); CREATE TABLE c(p INT REFERENCES p{}); INSERT INTO c VALUES (1);"

MATRIX: list[tuple[str, str]] = [
    (ROWS, "ALTER TABLE t ADD COLUMN n INT"),
    (ROWS, "ALTER TABLE t ADD COLUMN n INT NOT NULL"),
    (ROWS, "ALTER TABLE t ADD COLUMN n INT NOT NULL DEFAULT 1"),
    (ROWS, "ALTER TABLE t ADD COLUMN n INT NOT NULL DEFAULT NULL"),
    ("CREATE TABLE t(a);", "ALTER TABLE t ADD COLUMN n INT NOT NULL"),
    (ROWS, "ALTER TABLE t ADD COLUMN n TEXT DEFAULT CURRENT_TIMESTAMP"),
    (ROWS, "ALTER TABLE t ADD COLUMN n TEXT DEFAULT (1 + 1)"),
    (ROWS, "ALTER TABLE t ADD COLUMN n TEXT DEFAULT (1)"),
    ("CREATE TABLE t(a);", "ALTER TABLE t ADD COLUMN n TEXT DEFAULT (datetime('now'))"),
    (ROWS, "ALTER TABLE t ADD COLUMN n INT UNIQUE"),
    (ROWS, "ALTER TABLE t ADD COLUMN n INTEGER PRIMARY KEY"),
    (ROWS, "ALTER TABLE t ADD COLUMN n INT AS (a) STORED"),
    (ROWS, "ALTER TABLE t ADD COLUMN n INT AS (a)"),
    (ROWS, "ALTER TABLE t ADD COLUMN n INT NOT NULL AS (a)"),
    (ROWS, "ALTER TABLE t ADD COLUMN n INT NOT NULL AS (id)"),
    (ROWS, "ALTER TABLE t ADD COLUMN n INT DEFAULT 5 CHECK (n > 6)"),
    (ROWS, "ALTER TABLE t ADD COLUMN n INT DEFAULT 5 CHECK (n > 4)"),
    (ROWS, "ALTER TABLE t ADD COLUMN n INT CHECK (n > 4)"),
    (ROWS, "ALTER TABLE t ADD COLUMN b INT"),
    (ROWS, "ALTER TABLE nowhere ADD COLUMN b INT"),
    (ROWS + "PRAGMA foreign_keys = ON;", "ALTER TABLE t ADD COLUMN n INT REFERENCES t DEFAULT 1"),
    (ROWS, "ALTER TABLE t ADD COLUMN n INT REFERENCES t DEFAULT 1"),
    (ROWS + "PRAGMA foreign_keys = ON;", "ALTER TABLE t ADD COLUMN n INT REFERENCES t"),
    ("CREATE TABLE t(a INT) STRICT;", "ALTER TABLE t ADD COLUMN n VARCHAR(3)"),
    ("CREATE VIRTUAL TABLE f USING fts5(a);", "ALTER TABLE f ADD COLUMN n INT"),
    ("CREATE VIRTUAL TABLE f USING fts5(a);", "ALTER TABLE f RENAME COLUMN a TO b"),
    ("CREATE VIRTUAL TABLE f USING fts5(a);", "CREATE INDEX i ON f(a)"),
    ("CREATE VIEW v AS SELECT 1 AS a;", "ALTER TABLE v ADD COLUMN n INT"),
    ("CREATE VIEW v AS SELECT 1 AS a;", "ALTER TABLE v RENAME TO w"),
    (ROWS, "ALTER TABLE t DROP COLUMN b"),
    (ROWS, "ALTER TABLE t DROP COLUMN id"),
    ("CREATE TABLE t(a);", "ALTER TABLE t DROP COLUMN a"),
    ("CREATE TABLE t(a, b UNIQUE);", "ALTER TABLE t DROP COLUMN b"),
    ("CREATE TABLE t(a, b, UNIQUE (a, b));", "ALTER TABLE t DROP COLUMN b"),
    ("CREATE TABLE t(a, b); CREATE INDEX i ON t(b);", "ALTER TABLE t DROP COLUMN b"),
    ("CREATE TABLE t(a, b); CREATE INDEX i ON t(a) WHERE b > 1;", "ALTER TABLE t DROP COLUMN b"),
    ("CREATE TABLE t(a, b); CREATE INDEX i ON t(lower(b));", "ALTER TABLE t DROP COLUMN b"),
    ("CREATE TABLE t(a, b, CHECK (b > 0));", "ALTER TABLE t DROP COLUMN b"),
    ("CREATE TABLE t(a, b CHECK (b > 0));", "ALTER TABLE t DROP COLUMN b"),
    ("CREATE TABLE t(a CHECK (b > 0), b);", "ALTER TABLE t DROP COLUMN b"),
    ("CREATE TABLE t(a, b AS (a + 1));", "ALTER TABLE t DROP COLUMN a"),
    ("CREATE TABLE t(a, b AS (a + 1));", "ALTER TABLE t DROP COLUMN b"),
    ("CREATE TABLE t(a, b REFERENCES t);", "ALTER TABLE t DROP COLUMN b"),
    ("CREATE TABLE t(a, b, FOREIGN KEY (b) REFERENCES t(a));", "ALTER TABLE t DROP COLUMN b"),
    ("CREATE TABLE t(a, b); CREATE VIEW v AS SELECT b FROM t;", "ALTER TABLE t DROP COLUMN b"),
    ("CREATE TABLE t(a, b); CREATE VIEW v AS SELECT * FROM t;", "ALTER TABLE t DROP COLUMN b"),
    ("CREATE TABLE t(a, b); CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT new.b; END;", "ALTER TABLE t DROP COLUMN b"),
    ("CREATE TABLE t(a, b); CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT new.a; END;", "ALTER TABLE t DROP COLUMN b"),
    (ROWS + "CREATE VIEW broken AS SELECT * FROM nowhere;", "ALTER TABLE t RENAME COLUMN b TO c"),
    (ROWS + "CREATE VIEW broken AS SELECT * FROM nowhere;", "ALTER TABLE t RENAME TO u"),
    (ROWS + "CREATE VIEW broken AS SELECT * FROM nowhere;", "ALTER TABLE t DROP COLUMN b"),
    (ROWS + "CREATE VIEW broken AS SELECT * FROM nowhere;", "ALTER TABLE t ADD COLUMN n"),
    (ROWS + "CREATE TRIGGER g AFTER INSERT ON t BEGIN INSERT INTO nowhere VALUES (1); END;", "ALTER TABLE t RENAME TO u"),
    (ROWS + "CREATE VIEW v AS SELECT * FROM json_tree, json_each('[1]'), sqlite_master;", "ALTER TABLE t RENAME COLUMN b TO c"),
    (
        ROWS
        + "CREATE TABLE _driftflow_log(a); CREATE TRIGGER g AFTER INSERT ON t BEGIN INSERT INTO _driftflow_log VALUES (1); END;",
        "ALTER TABLE t RENAME COLUMN a TO c",
    ),
    (
        ROWS + "CREATE VIRTUAL TABLE f USING fts5(a); CREATE VIEW v AS SELECT * FROM f_content;",
        "ALTER TABLE t RENAME COLUMN b TO c",
    ),
    (ROWS, "ALTER TABLE t RENAME COLUMN b TO a"),
    (ROWS, "ALTER TABLE t RENAME COLUMN b TO B"),
    (ROWS, "ALTER TABLE t RENAME COLUMN zz TO c"),
    (ROWS + "CREATE TABLE u(a);", "ALTER TABLE t RENAME TO u"),
    (ROWS, "ALTER TABLE t RENAME TO T"),
    (ROWS, "ALTER TABLE t ALTER COLUMN a SET NOT NULL"),
    (ROWS, "ALTER TABLE t ALTER COLUMN b SET NOT NULL"),
    (ROWS, "ALTER TABLE t ALTER COLUMN b DROP NOT NULL"),
    (ROWS, "ALTER TABLE t ADD CONSTRAINT k CHECK (a > 5)"),
    (ROWS, "ALTER TABLE t ADD CONSTRAINT k CHECK (id > 0)"),
    ("CREATE TABLE t(a, CONSTRAINT k CHECK (a > 0));", "ALTER TABLE t ADD CONSTRAINT k CHECK (a > 1)"),
    ("CREATE TABLE t(a, CONSTRAINT k CHECK (a > 0));", "ALTER TABLE t DROP CONSTRAINT k"),
    ("CREATE TABLE t(a, CONSTRAINT k UNIQUE (a));", "ALTER TABLE t DROP CONSTRAINT k"),
    ("CREATE TABLE t(a);", "ALTER TABLE t DROP CONSTRAINT k"),
    (ROWS, "ALTER TABLE t ADD CONSTRAINT k UNIQUE (a)"),
    (ROWS, "ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES t"),
    (ROWS, "ALTER TABLE t ALTER COLUMN a SET DEFAULT 1"),
    (ROWS, "ALTER TABLE t ALTER COLUMN a DROP DEFAULT"),
    (ROWS, "ALTER TABLE t ALTER COLUMN a TYPE TEXT"),
    (ROWS, "CREATE INDEX i ON t(a)"),
    (ROWS, "CREATE UNIQUE INDEX i ON t(b)"),
    (ROWS, "CREATE UNIQUE INDEX i ON t(a)"),
    (ROWS, "CREATE UNIQUE INDEX i ON t(b) WHERE a IS NOT NULL"),
    (ROWS + "INSERT INTO t VALUES (3, 3, 'X'), (4, 4, 'y');", "CREATE UNIQUE INDEX i ON t(b COLLATE NOCASE)"),
    (ROWS, "ALTER TABLE t ADD COLUMN n DEFAULT (a + 1)"),
    ("CREATE TABLE t(a, b);", "ALTER TABLE t ADD COLUMN n DEFAULT (a + 1)"),
    ("CREATE TABLE t(a, b);", "ALTER TABLE t ADD COLUMN n DEFAULT (lower([B]))"),
    ("CREATE TABLE t(a, b);", "ALTER TABLE t ADD COLUMN n DEFAULT ((SELECT 1))"),
    ("CREATE TABLE t(a, b);", "ALTER TABLE t ADD COLUMN n DEFAULT (n)"),
    ('CREATE TABLE t(lower, text, "case");', "ALTER TABLE t ADD COLUMN n DEFAULT (CASE WHEN 1 THEN lower(CAST(1 AS text)) END)"),
    (ROWS, "CREATE INDEX i ON t(random())"),
    (ROWS, "CREATE INDEX i ON t(missing)"),
    (ROWS + "CREATE INDEX i ON t(a);", "CREATE INDEX i ON t(b)"),
    (ROWS + "CREATE INDEX i ON t(a);", "DROP INDEX i"),
    (ROWS, "DROP INDEX i"),
    (ROWS, "DROP INDEX IF EXISTS i"),
    ("CREATE TABLE t(a UNIQUE);", "DROP INDEX sqlite_autoindex_t_1"),
    (ROWS, "DROP TABLE t"),
    (ROWS, "DROP TABLE u"),
    (FAMILY.format("") + "PRAGMA foreign_keys = ON;", "DROP TABLE p"),
    (FAMILY.format(" ON DELETE CASCADE") + "PRAGMA foreign_keys = ON;", "DROP TABLE p"),
    (FAMILY.format(""), "DROP TABLE p"),
    (FAMILY.format("") + "PRAGMA foreign_keys = ON;", "DELETE FROM p"),
    (FAMILY.format(""), "DELETE FROM p"),
    (ROWS, "CREATE TABLE t(a)"),
    (ROWS, "CREATE TABLE IF NOT EXISTS t(a)"),
    (ROWS, "CREATE TABLE sqlite_mine(a)"),
    (ROWS, "CREATE TABLE u(a VARCHAR(3)) STRICT"),
    (ROWS, "CREATE TABLE u(a) WITHOUT ROWID"),
    (ROWS, "CREATE TABLE u(a, A text)"),
    (ROWS, "CREATE TABLE u(a TEXT PRIMARY KEY AUTOINCREMENT)"),
    (ROWS, "CREATE TABLE u(a INTEGER PRIMARY KEY AUTOINCREMENT) WITHOUT ROWID"),
    (ROWS, "CREATE TABLE u(a integer PRIMARY KEY AUTOINCREMENT)"),
    (ROWS, "CREATE TABLE u(a PRIMARY KEY, b PRIMARY KEY)"),
    (ROWS, "CREATE TABLE u(a, PRIMARY KEY (b))"),
    (ROWS, "CREATE TABLE u(a, UNIQUE (b, a))"),
    (ROWS, "CREATE TABLE u(a, FOREIGN KEY (b) REFERENCES t(id))"),
    (ROWS, 'CREATE TABLE u("A b", UNIQUE ("a B"))'),
    (ROWS, "CREATE VIEW t AS SELECT 1"),
    (ROWS, "CREATE VIEW v AS SELECT * FROM nowhere"),
    (ROWS, "DROP VIEW v"),
    (ROWS, "CREATE TRIGGER g INSTEAD OF INSERT ON t BEGIN SELECT 1; END"),
    ("CREATE VIEW v AS SELECT 1;", "CREATE TRIGGER g AFTER INSERT ON v BEGIN SELECT 1; END"),
    (ROWS, "CREATE TRIGGER g AFTER INSERT ON nowhere BEGIN SELECT 1; END"),
    (ROWS, "DROP TRIGGER g"),
    (ROWS, "UPDATE t SET zz = 1"),
    (ROWS, "UPDATE t SET a = u.a FROM t AS u WHERE u.id = t.id RETURNING *"),
    (ROWS, "INSERT INTO nowhere VALUES (1)"),
    (ROWS, "VACUUM"),
    (ROWS, "REINDEX t"),
    (ROWS, "ANALYZE t"),
]


def test_the_matrix_is_as_large_as_it_was() -> None:
    assert len(MATRIX) >= 100


@pytest.mark.parametrize(("setup", "sql"), MATRIX, ids=lambda text: text[-70:])
def test_failure_is_predicted(library: Library, setup: str, sql: str) -> None:
    """Certain conditions fail, conditions with offenders fail, and nothing else does."""
    library.run(setup)
    catalog = library.catalog()
    effects = predicted(sql, catalog)
    certain = [condition.summary for condition in effects.fails_if if condition.certain]
    offending = [one.summary for one in effects.fails_if if one.probe and library.query(one.probe)[0][0]]
    vague = [one.summary for one in effects.fails_if if not one.certain and not one.probe]
    try:
        library.query(sql)
    except DatabaseFault as fault:
        assert certain or offending or vague, fault
        return
    assert not certain
    assert not offending
    if effects.fails_if and not vague:
        assert all(one.probe for one in effects.fails_if)


@pytest.mark.parametrize(("setup", "sql"), MATRIX, ids=lambda text: text[-70:])
def test_the_catalog_afterwards(library: Library, setup: str, sql: str) -> None:
    """Where nothing fails, `after` is what introspection finds."""
    library.run(setup)
    catalog = library.catalog()
    operation = resolved(sql, catalog)
    try:
        library.query(sql)
    except DatabaseFault:
        return
    if sql == "ALTER TABLE t DROP COLUMN b" and "REFERENCES t)" in setup:
        return  # `after` refuses every column of a foreign key; SQLite lets an inline REFERENCES go
    found, expected = library.catalog(), catalog.after(operation)
    assert structures(found) == structures(expected)
    assert sorted(found.views) == sorted(expected.views)


def structures(catalog: Catalog) -> dict[str, Table]:
    """Without the columns that a key references in a table that is gone: nobody can say any more which an implicit one meant."""

    def loose(key: Constraint) -> Constraint:
        dangling = isinstance(key, ForeignKey) and catalog.table(key.referenced) is None
        return replace(key, referenced_columns=()) if dangling else key

    return {
        key: structure(replace(table, constraints=tuple(loose(one) for one in table.constraints)))
        for key, table in catalog.tables.items()
    }


@pytest.mark.parametrize("sql", ["ALTER TABLE t ADD COLUMN n", "CREATE INDEX i ON t(a)", "UPDATE t SET a = 2", "DROP TABLE t"])
@pytest.mark.parametrize("mode", ["wal", "delete"])
def test_who_waits(tmp_path: Path, mode: str, sql: str) -> None:
    """While the statement's transaction is open other writers are refused; readers of a rollback journal wait only for its commit."""
    file = str(tmp_path / "b.db")
    with closing(sqlite3.connect(file, isolation_level=None, timeout=0)) as raw:
        raw.executescript(f"PRAGMA journal_mode = {mode};" + ROWS)
        with closing(sqlite3.connect(file, isolation_level=None, timeout=0)) as other:
            catalog = _catalog(file)
            (claim,) = predicted(sql, catalog).locks
            raw.execute("BEGIN")
            raw.execute(sql)
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                other.execute("INSERT INTO t(a) VALUES (9)")
            assert "writes" in claim.blocks
            other.execute("BEGIN")
            assert other.execute("SELECT count(*) FROM t").fetchone() == (2,)
            if "reads" in claim.blocks:
                with pytest.raises(sqlite3.OperationalError, match="locked"):
                    raw.execute("COMMIT")
            else:
                raw.execute("COMMIT")
            other.execute("COMMIT")
    assert claim.mode == ("RESERVED" if mode == "wal" else "EXCLUSIVE")


def _catalog(file: str) -> Catalog:
    library = Standard(file)
    try:
        return library.catalog()
    finally:
        library.raw.close()


def test_drop_table_takes_children_along_only_with_foreign_keys_on(library: Library) -> None:
    library.run(FAMILY.format(" ON DELETE CASCADE") + "PRAGMA foreign_keys = ON;")
    effects = predicted("DROP TABLE p", library.catalog())
    assert [claim.relation.name for claim in effects.locks] == ["p", "c"]
    assert any("every row of c" in loss.what for loss in effects.loses)
    library.run("DROP TABLE p")
    assert library.query("SELECT count(*) FROM c") == [(0,)]


def test_drop_table_with_foreign_keys_off_leaves_orphans(library: Library) -> None:
    library.run(FAMILY.format(" ON DELETE CASCADE"))
    effects = predicted("DROP TABLE p", library.catalog())
    assert [claim.relation.name for claim in effects.locks] == ["p"]
    assert any("still references p" in one.what for one in effects.breaks)
    library.run("DROP TABLE p")
    assert library.query("SELECT count(*) FROM c") == [(1,)]


def test_the_pragma_for_foreign_keys_is_ignored_inside_a_transaction(library: Library) -> None:
    catalog = library.catalog()
    assert not predicted("PRAGMA foreign_keys = ON", catalog).transactional
    library.run("BEGIN; PRAGMA foreign_keys = ON; COMMIT;")
    assert library.query("PRAGMA foreign_keys") == [(0,)]


def test_what_cannot_run_in_a_transaction(library: Library) -> None:
    library.run(ROWS)
    catalog = library.catalog()
    for sql in ("VACUUM", "PRAGMA journal_mode = WAL", "PRAGMA synchronous = OFF"):
        assert not predicted(sql, catalog).transactional
    library.query("BEGIN")
    library.query("INSERT INTO t(a) VALUES (1)")
    for sql in ("VACUUM", "PRAGMA synchronous = OFF"):
        with pytest.raises(DatabaseFault):
            library.query(sql)
    library.query("PRAGMA journal_mode = WAL")
    library.query("COMMIT")
    assert library.query("PRAGMA journal_mode") == [("delete",)]


def test_an_unknown_version_is_certain_of_nothing_that_depends_on_it() -> None:
    catalog = Catalog(vendor="sqlite", complete=False)
    for sql in ("ALTER TABLE t DROP COLUMN a", "ALTER TABLE t ALTER COLUMN a SET NOT NULL", "ALTER TABLE t ADD CHECK (a > 0)"):
        effects = predicted(sql, catalog)
        assert any(one.kind == "unsupported" for one in effects.fails_if)
        assert not any(one.certain for one in effects.fails_if)


def test_old_versions() -> None:
    catalog = Catalog(vendor="sqlite", complete=False)
    operation = resolved("ALTER TABLE t DROP COLUMN a", catalog)
    old = D.effects(operation, catalog, version=Version(major=3, minor=34))
    assert any(one.certain and "3.35" in one.summary for one in old.fails_if)
    assert not D.effects(operation, catalog, version=Version(major=3, minor=35)).fails_if
    assert Name(schema="main", name="t") == old.locks[0].relation
