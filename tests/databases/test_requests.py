"""Requests in TOML through the command line on real databases: what they ask for is done, and a file that changed since the plan is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from refusals import Project

COLUMN = "ALTER TABLE orders ADD COLUMN note text;\n"
REQUESTS = '[[statement]]\non = { operation = "add-column", table = "orders", column = "note" }\nbackfill = { column = "note", csv = "notes.csv", key = "id", value = "note", match = "id" }\n'
NOTES = "id,note\n1,a\n2,b\n3,c\n4,d\n"
LARGE = {"DRIFTFLOW_SMALL_TABLE_ROWS": "0"}


def test_a_request_is_followed_like_a_comment(cornered: Project) -> None:
    cornered.write({"001_note.sql": COLUMN, "001_note.driftflow.toml": REQUESTS, "notes.csv": NOTES})
    plan = cornered.plan(environ=LARGE)
    assert [one["path"] for one in json.loads(plan.read_text())["plan"]["inputs"]] == [
        "migrations/001_note.driftflow.toml",
        "migrations/notes.csv",
    ]
    cornered.write({"001_note.driftflow.toml": REQUESTS + "small = true\n"})
    cornered.refused("apply", "plan.json", code="DF-E313", exit=3)
    cornered.write({"001_note.driftflow.toml": REQUESTS})
    cornered.ok("apply", "plan.json", environ=LARGE)
    assert cornered.rows("SELECT id, note FROM orders ORDER BY id") == [(1, "a"), (2, "b"), (3, "c"), (4, "d")]
    cornered.write({"001_note.driftflow.toml": ""})
    assert json.loads(cornered.ok("status", "--format", "json").stdout)[0]["state"] == "done"


def prisma(project: Project, requests: str) -> Path:
    """The same migration as Prisma has it: the folder's SQL is generated, and a comment in it would be lost."""
    there = "prisma/migrations"
    project.write({"migration_lock.toml": f'provider = "{project.vendor}"\n'}, under=there)
    project.write(
        {"migration.sql": COLUMN, "migration.driftflow.toml": requests, "notes.csv": NOTES}, under=f"{there}/20260101000000_note"
    )
    return project.folder / there


def test_beside_a_migration_of_prisma(cornered: Project) -> None:
    prisma(cornered, REQUESTS)
    cornered.plan("prisma/migrations", environ=LARGE)
    cornered.ok("apply", "plan.json", environ=LARGE)
    assert cornered.rows("SELECT id, note FROM orders ORDER BY id") == [(1, "a"), (2, "b"), (3, "c"), (4, "d")]
    assert cornered.rows("SELECT migration_name FROM _prisma_migrations") == [("20260101000000_note",)]


def test_a_request_that_is_about_nothing_stops_the_plan(cornered: Project) -> None:
    prisma(cornered, REQUESTS.replace('"note"', '"notes"', 1))
    said = cornered.refused("plan", "prisma/migrations", "-o", "plan.json", code="DF-E753", exit=2)
    assert said["where"] == "prisma/migrations/20260101000000_note/migration.driftflow.toml:1:1"


INDEX = "CREATE INDEX orders_total ON orders (total);\n"
REASON = '[[statement]]\non.number = 1\nignore = { codes = ["DF106"], reason = "few rows" }\n'


@pytest.mark.parametrize("cornered", [pytest.param("postgresql-16", marks=pytest.mark.postgresql)], indirect=True)
def test_what_enhance_writes_needs_no_request_any_more(cornered: Project) -> None:
    """The tool's own SQL says all of it then, and the file goes with what it asked for."""
    cornered.write({"001_note.sql": INDEX, "001_note.driftflow.toml": REASON})
    took = cornered.ok("enhance", "migrations", "--take", "all", "--format", "json", environ=LARGE)
    files = json.loads(took.stdout)["files"]
    assert "CONCURRENTLY" in files["migrations/001_note.sql"] and files["migrations/001_note.driftflow.toml"] is None


def test_enhance_changes_no_statement_that_a_request_speaks_of(small: Project) -> None:
    small.write({"001_note.sql": "ALTER TABLE customers ADD COLUMN totp_secret text;\n", "001_note.driftflow.toml": REASON})
    said = small.refused("enhance", "migrations", "--take", "all", "--in-place", code="DF-E139", exit=2)
    assert said["where"] == "migrations/001_note.driftflow.toml"
