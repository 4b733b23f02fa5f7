"""Whatever a table holds and whoever writes meanwhile: the online rebuild ends where the one-transaction rebuild ends."""

from __future__ import annotations

import sqlite3
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[1] / "databases"))
from online_rig import apply, contents, leftovers, opened, plan_of, rebuild_step

pytestmark = pytest.mark.sqlite
FORMS = (
    "CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT UNIQUE, b INT, v TEXT)",
    "CREATE TABLE t(id INT PRIMARY KEY, a TEXT COLLATE NOCASE, b INT UNIQUE, v TEXT)",
    "CREATE TABLE t(id TEXT COLLATE NOCASE, a TEXT UNIQUE, b INT, v TEXT, PRIMARY KEY (id, b)) WITHOUT ROWID",
    "CREATE TABLE t(id INTEGER PRIMARY KEY AUTOINCREMENT, a TEXT, b INT AS (id % 5), v TEXT, UNIQUE (a, v))",
)
VALUES = st.one_of(st.integers(-9, 30), st.sampled_from(["a", "A", "b", "", "1", "ä"]), st.binary(max_size=2))
ROWS = st.lists(st.tuples(VALUES, VALUES, VALUES, VALUES), max_size=40)
VERBS = st.sampled_from(["INSERT OR REPLACE", "INSERT OR IGNORE", "REPLACE"])
WRITES = st.lists(
    st.one_of(
        st.tuples(st.just("put"), VERBS, st.tuples(VALUES, VALUES, VALUES, VALUES)),
        st.tuples(st.just("move"), st.sampled_from(["id", "a"]), st.tuples(VALUES, VALUES)),
        st.tuples(st.just("drop"), st.just("id"), st.tuples(VALUES)),
    ),
    max_size=12,
)


def write(db: sqlite3.Connection, form: str, one: Any) -> None:
    """A statement that this table refuses is one that did not happen."""
    kind, how, values = one
    columns = [name for name in ("id", "a", "b", "v") if not (name == "b" and "b INT AS" in form)]
    try:
        if kind == "put":
            row = [str(values[3]) if name == "v" else values[columns.index(name)] for name in columns]
            db.execute(f"{how} INTO t({', '.join(columns)}) VALUES ({', '.join('?' for _ in columns)})", row)
        elif kind == "move":
            db.execute(f"UPDATE OR REPLACE t SET {how} = ? WHERE id = ?", values)
        else:
            db.execute("DELETE FROM t WHERE id = ?", values)
    except sqlite3.Error:
        pass


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(form=st.sampled_from(FORMS), rows=ROWS, writes=WRITES)
def test_it_ends_where_one_transaction_ends(form: str, rows: list[Any], writes: list[Any]) -> None:
    found = []
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        for online in (True, False):
            file = Path(folder, f"{online}.db")
            with opened(file) as db:
                db.execute("PRAGMA journal_mode = WAL")
                db.execute(form)
                db.execute("CREATE INDEX t_v ON t(v)")
                for row in rows:
                    write(db, form, ("put", "INSERT OR IGNORE", row))
            url = f"sqlite:///{file}"
            plan = plan_of(url, rebuild_step(url, "ALTER TABLE t ALTER COLUMN v SET NOT NULL", online=online))
            left = list(writes)

            def during(event: Any, file: Path = file, left: list[Any] = left) -> None:
                """Half of the writes in the middle of the copy, where there is one."""
                if type(event).__name__ == "ChunkDone" and left:
                    with opened(file) as db:
                        for one in left[: max(len(left) // 2, 1)]:
                            write(db, form, one)
                        del left[: max(len(left) // 2, 1)]

            if not online:
                with opened(file) as db:
                    for one in left:
                        write(db, form, one)
            assert apply(url, plan, listener=during if online else lambda event: None).state == "done"
            if online:
                with opened(file) as db:
                    for one in left:
                        write(db, form, one)
            assert leftovers(file) == []
            found.append(contents(file))
    assert found[0] == found[1]
