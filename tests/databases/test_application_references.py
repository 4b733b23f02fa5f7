"""The sample application under examples/app, searched by the real command line: a checklist in the assessment, and in the plan's first gate."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from driftflow.demo.run import examples_folder
from driftflow.demo.shop import Size, create_shop
from driftflow.drivers.urls import connector_for

ENVIRON = {name: value for name, value in os.environ.items() if not name.startswith("DRIFTFLOW_")}


@pytest.fixture
def project(tmp_path: Path, sqlite_file: Path) -> Path:
    """The examples, and a small shop that DRIFTFLOW_URL names."""
    shutil.copytree(examples_folder(), tmp_path / "examples")
    with closing(connector_for(f"sqlite:///{sqlite_file}").connect("test")) as connection:
        create_shop(connection, size=Size(orders=200, users=50, products=20, tenants=3))
    return tmp_path


def driftflow(project: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "driftflow", *arguments],
        cwd=project,
        env={**ENVIRON, "DRIFTFLOW_URL": f"sqlite:///{project / 'test.db'}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    return done.stdout


def assessed(project: Path, example: str, form: str = "naive") -> dict[str, Any]:
    folder = f"examples/{example}/sqlite/{form}"
    answer: dict[str, Any] = json.loads(driftflow(project, "assess", folder, "--code", "examples/app", "--format", "json"))
    return answer


def places(assessment: dict[str, Any]) -> set[tuple[str, str]]:
    return {(one["name"], one["file"]) for one in assessment["references"]}


def test_the_assessment_lists_what_uses_the_table_and_the_column(project: Path) -> None:
    found = places(assessed(project, "tenants"))
    assert ("orders", "orders.py") in found
    assert ("tenant_id", "orders.py") in found
    assert not [file for _, file in found if file == "stock.sql"], "it names neither orders nor its columns"
    assert ("products", "stock.sql") in places(assessed(project, "inventory"))
    assert ("two_factor_enabled", "sign_in.py") in places(assessed(project, "two_factor", "enhanced"))


def test_every_place_is_a_line_that_can_be_opened(project: Path) -> None:
    references = assessed(project, "tenants")["references"]
    assert len(references) >= 4
    for one in references:
        line = (project / "examples" / "app" / one["file"]).read_text().splitlines()[one["line"] - 1]
        assert line.strip().startswith(one["text"][:60])


def test_the_text_report_is_a_checklist(project: Path) -> None:
    text = driftflow(project, "assess", "examples/tenants/sqlite/naive", "--code", "examples/app")
    assert "still used by the application (evidence, not proof)" in text
    assert "[ ] orders: orders.py:" in text


def test_the_first_gate_of_the_plan_asks_about_each_place(project: Path) -> None:
    plan = ("plan", "examples/tenants/sqlite/enhanced", "-o", "plan.json")
    without = driftflow(project, *plan)
    assert "orders.py" not in without
    text = driftflow(project, *plan, "--code", "examples/app")
    stored = json.loads((project / "plan.json").read_text())
    gates = [step for step in stored["plan"]["steps"] if step["kind"] == "gate"]
    asked = [line for line in gates[0]["checklist"] if "orders.py:" in line]
    assert len(asked) >= 4
    assert all(line.startswith(("uses orders: orders.py:", "uses tenant_id: orders.py:")) for line in asked)
    assert f"check     {asked[0]}" in text
    assert not [line for gate in gates[1:] for line in gate["checklist"] if "orders.py:" in line], "asked once, at the first gate"


def test_a_plan_without_a_gate_says_that_nobody_will_be_asked(project: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "driftflow", "plan", "examples/inventory/sqlite/naive", "--code", "examples/app"],
        cwd=project,
        env={**ENVIRON, "DRIFTFLOW_URL": f"sqlite:///{project / 'test.db'}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "the plan has no gate that would ask about them" in done.stderr
