"""Every trap of a rebuild again, online: the result is that of the one-transaction form, and the way back leads home."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

import pytest
from online_rig import apply, contents, edge, leftovers, opened, plan_of, read, rebuild_step, take_back

from driftflow.drivers.urls import connector_for
from driftflow.engine.run import resume
from driftflow.errors import StepFailedError
from driftflow.journal import inspect

pytestmark = pytest.mark.sqlite

FAMILY = """
CREATE TABLE parent(id INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE child(id INTEGER PRIMARY KEY, parent_id INT REFERENCES parent(id) ON DELETE CASCADE);
WITH RECURSIVE n(g) AS (SELECT 1 UNION ALL SELECT g + 1 FROM n WHERE g < 55) INSERT INTO parent SELECT g, 'name ' || g FROM n;
INSERT INTO child SELECT id * 10, id FROM parent;
"""
NUMBERS = "WITH RECURSIVE n(g) AS (SELECT 1 UNION ALL SELECT g + 1 FROM n WHERE g < 55) "

TRAPS = {
    "children": (FAMILY, "ALTER TABLE parent ALTER COLUMN name SET NOT NULL"),
    "itself": (
        "CREATE TABLE node(id INTEGER PRIMARY KEY, up INT REFERENCES node(id), name TEXT);"
        + NUMBERS
        + "INSERT INTO node SELECT g, nullif(g / 2, 0), 'n' || g FROM n;",
        "ALTER TABLE node ALTER COLUMN name SET NOT NULL",
    ),
    "views": (
        FAMILY
        + """
        CREATE VIEW inner_view AS SELECT id, name FROM parent;
        CREATE VIEW outer_view(n) AS SELECT name FROM inner_view;
        CREATE TRIGGER on_view INSTEAD OF INSERT ON inner_view BEGIN INSERT INTO parent(name) VALUES (new.name); END;
        """,
        "ALTER TABLE parent ADD CONSTRAINT short CHECK (length(name) < 50)",
    ),
    "triggers": (
        FAMILY
        + """
        CREATE TABLE log(what TEXT);
        CREATE TRIGGER own AFTER INSERT ON parent BEGIN INSERT INTO log VALUES ('parent ' || new.name); END;
        CREATE TRIGGER other AFTER INSERT ON child BEGIN UPDATE parent SET name = name || '!' WHERE id = new.parent_id; END;
        """,
        "ALTER TABLE parent ALTER COLUMN name SET DEFAULT 'x'",
    ),
    "indexes": (
        """
        CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT, b INT, UNIQUE (a, b));
        CREATE INDEX plain ON t(a);
        CREATE INDEX partial ON t(b) WHERE b IS NOT NULL;
        CREATE UNIQUE INDEX expression ON t(lower(a), b DESC);
        CREATE INDEX collated ON t(a COLLATE NOCASE);
        """
        + NUMBERS
        + "INSERT INTO t SELECT g, 'a' || g, nullif(g % 3, 0) FROM n; ANALYZE;",
        "ALTER TABLE t ALTER COLUMN a SET NOT NULL",
    ),
    "counter": (
        "CREATE TABLE t(id INTEGER PRIMARY KEY AUTOINCREMENT, a TEXT);"
        + NUMBERS
        + "INSERT INTO t(a) SELECT 'x' FROM n; DELETE FROM t WHERE id > 50;",
        "ALTER TABLE t ALTER COLUMN a SET NOT NULL",
    ),
    "emptied": (
        "CREATE TABLE t(id INTEGER PRIMARY KEY AUTOINCREMENT, a TEXT); INSERT INTO t(a) VALUES ('x'), ('y'); DELETE FROM t;",
        "ALTER TABLE t ALTER COLUMN a SET NOT NULL",
    ),
    "rowids": (
        "CREATE TABLE t(a TEXT);" + NUMBERS + "INSERT INTO t(a) SELECT 'x' || g FROM n; DELETE FROM t WHERE rowid % 7 = 0;",
        "ALTER TABLE t ALTER COLUMN a SET NOT NULL",
    ),
    "other rowid": (
        "CREATE TABLE t(a TEXT, rowid TEXT, id INT PRIMARY KEY);"
        + NUMBERS
        + "INSERT INTO t(a, id) SELECT 'x' || g, 100 - g FROM n; DELETE FROM t WHERE id % 7 = 0;",
        "ALTER TABLE t ALTER COLUMN a SET NOT NULL",
    ),
    "generated": (
        "CREATE TABLE t(id INTEGER PRIMARY KEY, a INT, stored INT AS (a * 2) STORED, virtual AS (a + 1) UNIQUE); CREATE INDEX by_stored ON t(stored);"
        + NUMBERS
        + "INSERT INTO t(a) SELECT g FROM n;",
        "ALTER TABLE t ALTER COLUMN a SET NOT NULL",
    ),
    "without rowid": (
        "CREATE TABLE t(a TEXT COLLATE NOCASE, b TEXT, n INT, PRIMARY KEY (a, b)) WITHOUT ROWID;"
        + NUMBERS
        + "INSERT INTO t SELECT 'k' || (g % 5), g, g FROM n;",
        "ALTER TABLE t ALTER COLUMN n SET NOT NULL",
    ),
    "names": (
        'CREATE TABLE "odd ""name%s" ("select" INTEGER PRIMARY KEY, "a b%" TEXT);'
        + NUMBERS
        + 'INSERT INTO "odd ""name%s" SELECT g, g FROM n;',
        'ALTER TABLE "odd ""name%s" ALTER COLUMN "a b%" SET NOT NULL',
    ),
    "new foreign key": (
        FAMILY + "CREATE TABLE t(id INTEGER PRIMARY KEY, p INT);" + NUMBERS + "INSERT INTO t SELECT g, nullif(g % 50, 0) FROM n;",
        "ALTER TABLE t ADD FOREIGN KEY (p) REFERENCES parent(id)",
    ),
    "text search": (
        """
        CREATE TABLE doc(title TEXT, body TEXT);
        CREATE VIRTUAL TABLE search USING fts5(title, body, content='doc', content_rowid='rowid');
        CREATE TRIGGER doc_in AFTER INSERT ON doc BEGIN
          INSERT INTO search(rowid, title, body) VALUES (new.rowid, new.title, new.body);
        END;
        CREATE TRIGGER doc_out AFTER DELETE ON doc BEGIN
          INSERT INTO search(search, rowid, title, body) VALUES ('delete', old.rowid, old.title, old.body);
        END;
        """
        + NUMBERS
        + "INSERT INTO doc SELECT 't' || g, 'apple ' || g FROM n; DELETE FROM doc WHERE title = 't1';",
        "ALTER TABLE doc ALTER COLUMN title SET NOT NULL",
    ),
}


def made(file: Path, script: str) -> str:
    with opened(file) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.executescript(script)
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return f"sqlite:///{file}"


@pytest.mark.parametrize("trap", TRAPS)
def test_the_same_as_in_one_transaction_and_back(trap: str, tmp_path: Path) -> None:
    script, change = TRAPS[trap]
    found = {}
    for form in ("one", "online"):
        url = made(tmp_path / f"{form}.db", script)
        before = read(url)
        plan = plan_of(url, rebuild_step(url, change, online=form == "online"))
        report = apply(url, plan)
        assert report.state == "done"
        assert leftovers(tmp_path / f"{form}.db") == []
        found[form] = contents(tmp_path / f"{form}.db")
        assert take_back(url, report.run).state == "rolled_back"
        names = [table.name for table in before.tables.values()]
        assert read(url).fingerprint(names) == before.fingerprint(names)
        assert leftovers(tmp_path / f"{form}.db") == []
        found[form + " back"] = contents(tmp_path / f"{form}.db")
    assert found["online"] == found["one"]
    assert found["online back"] == found["one back"]


def test_a_new_foreign_key_that_rows_break_stops_while_copying(tmp_path: Path) -> None:
    url = made(
        tmp_path / "shop.db", FAMILY + "CREATE TABLE t(id INTEGER PRIMARY KEY, p INT); INSERT INTO t VALUES (1, 1), (2, 999);"
    )
    before = contents(tmp_path / "shop.db")
    with pytest.raises(StepFailedError) as caught:
        apply(url, plan_of(url, rebuild_step(url, "ALTER TABLE t ADD FOREIGN KEY (p) REFERENCES parent(id)", online=True)))
    assert caught.value.code == "DF-E539"
    assert contents_after_rollback(url, tmp_path / "shop.db") == before


def test_a_row_that_breaks_the_new_form_stops_and_the_application_goes_on(tmp_path: Path) -> None:
    url = made(tmp_path / "shop.db", FAMILY)
    plan = plan_of(url, rebuild_step(url, "ALTER TABLE parent ALTER COLUMN name SET NOT NULL", online=True))
    done: list[int] = []

    def write(event: object) -> None:
        if type(event).__name__ == "ChunkDone" and not done:
            done.append(1)
            with opened(tmp_path / "shop.db") as db:
                db.execute("UPDATE parent SET name = NULL WHERE id = 3")

    with pytest.raises(StepFailedError):
        apply(url, plan, listener=write)
    with opened(tmp_path / "shop.db") as db:
        db.execute("UPDATE parent SET name = 'mended' WHERE id = 3")
    assert apply(url, plan).state == "done"
    with opened(tmp_path / "shop.db") as db:
        assert db.execute("SELECT name FROM parent WHERE id = 3").fetchone() == ("mended",)
    assert leftovers(tmp_path / "shop.db") == []


def contents_after_rollback(url: str, file: Path) -> list:
    with opened(file) as db:
        run = db.execute("SELECT id FROM _driftflow_run").fetchone()[0]
    assert take_back(url, run).state == "rolled_back"
    assert leftovers(file) == []
    return contents(file)


@pytest.mark.parametrize("what", ["index", "hidden index", "trigger gone", "vacuum"])
def test_what_others_do_in_the_middle(what: str, tmp_path: Path) -> None:
    """A changed table is not swapped; VACUUM numbers hidden rowids anew, so the copy begins again."""
    file = tmp_path / "shop.db"
    script, change = TRAPS["rowids" if what in {"vacuum", "hidden index"} else "counter"]
    url = made(file, script)
    before = contents(file)
    plan = plan_of(url, rebuild_step(url, change, online=True))
    chunks: list[int] = []

    def act(event: object) -> None:
        if type(event).__name__ != "ChunkDone":
            return
        chunks.append(1)
        if len(chunks) != 2:
            return
        with opened(file) as db:
            if what.endswith("index"):
                db.execute("CREATE INDEX later ON t(a)")
            elif what == "trigger gone":
                db.execute("DROP TRIGGER _driftflow_capture_update_t")
            else:
                db.execute("VACUUM")

    if what == "vacuum":
        assert apply(url, plan, listener=act).state == "done"
        with opened(file) as db:
            assert db.execute("SELECT count(*) FROM t").fetchone() == (len(before[1][0][1]),)
        assert leftovers(file) == []
        return
    with pytest.raises(Exception, match="not the one") as caught:
        apply(url, plan, listener=act)
    assert caught.value.code == "DF-E315"
    if what.endswith("index"):
        with opened(file) as db:
            db.execute("DROP INDEX later")
    assert contents_after_rollback(url, file) == before


def test_abort_takes_the_copy_away(tmp_path: Path) -> None:
    file = tmp_path / "shop.db"
    url = made(file, FAMILY + NUMBERS + "INSERT INTO parent SELECT g + 1000, 'more' FROM n;")
    before = contents(file)
    plan = plan_of(url, rebuild_step(url, "ALTER TABLE parent ALTER COLUMN name SET NOT NULL", online=True))
    asked: list[int] = []

    def ask(event: object) -> None:
        if type(event).__name__ == "ChunkDone" and not asked:
            asked.append(1)
            connection = connector_for(url).connect()
            inspect.request(connection, inspect.runs(connection)[0].run, "abort")
            connection.close()
            time.sleep(0.6)  # until it is heard

    report = apply(url, plan, listener=ask)
    assert report.state == "aborted"
    assert leftovers(file) == []
    assert contents(file) == before
    assert resume(report.run, **edge(url)).state == "done"
    assert leftovers(file) == []


def test_a_full_copy_is_needed_where_there_is_no_key(tmp_path: Path) -> None:
    url = made(tmp_path / "shop.db", "CREATE TABLE t(a TEXT, rowid TEXT, oid TEXT, _rowid_ TEXT); INSERT INTO t(a) VALUES ('x');")
    assert rebuild_step(url, "ALTER TABLE t ALTER COLUMN a SET NOT NULL", online=False).online is None
    with pytest.raises(AssertionError, match="no key"):
        rebuild_step(url, "ALTER TABLE t ALTER COLUMN a SET NOT NULL", online=True)


def test_a_check_that_names_its_own_table_keeps_the_one_transaction(tmp_path: Path) -> None:
    url = made(
        tmp_path / "shop.db", "CREATE TABLE t(id INTEGER PRIMARY KEY, a INT, CHECK (t.a > 0)); INSERT INTO t VALUES (1, 1);"
    )
    with pytest.raises(AssertionError, match="names the table itself"):
        rebuild_step(url, "ALTER TABLE t ALTER COLUMN a SET NOT NULL", online=True)
    step = rebuild_step(url, "ALTER TABLE t ALTER COLUMN a SET NOT NULL", online=False)
    assert apply(url, plan_of(url, step)).state == "done"


def test_rows_are_taken_by_replace_through_every_kind_of_unique_key(tmp_path: Path) -> None:
    """One by one, in the middle of the copy: what REPLACE removes without a word must not stay in the copy."""
    script = (
        """
        CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT COLLATE NOCASE UNIQUE, b INT, c TEXT, g INT AS (b * 2) STORED, n INT);
        CREATE UNIQUE INDEX by_expression ON t(lower(c), b);
        CREATE UNIQUE INDEX by_part ON t(n) WHERE n > 100;
        CREATE UNIQUE INDEX by_generated ON t(g);
        """
        + NUMBERS
        + "INSERT INTO t(id, a, b, c, n) SELECT g, 'a' || g, g, 'C' || g, g + 100 FROM n;"
    )
    file = tmp_path / "shop.db"
    url = made(file, script)
    writes = [
        "INSERT OR REPLACE INTO t(id, a, b, c, n) VALUES (900, 'A3', 903, 'x', 1)",
        "INSERT OR REPLACE INTO t(id, a, b, c, n) VALUES (901, 'z1', 4, 'y', 2)",
        "INSERT OR REPLACE INTO t(id, a, b, c, n) VALUES (902, 'z2', 5, 'c5', 3)",
        "INSERT OR REPLACE INTO t(id, a, b, c, n) VALUES (903, 'z3', 777, 'w', 106)",
        "UPDATE OR REPLACE t SET a = 'a8' WHERE id = 7",
        "UPDATE OR REPLACE t SET n = 110 WHERE id = 9",
        "REPLACE INTO t(id, a, b, c, n) VALUES (11, 'a12', 13, 'c14', 115)",
        "UPDATE OR REPLACE t SET id = 17 WHERE id = 16",
        "INSERT OR IGNORE INTO t(id, a, b, c, n) VALUES (18, 'a19', 20, 'c21', 122)",
        "INSERT INTO t(id, a, b, c, n) VALUES (23, 'new', 999, 'q', 4) ON CONFLICT (id) DO UPDATE SET c = 'upserted'",
        "UPDATE OR IGNORE t SET a = 'a25' WHERE id IN (26, 27)",
        "DELETE FROM t WHERE id = 28",
    ]
    plan = plan_of(url, rebuild_step(url, "ALTER TABLE t ALTER COLUMN n SET NOT NULL", online=True))
    mirror = sqlite3.connect(":memory:", isolation_level=None)
    mirror.executescript(script)
    pending = list(writes)

    def write(event: object) -> None:
        if type(event).__name__ == "ChunkDone" and event.chunk >= 3 and pending:
            with opened(file) as db:
                for sql in pending:
                    db.execute(sql)
                    mirror.execute(sql)
                pending.clear()

    assert apply(url, plan, listener=write).state == "done"
    assert not pending
    with opened(file) as db:
        assert db.execute("SELECT * FROM t ORDER BY id").fetchall() == mirror.execute("SELECT * FROM t ORDER BY id").fetchall()
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert leftovers(file) == []


def test_rows_and_what_they_point_at_can_be_deleted_all_the_time(tmp_path: Path) -> None:
    """The copy and the old table set aside have foreign keys too: none may hold on to a row that the application deleted."""
    file = tmp_path / "shop.db"
    url = made(
        file,
        "CREATE TABLE u(id INTEGER PRIMARY KEY); CREATE TABLE o(id INTEGER PRIMARY KEY, u INT REFERENCES u(id), v TEXT);"
        + NUMBERS
        + "INSERT INTO u SELECT g FROM n; INSERT INTO o SELECT id, id, 'x' FROM u;",
    )
    plan = plan_of(url, rebuild_step(url, "ALTER TABLE o ALTER COLUMN v SET NOT NULL", online=True))
    gone: list[int] = []

    def delete(event: object) -> None:
        if type(event).__name__ in {"ChunkDone", "StepDone"} and len(gone) < 50:
            gone.append(len(gone) + 1)
            with opened(file) as db:
                db.execute("PRAGMA foreign_keys = ON")
                db.execute("BEGIN IMMEDIATE")
                db.execute("DELETE FROM o WHERE id = ?", (gone[-1],))
                db.execute("DELETE FROM u WHERE id = ?", (gone[-1],))
                db.execute("COMMIT")

    assert apply(url, plan, listener=delete).state == "done"
    assert len(gone) >= 6
    with opened(file) as db:
        assert db.execute("SELECT count(*) FROM o").fetchone() == (55 - len(gone),)
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
    assert leftovers(file) == []
