"""What people hand in by mistake: SQL, files, settings and plans that cannot be right. One clear error each, and nothing changes."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from refusals import GOOD, Project

# SQL and files


def test_sql_that_the_grammar_rejects(cornered: Project) -> None:
    cornered.write({"002_bad.sql": "-- first\nCREATE INDEX a ON orders (total);\nALTER TABLE orders\n  ADD COLUMN (x integer;\n"})
    for command in ("lint", "plan"):
        error = cornered.refused(command, "migrations", code="DF-E201", exit=2)
        assert error["where"].startswith("migrations/002_bad.sql:4:"), error
        assert "ADD COLUMN (x integer" in error["where"]
        assert "^" in error["where"]


def test_all_that_is_rejected_is_told_at_once(small: Project) -> None:
    small.write({"002.sql": "SELEC 1;\n", "003.sql": "CREATE TABLE t (;\n"})
    errors = small.refused("plan", "migrations", code="DF-E201", exit=2)["errors"]
    assert [error["where"].partition(":")[0] for error in errors] == ["migrations/002.sql", "migrations/003.sql"]


FILES: dict[str, tuple[bytes, str, str]] = {
    "binary": (b"\x7fELF\x02\x01\x01\x00" + bytes(range(256)), "DF-E223", "002_bad.sql"),
    "latin1": ("SELECT 'caf\xe9';\n".encode("latin-1"), "DF-E223", "002_bad.sql:1:12"),
    "nul": (b"SELECT 1;\n-- a\0b\n", "DF-E224", "002_bad.sql:2:5"),
    "utf16": ("SELECT 1;\n".encode("utf-16"), "DF-E223", "002_bad.sql:1:1"),
    "open quote": (b"SELECT 1;\nSELECT 'open;\n", "DF-E202", "002_bad.sql:2:8"),
    "open comment": (b"SELECT 1;\n/* open\n", "DF-E202", "002_bad.sql:2:1"),
}


@pytest.mark.parametrize("kind", FILES)
def test_files_that_are_no_text(small: Project, kind: str) -> None:
    content, code, where = FILES[kind]
    small.write({"002_bad.sql": content})
    error = small.refused("plan", "migrations", code=code, exit=2)
    assert f"migrations/{where}" in error["where"]


def test_commands_of_a_shell(cornered: Project) -> None:
    cornered.write({"002_bad.sql": "SELECT 1;\n" + (".read x.sql\n" if cornered.vendor == "sqlite" else "\\i x.sql\n")})
    assert "002_bad.sql:2:1" in cornered.refused("plan", "migrations", code="DF-E204", exit=2)["where"]


def test_line_ends_and_marks_of_windows_are_read(cornered: Project) -> None:
    cornered.write({"002_windows.sql": b"\xef\xbb\xbfALTER TABLE orders\r\n  ADD COLUMN seen text;\r\n\r\n"})
    cornered.plan()
    before = cornered.state()
    assert cornered.run("apply", "plan.json").returncode == 0
    assert cornered.state() != before
    assert cornered.rows("SELECT note, seen FROM orders WHERE id = 1") == [(None, None)]


def test_an_empty_file_changes_nothing(small: Project) -> None:
    (small.folder / "migrations" / "001_note.sql").unlink()
    small.write({"001_empty.sql": "", "002_comment.sql": "-- nothing yet\n"})
    assert small.run("plan", "migrations", "-o", "plan.json").returncode == 0


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_cannot_be_read(small: Project) -> None:
    (small.folder / "migrations" / "001_note.sql").chmod(0)
    small.refused("plan", "migrations", code="DF-E222", exit=2)


def test_links_in_a_circle(small: Project) -> None:
    (small.folder / "migrations" / "002_loop.sql").symlink_to("002_loop.sql")
    small.refused("plan", "migrations", code="DF-E222", exit=2)


def test_a_folder_in_a_circle(small: Project) -> None:
    (small.folder / "loop").symlink_to("loop")
    small.refused("plan", "loop", code="DF-E132", exit=2)


def test_a_link_that_leads_nowhere(small: Project) -> None:
    (small.folder / "migrations" / "002_gone.sql").symlink_to("/nowhere/at/all.sql")
    small.refused("plan", "migrations", code="DF-E222", exit=2)


def test_fifty_megabytes_are_read(small: Project) -> None:
    """Slow is allowed, wrong is not: the last line of a dump is the one that does not fit."""
    line = b"INSERT INTO orders (id, total) VALUES (1, '" + b"x" * 1_000_000 + b"');\n"
    small.write({"002_dump.sql": line * 50 + b"SELEC 1;\n"})
    done = small.run("lint", "migrations", seconds=400)
    assert done.returncode == 2
    assert "error[DF-E201]" in done.stdout
    assert "migrations/002_dump.sql:51:1" in done.stdout


def test_a_file_that_is_a_dump(small: Project) -> None:
    with (small.folder / "migrations" / "002_dump.sql").open("wb") as file:
        file.truncate(65 * 1024 * 1024)
    small.refused("lint", "migrations", code="DF-E222", exit=2)


def test_nothing_there(small: Project) -> None:
    small.refused("plan", "nowhere", code="DF-E132", exit=2)
    (small.folder / "empty").mkdir()
    small.refused("plan", "empty", code="DF-E221", exit=2)


def test_a_reader_that_does_not_exist(small: Project) -> None:
    small.refused("plan", "migrations", "--tool", "alembik", code="DF-E237", exit=2)


def test_a_variable_that_is_not_set(cornered: Project) -> None:
    cornered.write({"002_variable.sql": "CREATE TABLE :SCHEMA.t (id integer);\n"})
    if cornered.vendor == "sqlite":
        return
    error = cornered.refused("plan", "migrations", "--var", "OTHER=1", code="DF-E229", exit=2)
    assert "002_variable.sql:1:14" in error["where"]


# directives

DIRECTIVES = {
    "cannot be read": ("backfill column=note set=\"'x'", "DF-E210"),
    "no such verb": ("backfil column=note set=1", "DF-E216"),
    "no such option": ("backfill column=note sett=1", "DF-E212"),
    "nothing to fill from": ("backfill column=note", "DF-E213"),
    "two sources": ("backfill column=note set=1 csv=a.csv", "DF-E213"),
    "no such column": ("backfill column=nota set=1", "DF-E217"),
    "a comment takes in what follows": ('backfill column=note set="total -- as text"', "DF-E213"),
}


@pytest.mark.parametrize("kind", DIRECTIVES)
def test_directives(small: Project, kind: str) -> None:
    directive, code = DIRECTIVES[kind]
    small.write({"001_note.sql": f"-- driftflow: {directive}\n{GOOD['001_note.sql']}", "a.csv": "id,v\n"})
    error = small.refused("plan", "migrations", code=code, exit=2)
    assert "migrations/001_note.sql:1" in error["where"]


UNREADABLE = {
    "set": 'backfill column=note set="coalesce("',
    "from": 'backfill column=note from="customers c,," on="c.id = orders.customer_id" set="c.name"',
    "query": 'verify query="SELECT count(* FROM orders" expect=0',
}


@pytest.mark.parametrize("option", UNREADABLE)
def test_an_expression_that_the_server_cannot_read(cornered: Project, option: str) -> None:
    """In the run it would be said behind ADD COLUMN. What is only not there yet, the migration may make."""
    cornered.write({"001_note.sql": f"-- driftflow: {UNREADABLE[option]}\n{GOOD['001_note.sql']}"})
    error = cornered.refused("plan", "migrations", code="DF-E213", exit=2)
    assert f"{option}= of the directive" in error["summary"] and "001_note.sql:1" in error["where"]
    later = "CREATE TABLE notes (id integer, text text);\n"
    said = 'backfill column=note from="notes n" on="n.id = orders.id" set="n.text"'
    cornered.write({"001_note.sql": f"{later}-- driftflow: {said}\n{GOOD['001_note.sql']}"})
    assert cornered.run_here("plan", "migrations")[0] == 0


def test_a_directive_about_nothing(small: Project) -> None:
    small.write({"002_late.sql": f"{GOOD['001_note.sql'].replace('note', 'late')}-- driftflow: backfill column=late set=1\n"})
    assert "002_late.sql:2" in small.refused("plan", "migrations", code="DF-E211", exit=2)["where"]


CSV = "-- driftflow: backfill column=note csv=notes.csv key=id value=note match=id\nALTER TABLE orders ADD COLUMN note text;\n"


def test_a_csv_file_that_is_not_there(small: Project) -> None:
    small.write({"001_note.sql": CSV})
    error = small.refused("plan", "migrations", code="DF-E214", exit=2)
    assert "migrations/001_note.sql:1" in error["where"]


# versions and order


def test_two_migrations_of_one_version(small: Project) -> None:
    up = "-- migrate:up\nSELECT 1;\n-- migrate:down\n"
    small.write({"001_a.sql": up, "001_b.sql": up}, under="dbmate")
    small.refused("plan", "dbmate", code="DF-E226", exit=2)
    small.write({"V1__a.sql": "SELECT 1;", "V1__b.sql": "SELECT 1;"}, under="flyway")
    small.refused("plan", "flyway", code="DF-E226", exit=2)
    small.write({"1_a.sql": "-- +goose Up\nSELECT 1;\n", "01_b.sql": "-- +goose Up\nSELECT 1;\n"}, under="goose")
    small.refused("plan", "goose", code="DF-E226", exit=2)
    small.write({"1_a.up.sql": "SELECT 1;", "1_b.up.sql": "SELECT 1;"}, under="golang")
    small.refused("plan", "golang", code="DF-E226", exit=2)


def test_out_of_order(cornered: Project) -> None:
    """goose and Flyway refuse what sorts before the last applied one, and so do we."""
    cornered.write({"2_b.sql": "-- +goose Up\nALTER TABLE orders ADD COLUMN note text;\n"}, under="goose")
    cornered.plan("goose")
    cornered.ok("apply", "plan.json")
    cornered.write({"1_a.sql": "-- +goose Up\nALTER TABLE orders ADD COLUMN early text;\n"}, under="goose")
    cornered.refused("plan", "goose", code="DF-E242", exit=2)


def test_an_applied_migration_was_changed(cornered: Project) -> None:
    cornered.plan()
    cornered.ok("apply", "plan.json")
    cornered.write({"001_note.sql": "ALTER TABLE orders ADD COLUMN other text;\n"})
    cornered.refused("plan", "migrations", code="DF-E241", exit=2)


# settings


SETTINGS: dict[str, tuple[str, str]] = {
    "unknown key": ("[policy]\nstall_budget = 3\n", "DF-E102"),
    "unknown table": ("[polcy]\nx = 1\n", "DF-E102"),
    "wrong type": ('[policy]\nstall_budget_ms = "often"\n', "DF-E103"),
    "bad toml": ("[policy\nstall_budget_ms = 3\n", "DF-E101"),
    "not utf-8": ("[policy]\n# caf\udce9\n", "DF-E101"),
}


@pytest.mark.parametrize("kind", SETTINGS)
def test_settings(small: Project, kind: str) -> None:
    text, code = SETTINGS[kind]
    (small.folder / "driftflow.toml").write_bytes(text.encode(errors="surrogateescape"))
    error = small.refused("plan", "migrations", code=code, exit=2)
    assert "driftflow.toml" in error["where"]


def test_settings_in_the_environment(small: Project) -> None:
    small.refused("plan", "migrations", code="DF-E102", exit=2, environ={"DRIFTFLOW_STALL_BUDGET": "3"})
    small.refused("plan", "migrations", code="DF-E103", exit=2, environ={"DRIFTFLOW_STALL_BUDGET_MS": "often"})


def test_an_environment_that_does_not_exist(small: Project) -> None:
    (small.folder / "driftflow.toml").write_text('[environments.test]\nurl = "sqlite:///x.db"\n')
    small.refused("plan", "migrations", "--env", "live", code="DF-E104", exit=2, named=False)


def test_no_database_is_named(small: Project) -> None:
    small.plan()
    small.refused("apply", "plan.json", code="DF-E131", exit=2, named=False)


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("oracle://u:{secret}@h/d", "DF-E110"),
        ("u:{secret}@h/d", "DF-E110"),
        ("postgresql://u:{secret}@h:port/d", "DF-E112"),
        ("postgresql://u:{secret}/x@h/d", "DF-E112"),
        ("mysql://u:{secret}@h:port/d", "DF-E112"),
        ("mariadb://u:{secret}@h/d?ssl_mod=REQUIRED", "DF-E118"),
        ("sqlite://u:{secret}@h/d", "DF-E113"),
        ("sqlite:///:memory:", "DF-E114"),
    ],
)
def test_urls(small: Project, url: str, code: str) -> None:
    from refusals import SECRET

    small.refused("plan", "migrations", code=code, exit=2, url=url.format(secret=SECRET))


# plan files


def _edit(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    def edited(path: Path) -> None:
        raw = json.loads(path.read_text())
        change(raw)
        path.write_text(json.dumps(raw, indent=2))

    return edited


PLANS: dict[str, tuple[Callable[[Path], object], str]] = {
    "edited sql": (lambda path: path.write_text(path.read_text().replace("note", "nota")), "DF-E341"),
    "edited digest": (_edit(lambda raw: raw.update(digest="0" * 64)), "DF-E341"),
    "a step left out": (_edit(lambda raw: raw["plan"]["steps"].pop()), "DF-E341"),
    "newer format": (_edit(lambda raw: raw["plan"].update(format=99)), "DF-E342"),
    "unknown field": (_edit(lambda raw: raw["plan"].update(hurry=True)), "DF-E343"),
    "unknown kind of step": (_edit(lambda raw: raw["plan"]["steps"][0].update(kind="teleport")), "DF-E340"),
    "wrong type": (_edit(lambda raw: raw["plan"].update(steps=7)), "DF-E340"),
    "other json": (lambda path: path.write_text("[1, 2]"), "DF-E340"),
    "empty": (lambda path: path.write_text(""), "DF-E340"),
    "sql": (lambda path: path.write_text("ALTER TABLE orders ADD COLUMN note text;"), "DF-E340"),
    "binary": (lambda path: path.write_bytes(bytes(range(256))), "DF-E340"),
    "deep": (lambda path: path.write_text('{"plan": ' + "[" * 100_000 + "]" * 100_000 + "}"), "DF-E340"),
    "half": (lambda path: path.write_text(path.read_text()[:400]), "DF-E340"),
    "a number beyond all": (_edit(lambda raw: raw["plan"].update(format=10**30)), "DF-E342"),
}


@pytest.mark.parametrize("kind", PLANS)
def test_plan_files(small: Project, kind: str) -> None:
    damage, code = PLANS[kind]
    damage(small.plan())
    small.refused("apply", "plan.json", code=code, exit=2)
    small.refused("show", "plan.json", code=code, exit=2, named=False)


def test_no_plan_file(small: Project) -> None:
    small.refused("apply", "none.json", code="DF-E132", exit=2)
    (small.folder / "folder.json").mkdir()
    small.refused("apply", "folder.json", code="DF-E105", exit=2)


def test_a_plan_cannot_be_written(small: Project) -> None:
    small.refused("plan", "migrations", "-o", "/nowhere/plan.json", code="DF-E106", exit=2)


def test_a_plan_for_another_schema(cornered: Project) -> None:
    cornered.plan()
    cornered.execute("ALTER TABLE orders ADD COLUMN meanwhile integer")
    error = cornered.refused("apply", "plan.json", code="DF-E300", exit=3)
    assert "orders" in error["where"]


def test_a_plan_for_another_kind_of_database(cornered: Project, tmp_path: Path) -> None:
    from driftflow.lab import sqlite

    cornered.plan()
    other = (
        "postgresql://127.0.0.1:1/none" if cornered.vendor == "sqlite" else f"sqlite:///{sqlite.create(tmp_path / 'other.db')}"
    )
    cornered.refused("apply", "plan.json", code="DF-E301", exit=3, url=other)


def test_a_digest_that_was_not_approved(cornered: Project) -> None:
    cornered.plan()
    cornered.refused("apply", "plan.json", "--approved", "0" * 12, code="DF-E394", exit=3)
    cornered.refused("apply", "plan.json", code="DF-E394", exit=3, environ={"DRIFTFLOW_PROTECTED": "true"})


def test_what_cannot_be_taken_back_is_accepted_by_name(cornered: Project) -> None:
    cornered.write({"001_note.sql": "DELETE FROM orders;\n"})
    cornered.plan()
    error = cornered.refused("apply", "plan.json", code="DF-E303", exit=3)
    assert "--accept" in error["hint"]


def test_a_run_that_nobody_knows(cornered: Project) -> None:
    for command in (("status", "none"), ("resume", "none"), ("rollback", "none", "--yes"), ("pause", "none"), ("abort", "none")):
        cornered.refused(*command, code="DF-E120", exit=2)
    cornered.refused("resume", code="DF-E123", exit=2)
