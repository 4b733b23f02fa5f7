"""What goes wrong around a run: inputs that changed, functions that fail, second executors, copies, damaged journals, full disks."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from refusals import ENVIRON, SECRET, Project

CSV = "-- driftflow: backfill column=note csv=notes.csv key=id value=note match=id\nALTER TABLE orders ADD COLUMN note text;\n"
FUNCTION = "-- driftflow: backfill columns=note function=notes:fill inputs=id,total path=notes.py\nALTER TABLE orders ADD COLUMN note text;\n"
LARGE = {"DRIFTFLOW_SMALL_TABLE_ROWS": "0"}


def place(project: Project, name: str) -> str:
    """A table of the journal."""
    return f"_driftflow_{name}" if project.vendor == "sqlite" else f"driftflow.{name}"


def runs(project: Project) -> list[dict[str, Any]]:
    return json.loads(project.run("status", "--format", "json").stdout)  # type: ignore[no-any-return]


def tables(project: Project) -> dict[str, list[tuple[Any, ...]]]:
    """What the application sees."""
    return {name: project.rows(f"SELECT * FROM {name} ORDER BY 1") for name in ("customers", "orders")}


# inputs of a backfill


def test_a_csv_file_that_changed_since_the_plan(cornered: Project) -> None:
    cornered.write({"001_note.sql": CSV, "notes.csv": "id,note\n1,a\n"})
    cornered.plan(environ=LARGE)
    cornered.write({"notes.csv": "id,note\n1,b\n"})
    cornered.refused("apply", "plan.json", code="DF-E313", exit=3)
    (cornered.folder / "migrations" / "notes.csv").unlink()
    cornered.refused("apply", "plan.json", code="DF-E312", exit=3)


ROWS = {
    "the same key twice": (b"id,note\n1,a\n1,b\n", "DF-E535"),
    "no key": (b"id,note\n,a\n2,b\n", ""),
    "too few fields": (b"id,note\n1,a\n2\n", "DF-E537"),
    "too many fields": (b"id,note\n1,a,x\n", "DF-E537"),
    "an open quote": (b'id,note\n1,"a\n2,b\n', "DF-E541"),
    "not utf-8": (b"id,note\n1,caf\xe9\n", "DF-E541"),
    "a nul": (b"id,note\n1,a\0b\n", ""),
    "a key that is no number": (b"id,note\none,a\n", ""),
}


@pytest.mark.parametrize("kind", ROWS)
def test_rows_of_a_csv_file(cornered: Project, kind: str) -> None:
    """The step is rolled back, the application's rows are as they were, and the run can be taken back."""
    content, code = ROWS[kind]
    cornered.write({"001_note.sql": CSV, "notes.csv": content})
    before = tables(cornered)
    cornered.plan(environ=LARGE)
    done = cornered.run("apply", "plan.json", "--format", "json", environ=LARGE)
    after = tables(cornered)["orders"]
    if code:
        assert json.loads(done.stdout)["errors"][0]["code"] == code, done.stdout
        assert done.returncode == 6
    else:
        assert done.returncode in {0, 6}, done.stdout
        assert "DF-E900" not in done.stdout
    if done.returncode == 6:
        assert {row[:3] for row in after} == set(before["orders"])
        assert cornered.run("rollback", runs(cornered)[0]["run"], "--yes").returncode == 0
        assert tables(cornered) == before


FUNCTIONS = {
    "raises": ("def fill(rows):\n    raise ValueError('secret row ' + str(rows))\n", "DF-E533", 6),
    "too few answers": ("def fill(rows):\n    return []\n", "DF-E534", 6),
    "no answer": ("def fill(rows):\n    return None\n", "DF-E534", 6),
    "no dictionaries": ("def fill(rows):\n    return [1 for row in rows]\n", "DF-E534", 6),
    "another column": ("def fill(rows):\n    return [{'nota': 1} for row in rows]\n", "DF-E534", 6),
    "missing": ("def other(rows):\n    return []\n", "DF-E310", 3),
    "broken module": ("1 / 0\n", "DF-E310", 3),
    "exits": ("raise SystemExit(0)\n", "DF-E310", 3),
    "no python": ("def fill(rows:\n", "DF-E310", 3),
    "a value that no column takes": ("def fill(rows):\n    return [{'note': object()} for row in rows]\n", "", 6),
}


@pytest.mark.parametrize("kind", FUNCTIONS)
def test_functions(small: Project, kind: str) -> None:
    text, code, status = FUNCTIONS[kind]
    small.write({"001_note.sql": FUNCTION, "notes.py": text})
    before = tables(small)
    small.plan(environ=LARGE)
    done = small.run("apply", "plan.json", "--format", "json", environ=LARGE)
    assert done.returncode == status, done.stdout + done.stderr
    error = json.loads(done.stdout)["errors"][0]
    assert error["code"] == code or not code, error
    assert error["code"] != "DF-E900"
    assert "secret row" not in done.stdout + done.stderr
    assert {row[:3] for row in tables(small)["orders"]} == set(before["orders"])
    assert small.run("rollback", runs(small)[0]["run"], "--yes").returncode == 0
    assert tables(small) == before


def test_a_function_whose_file_changed(small: Project) -> None:
    small.write({"001_note.sql": FUNCTION, "notes.py": "def fill(rows):\n    return [{'note': 'x'} for row in rows]\n"})
    small.plan(environ=LARGE)
    small.write({"notes.py": "import os\ndef fill(rows):\n    return [{'note': 'y'} for row in rows]\n"})
    before = tables(small)
    done = small.run("apply", "plan.json", "--format", "json", environ=LARGE)
    assert done.returncode == 3
    assert json.loads(done.stdout)["errors"][0]["code"] in {"DF-E311", "DF-E313"}
    assert tables(small) == before


def test_a_source_database_that_is_not_named(cornered: Project) -> None:
    cornered.write(
        {
            "001_note.sql": '-- driftflow: backfill column=note query="SELECT id, note FROM n" url-env=NOTES_URL key=id value=note match=id\n'
            "ALTER TABLE orders ADD COLUMN note text;\n"
        }
    )
    cornered.plan(environ=LARGE)
    done = cornered.run("apply", "plan.json", "--format", "json", environ=LARGE)
    assert (done.returncode, json.loads(done.stdout)["errors"][0]["code"]) == (2, "DF-E115"), done.stdout
    before = tables(cornered)
    again = cornered.run(
        "apply", "plan.json", "--format", "json", environ={**LARGE, "NOTES_URL": f"postgresql://u:{SECRET}@127.0.0.1:1/d"}
    )
    assert (again.returncode, json.loads(again.stdout)["errors"][0]["code"]) == (6, "DF-E408"), again.stdout
    assert tables(cornered) == before


# two at once


def slow(project: Project) -> None:
    """A plan with a backfill that takes a while."""
    project.execute(
        "WITH RECURSIVE s(n) AS (SELECT 10 UNION ALL SELECT n + 1 FROM s WHERE n < 60000) INSERT INTO orders (id, customer_id, total) SELECT n, 1, n FROM s"
    )
    project.write(
        {"001_note.sql": "-- driftflow: backfill column=note set=\"'n' || total\"\nALTER TABLE orders ADD COLUMN note text;\n"}
    )
    project.plan(environ={**LARGE, "DRIFTFLOW_CHUNK_TARGET_MS": "5"})


SLOWLY = {**LARGE, "DRIFTFLOW_CHUNK_TARGET_MS": "5", "DRIFTFLOW_REST_PERCENT": "9000"}


def begin(project: Project) -> subprocess.Popen[str]:
    child = subprocess.Popen(
        [sys.executable, "-m", "driftflow", "apply", "plan.json", "--url", project.url],
        cwd=project.folder, env={**ENVIRON, **SLOWLY}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    until = time.monotonic() + 60
    while time.monotonic() < until and child.poll() is None:
        known = (
            project.rows("SELECT count(*) FROM sqlite_master WHERE name = '_driftflow_progress'")
            if project.vendor == "sqlite"
            else project.rows("SELECT count(*) FROM pg_tables WHERE schemaname = 'driftflow' AND tablename = 'progress'")
        )
        if known[0][0] and project.rows(f"SELECT count(*) FROM {place(project, 'progress')}")[0][0]:
            return child
        time.sleep(0.1)
    raise AssertionError(f"it did not begin: {child.communicate(timeout=5)[0]}")


def test_a_second_executor_and_an_overlapping_plan(cornered: Project) -> None:
    slow(cornered)
    cornered.write({"x.sql": "ALTER TABLE orders ADD COLUMN other text;\n"}, under="overlapping")
    child = begin(cornered)
    try:
        # Paused it keeps its lease, however fast the machine is.
        run = cornered.rows(f"SELECT id FROM {place(cornered, 'run')}")[0][0]
        assert cornered.run("pause", run).returncode == 0
        cornered.refused("apply", "plan.json", code="DF-E502", exit=3, unchanged=False, environ=SLOWLY)
        assert cornered.run("plan", "overlapping", "-o", "other.json").returncode in {0, 1}
        error = cornered.refused("apply", "other.json", code="DF-E302", exit=3, unchanged=False)
        assert "orders" in error["summary"]
        assert child.poll() is None
    finally:
        child.terminate()
        said = child.communicate(timeout=60)[0]
    assert child.returncode == 4, said
    cornered.refused("apply", "other.json", code="DF-E302", exit=3)
    assert cornered.run("resume", environ=LARGE).returncode == 0
    assert (
        cornered.rows(
            "SELECT count(*) FROM orders WHERE note IS DISTINCT FROM 'n' || total"
            if cornered.vendor != "sqlite"
            else "SELECT count(*) FROM orders WHERE note IS NOT 'n' || total"
        )[0][0]
        == 0
    )


def paused(project: Project) -> str:
    """A run that stopped in the middle; its id."""
    slow(project)
    child = begin(project)
    child.terminate()
    said = child.communicate(timeout=60)[0]
    assert child.returncode == 4, said
    return str(runs(project)[0]["run"])


# copies, and journals that are not as they should be


def test_a_copy_of_a_file_with_a_live_journal(small: Project, tmp_path: Path) -> None:
    run = paused(small)
    copy = tmp_path / "copy.db"
    shutil.copy(small.file, copy)
    beside = Project.__new__(Project)
    beside.folder, beside.vendor, beside.url, beside.admin_url = small.folder, "sqlite", f"sqlite:///{copy}", f"sqlite:///{copy}"
    error = beside.refused("resume", run, code="DF-E607", exit=3)
    assert "--adopt" in error["hint"]
    beside.refused("apply", "plan.json", code="DF-E607", exit=3)
    beside.refused("rollback", run, "--yes", code="DF-E607", exit=3)
    assert beside.run("resume", run, "--adopt", environ=LARGE).returncode == 0
    assert small.run("resume", run, environ=LARGE).returncode == 0
    assert tables(small) == tables(beside)


def test_a_clone_of_a_database_with_a_live_journal(either_server: Any, tmp_path: Path) -> None:
    server = either_server(18)
    url = server.create_database()
    project = Project(tmp_path / "project", url)
    run = paused(project)
    name = psycopg.conninfo.conninfo_to_dict(url)["dbname"]
    with psycopg.connect(server.url(), autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}_clone" TEMPLATE "{name}"'.encode())
    clone = Project.__new__(Project)
    clone.folder, clone.vendor, clone.url, clone.admin_url = (
        project.folder,
        "postgresql",
        server.url(f"{name}_clone"),
        server.url(f"{name}_clone"),
    )
    try:
        clone.refused("resume", run, code="DF-E607", exit=3)
        clone.refused("apply", "plan.json", code="DF-E607", exit=3)
        assert clone.run("abort", run).returncode == 0
        clone.refused("apply", "plan.json", code="DF-E307", exit=3)
        assert project.run("resume", run, environ=LARGE).returncode == 0
    finally:
        server.drop_database(url)
        with psycopg.connect(server.url(), autocommit=True) as admin:
            admin.execute(f'DROP DATABASE "{name}_clone" WITH (FORCE)'.encode())


def test_a_journal_of_a_newer_driftflow(cornered: Project) -> None:
    cornered.plan()
    cornered.ok("apply", "plan.json")
    cornered.execute(f"UPDATE {place(cornered, 'meta')} SET value = '99' WHERE key = 'version'")
    cornered.write({"002_more.sql": "ALTER TABLE customers ADD COLUMN more text;\n"})
    cornered.plan()
    for command in (("status",), ("resume", "none"), ("apply", "plan.json"), ("clean",)):
        cornered.refused(*command, code="DF-E601", exit=6)


DAMAGE = {
    "no version": ("DELETE FROM {meta} WHERE key = 'version'", "DF-E602"),
    "a version that is no number": ("UPDATE {meta} SET value = 'one' WHERE key = 'version'", "DF-E602"),
    "a plan that is none": ("UPDATE {run} SET plan = '{{'", "DF-E606"),
    "another plan": ("UPDATE {run} SET plan = replace(plan, 'note', 'nota')", "DF-E606"),
    "an event that is none": ('UPDATE {event} SET body = \'{{"event":"flew"}}\' WHERE seq = 2', "DF-E605"),
    "an identity that is none": ("UPDATE {run} SET identity = 'x'", "DF-E602"),
    "a table is gone": ("DROP TABLE {event}", "DF-E602"),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_journal(cornered: Project, kind: str) -> None:
    statement, code = DAMAGE[kind]
    run = paused(cornered)
    cornered.execute(statement.format(**{name: place(cornered, name) for name in ("meta", "run", "event")}))
    cornered.refused("resume", run, code=code, exit=6)
    cornered.refused("status", code=code, exit=6)
    if code != "DF-E606":  # With the file at hand, apply does not need the stored plan.
        cornered.refused("apply", "plan.json", code=code, exit=6)


# the disk


def test_a_full_disk(small: Project) -> None:
    """max_page_count stands in for the disk: it is the same answer of the library. It is per session, so the plan's statement sets it."""
    pages = small.rows("PRAGMA page_count")[0][0]
    small.write(
        {
            "001_full.sql": f"PRAGMA max_page_count = {pages + 40};\nCREATE TABLE copy AS SELECT hex(randomblob(3000)) AS x FROM orders a, orders b, orders c, orders d;\n"
        }
    )
    before = tables(small)
    made = small.run("plan", "migrations", "-o", "plan.json")
    if made.returncode not in {0, 1}:
        pytest.fail(made.stderr)
    names = [
        step["undo"]["name"]
        for step in json.loads((small.folder / "plan.json").read_text())["plan"]["steps"]
        if step["undo"].get("undo") == "irreversible"
    ]
    accepted = [word for name in names for word in ("--accept", name)]
    done = small.run("apply", "plan.json", "--format", "json", *accepted)
    assert done.returncode == 6, done.stdout + done.stderr
    assert json.loads(done.stdout)["errors"][0]["code"] == "DF-E515", done.stdout
    assert tables(small) == before


# secrets


def test_a_password_is_nowhere(small: Project) -> None:
    """In the URL's query, in the environment and in a password command; in outputs, plan, journal and snapshot."""
    url = f"{small.url}?password={SECRET}"
    small.run("plan", "migrations", "-o", "plan.json", url=url)
    small.run("apply", "plan.json", url=url)
    small.run("snapshot", "-o", "snapshot.json", url=url)
    for path in [*small.folder.rglob("*"), small.file]:
        if path.is_file():
            assert SECRET.encode() not in path.read_bytes(), path


def test_locked_by_somebody_else(small: Project) -> None:
    small.plan()
    with closing(sqlite3.connect(small.file, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        done = small.run("apply", "plan.json")
        other.execute("ROLLBACK")
    assert done.returncode == 6
    assert "error[DF-E403]" in done.stderr
    assert "fuser" in done.stderr
